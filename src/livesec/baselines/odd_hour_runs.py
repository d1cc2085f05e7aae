"""Runs of one kind of act within hours in which a key is never active: how unlikely is it that it does so much alike?

    run    rows of one kind in a row, each less than `pause_us` after the one before
    q      (again[k] + 1) / (acts[k] + 2)     how often this key, having done k, does k again
    p      (acts[k] + 1) / (sum of acts + KINDS) * q ^ (length of the run - 1)

A row in a strange hour (hour_profile) whose run has at least `floor` rows with ln p <= log_p offends, for a key with
`learn_acts` acts learnt. Whoever works in batches does the same again as a rule, so that q is large and no run says
much. Strange hours teach no acts; at FORGET_AT acts all counts are halved. A run is reported at first and then as it
grows fourfold. All state of the runs is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import hour_profile
from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.hour_profile import HourLimits, HourState
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KINDS: Final = 8
FORGET_AT: Final = 4096

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        **hour_profile.COLUMNS,
        "total": np.int64,  # sum of acts
        "acts": (np.int32, KINDS),  # rows learnt of each kind
        "again": (np.int32, KINDS),  # those that came right after one of the same kind
        "kind": np.int32,  # of the last row
        "run": np.int64,  # rows of the open run
        "run_from_us": np.int64,
        "run_report_at": np.int64,  # rows of its next report
        **EVIDENCE_COLUMNS,
    }
)


class RunRules(NamedTuple):
    """See above."""

    floor: int
    log_p: float
    learn_acts: int
    pause_us: int


class _RunState(NamedTuple):
    total: NDArray[np.int64]
    acts: NDArray[np.int32]
    again: NDArray[np.int32]
    kind: NDArray[np.int32]
    run: NDArray[np.int64]
    run_from_us: NDArray[np.int64]
    run_report_at: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Acts(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    local_hours: NDArray[np.int64]
    kinds: NDArray[np.int64]
    addresses: NDArray[np.int64]


class _RunOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 5): rows of the run, us since its first, acts learnt, first and last hour of the usual span."""
    log_p: NDArray[np.float64]
    evidence: NDArray[np.int64]


@inner_kernel
def _begin(runs: _RunState, slot: int) -> None:
    runs.total[slot] = 0
    for kind in range(KINDS):
        runs.acts[slot, kind] = 0
        runs.again[slot, kind] = 0
    runs.kind[slot] = -1


@inner_kernel
def _extend(runs: _RunState, slot: int, kind: int, now_us: int, pauses: bool, address: int) -> bool:
    """Add a row to the open run or begin another; whether it extends one."""
    same = kind == runs.kind[slot] and not pauses
    if not same:
        runs.kind[slot] = kind
        runs.run[slot] = 0
        runs.run_from_us[slot] = now_us
        runs.run_report_at[slot] = 1
        runs.evidence_next[slot] = 0
    runs.run[slot] += 1
    remember(runs.evidence, runs.evidence_next, slot, address)
    return same


@inner_kernel
def _learn(runs: _RunState, slot: int, kind: int, same: bool) -> None:
    runs.acts[slot, kind] += 1
    runs.again[slot, kind] += int(same)
    runs.total[slot] += 1
    if runs.total[slot] >= FORGET_AT:
        left = 0
        for other in range(KINDS):
            runs.acts[slot, other] //= 2
            runs.again[slot, other] //= 2
            left += runs.acts[slot, other]
        runs.total[slot] = left


@inner_kernel
def _log_p(runs: _RunState, slot: int, kind: int) -> float:
    first = (runs.acts[slot, kind] + 1.0) / (runs.total[slot] + KINDS)
    again = (runs.again[slot, kind] + 1.0) / (runs.acts[slot, kind] + 2.0)
    return math.log(first) + int(runs.run[slot] - 1) * math.log(again)


@kernel
def _follow(
    index: Index, hours: HourState, runs: _RunState, given: _Acts, limits: HourLimits, rules: RunRules, out: _RunOut
) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - hours.last_us[slot] >= limits.idle_us:
            hour_profile.begin(hours, slot, time_us)
            _begin(runs, slot)
        now_us = max(hours.last_us[slot], time_us)
        pauses = now_us - hours.last_us[slot] >= rules.pause_us
        hours.last_us[slot] = now_us
        kind = given.kinds[row]
        if hour_profile.visit(hours, slot, now_us, given.local_hours[row], limits) != 1.0:
            hour_profile.learn_strange(hours, slot, given.local_hours[row])
        same = _extend(runs, slot, kind, now_us, pauses, given.addresses[row])
        if not hour_profile.is_strange(hours, slot):
            _learn(runs, slot, kind, same)
            continue
        if runs.run[slot] < max(rules.floor, runs.run_report_at[slot]) or runs.total[slot] < rules.learn_acts:
            continue
        log_p = _log_p(runs, slot, kind)
        if log_p > rules.log_p:
            continue
        runs.run_report_at[slot] = GROWTH * runs.run[slot]
        first_hour, last_hour = hour_profile.usual_span(hours, slot, given.local_hours[row])
        out.at[reports] = row
        out.numbers[reports, 0] = runs.run[slot]
        out.numbers[reports, 1] = now_us - runs.run_from_us[slot]
        out.numbers[reports, 2] = runs.total[slot]
        out.numbers[reports, 3] = first_hour
        out.numbers[reports, 4] = last_hour
        out.log_p[reports] = log_p
        copy_evidence(runs.evidence, slot, out.evidence, reports)
        reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    run: NDArray[np.int64]
    """Rows of the run so far."""
    span_s: NDArray[np.float64]
    """Since its first row."""
    acts: NDArray[np.int64]
    """Acts learnt before."""
    usual_from: NDArray[np.int64]
    usual_to: NDArray[np.int64]
    """First and last hour, 0-23, of the usual span on such days."""
    log_p: NDArray[np.float64]
    evidence: NDArray[np.int64]
    """(n, 8): the last lines of the run."""


def follow(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    local_hours: NDArray[np.int64],
    kinds: NDArray[np.int64],
    addresses: NDArray[np.int64],
    limits: HourLimits,
    rules: RunRules,
) -> Reports:
    """Follow what `keys` (n,) do, in row order. `kinds` (n,): 0 to KINDS - 1; hours and limits as `strange_hours`."""
    n = len(keys)
    state.reserve(keys)
    runs = _RunState(
        total=state["total"].view(np.int64),
        acts=state["acts"].view(np.int32),
        again=state["again"].view(np.int32),
        kind=state["kind"].view(np.int32),
        run=state["run"].view(np.int64),
        run_from_us=state["run_from_us"].view(np.int64),
        run_report_at=state["run_report_at"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _RunOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 5), dtype=np.int64),
        log_p=np.empty(n, dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    given = _Acts(keys, times_us, local_hours, kinds, addresses)
    found = _follow(state.index, hour_profile.hour_state(state), runs, given, limits, rules, out)
    run, span_us, acts, usual_from, usual_to = out.numbers[:found].T
    return Reports(
        out.at[:found], run, span_us / 1e6, acts, usual_from, usual_to, out.log_p[:found], out.evidence[:found]
    )
