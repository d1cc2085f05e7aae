"""Something that should not be there at all: reported at once, or when it came back, then as it keeps coming.

    total += 1
    reported when a decisive row comes or total reaches `repeats`; then whenever total has grown by `growth`

An episode lasts until no row came for `quiet_s`. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import EpisodeOut, room_for_episodes
from livesec.baselines.leaky_bucket import Reports
from livesec.core.ago import ago_texts
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.rows import Rows
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # start of the episode
        "total": np.int64,  # rows of the episode
        "report_at": np.int64,  # total of the next report; 0 before the first
        **EVIDENCE_COLUMNS,
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    total: NDArray[np.int64]
    report_at: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    decisive: NDArray[np.bool_]
    addresses: NDArray[np.int64]


class _Rules(NamedTuple):
    repeats: int
    growth: int
    quiet_us: int


@kernel
def _recur(index: Index, keyed: _Keyed, given: _Given, rules: _Rules, out: EpisodeOut) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.quiet_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.total[slot] = 0
            keyed.report_at[slot] = 0
            keyed.evidence_next[slot] = 0
        keyed.last_us[slot] = max(keyed.last_us[slot], time_us)
        keyed.total[slot] += 1
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        total = keyed.total[slot]
        first = keyed.report_at[slot] == 0 and (given.decisive[row] or total >= rules.repeats)
        if first or 0 < keyed.report_at[slot] <= total:
            keyed.report_at[slot] = rules.growth * total
            out.at[reports] = row
            out.total[reports] = total
            out.span_us[reports] = keyed.last_us[slot] - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


def recur(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    decisive: NDArray[np.bool_],
    addresses: NDArray[np.int64],
    *,
    repeats: int,
    growth: int,
    quiet_s: float,
) -> Reports:
    """Count the rows of `keys` (n,) in row order; `decisive` (n,) rows are reported even the first time."""
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        total=state["total"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(n)
    given = _Given(keys, times_us, decisive, addresses)
    found = _recur(state.index, keyed, given, _Rules(repeats, growth, int(quiet_s * 1e6)), out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])


def since_first(reports: Reports, quiet_s: float) -> dict[str, Any]:
    """Details that say when an episode began, and after how long a pause: span_s, first (in words), quiet_days."""
    return {
        "span_s": reports.span_s,
        "first": ago_texts(reports.span_s),
        "quiet_days": np.full(len(reports.at), quiet_s / 86_400),
    }


def recur_at_once(
    state: KeyedState, rows: Rows, key: tuple[str, ...], at: NDArray[np.int64], *, quiet_s: float
) -> Reports:
    """`recur` of the rows at positions `at` by the columns `key`: each decisive by itself, then on growth by GROWTH."""
    return recur(
        state,
        rows.key(*key)[at],
        rows.time_us[at],
        np.ones(len(at), dtype=np.bool_),
        rows.addresses()[at],
        repeats=1,
        growth=GROWTH,
        quiet_s=quiet_s,
    )
