"""Attempts with long pauses between them, none of them followed by a success.

    run    attempts of a key, each less than `pause_s` after its last row; a success ends it
    paced  when a run of at least `attempts` has a median gap above `gap_s` among its last KEPT_ATTEMPTS

A run is told when it is first paced, then whenever its attempts have grown fourfold. A hasty beginning is outgrown. A
run is a stranger's unless its key had a success within `known_s`; a key without a row for so long is as good as never
seen. How many accounts the last KEPT_ATTEMPTS named is counted by 16 bits of each. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_ATTEMPTS: Final = 12
_NEVER_US: Final = -(1 << 61)

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "success_us": np.int64,  # last success
        "first_us": np.int64,  # start of the run
        "total": np.int64,  # attempts of the run
        "report_at": np.int64,  # total of the next report; 0 before the first
        "times_us": (np.int64, KEPT_ATTEMPTS),  # of the run's last attempts: number n is at n % KEPT_ATTEMPTS
        "accounts": (np.uint16, KEPT_ATTEMPTS),  # that they named
        **EVIDENCE_COLUMNS,
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    success_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    total: NDArray[np.int64]
    report_at: NDArray[np.int64]
    times_us: NDArray[np.int64]
    accounts: NDArray[np.uint16]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    success: NDArray[np.bool_]
    accounts: NDArray[np.uint16]
    addresses: NDArray[np.int64]


class _Rules(NamedTuple):
    attempts: int
    gap_us: int
    pause_us: int
    known_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    runs: NDArray[np.int64]
    """(n, 5): attempts, span in us, median gap in us (the lower one of two), 1 where the key is known, accounts."""
    evidence: NDArray[np.int64]


@inner_kernel
def _gap_us(keyed: _Keyed, slot: int, newer: int) -> int:
    """The gap before attempt `newer` of the run, counted from 0."""
    ring = keyed.times_us
    return int(ring[slot, newer % KEPT_ATTEMPTS] - ring[slot, (newer - 1) % KEPT_ATTEMPTS])


@inner_kernel
def _is_paced(keyed: _Keyed, slot: int, gap_us: int) -> bool:
    """Whether the lower median of the kept gaps exceeds `gap_us`: at most so many do not."""
    end = keyed.total[slot]
    start = max(1, end - KEPT_ATTEMPTS + 1)
    short = 0
    for one in range(start, end):
        if _gap_us(keyed, slot, one) <= gap_us:
            short += 1
    return bool(short <= (end - start - 1) // 2)


@inner_kernel
def _median_gap_us(keyed: _Keyed, slot: int) -> int:
    """The lower median of the kept gaps, which are at least one: the gap that enough others do not exceed."""
    end = keyed.total[slot]
    start = max(1, end - KEPT_ATTEMPTS + 1)
    gaps = end - start
    for one in range(start, end):
        gap = _gap_us(keyed, slot, one)
        below = 0
        equal = 0
        for other in range(start, end):
            if _gap_us(keyed, slot, other) < gap:
                below += 1
            elif _gap_us(keyed, slot, other) == gap:
                equal += 1
        if below <= (gaps - 1) // 2 < below + equal:
            return gap
    return 0


@inner_kernel
def _accounts(keyed: _Keyed, slot: int) -> int:
    """Distinct accounts among the kept attempts."""
    kept = min(keyed.total[slot], KEPT_ATTEMPTS)
    distinct = 0
    for one in range(kept):
        first = 0
        while keyed.accounts[slot, first] != keyed.accounts[slot, one]:
            first += 1
        distinct += int(first == one)
    return distinct


@kernel
def _count(index: Index, keyed: _Keyed, given: _Given, rules: _Rules, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh:
            keyed.success_us[slot] = _NEVER_US
        if fresh or time_us - keyed.last_us[slot] >= rules.pause_us:
            keyed.last_us[slot] = time_us
            keyed.total[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        if given.success[row]:
            keyed.success_us[slot] = now_us
            keyed.total[slot] = 0
            continue
        if keyed.total[slot] == 0:
            keyed.first_us[slot] = now_us
            keyed.report_at[slot] = 0
            keyed.evidence_next[slot] = 0
        keyed.times_us[slot, keyed.total[slot] % KEPT_ATTEMPTS] = now_us
        keyed.accounts[slot, keyed.total[slot] % KEPT_ATTEMPTS] = given.accounts[row]
        keyed.total[slot] += 1
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if keyed.total[slot] < max(rules.attempts, keyed.report_at[slot]):
            continue
        oldest = max(0, keyed.total[slot] - KEPT_ATTEMPTS)
        if now_us - keyed.times_us[slot, oldest % KEPT_ATTEMPTS] <= rules.gap_us:
            continue  # as all that is fast: the gaps need not be looked at
        if _is_paced(keyed, slot, rules.gap_us):
            keyed.report_at[slot] = GROWTH * keyed.total[slot]
            out.at[reports] = row
            out.runs[reports, 0] = keyed.total[slot]
            out.runs[reports, 1] = now_us - keyed.first_us[slot]
            out.runs[reports, 2] = _median_gap_us(keyed, slot)
            out.runs[reports, 3] = 1 if now_us - keyed.success_us[slot] < rules.known_us else 0
            out.runs[reports, 4] = _accounts(keyed, slot)
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class PacedRuns:
    """What was reported; all (n,). `at`: positions in the rows given. `evidence` (n, 8): the run's last lines."""

    at: NDArray[np.int64]
    attempts: NDArray[np.int64]
    span_s: NDArray[np.float64]
    median_gap_s: NDArray[np.float64]
    known: NDArray[np.bool_]
    """Whether the key had a success within `known_s`."""
    accounts: NDArray[np.int64]
    """Distinct ones among the last KEPT_ATTEMPTS."""
    evidence: NDArray[np.int64]


def paced_runs(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    success: NDArray[np.bool_],
    accounts: Keys,
    addresses: NDArray[np.int64],
    *,
    attempts: int,
    gap_s: float,
    pause_s: float,
    known_s: float,
) -> PacedRuns:
    """Judge the rows of `keys` (n,) in order; rows that are no `success` are one attempt each.

    `attempts` is at least 2, `known_s` not shorter than `pause_s`.
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        success_us=state["success_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        total=state["total"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        times_us=state["times_us"].view(np.int64),
        accounts=state["accounts"].view(np.uint16),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 5), dtype=np.int64), np.empty((n, KEPT_LINES), dtype=np.int64))
    rules = _Rules(int(attempts), int(gap_s * 1e6), int(pause_s * 1e6), int(known_s * 1e6))
    given = _Given(keys, times_us, success, accounts.astype(np.uint16), addresses)
    found = _count(state.index, keyed, given, rules, out)
    total, span_us, median_us, known, named = out.runs[:found].T
    return PacedRuns(out.at[:found], total, span_us / 1e6, median_us / 1e6, known == 1, named, out.evidence[:found])
