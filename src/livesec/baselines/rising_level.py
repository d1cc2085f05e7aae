"""A level per key that is news whenever it is higher than ever in the episode.

    reported when level > highest; highest <- max(highest, level)

An episode lasts until no row came for `quiet_s`. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.kernel_rows import AmountRows, EpisodeOut, room_for_episodes
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # start of the episode
        "rows": np.int64,  # of the episode
        "highest": np.int64,
        **EVIDENCE_COLUMNS,
    }
)


class _LevelState(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    rows: NDArray[np.int64]
    highest: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@kernel
def _rise(index: Index, keyed: _LevelState, given: AmountRows, quiet_us: int, out: EpisodeOut) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= quiet_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.rows[slot] = 0
            keyed.highest[slot] = 0
            keyed.evidence_next[slot] = 0
        keyed.last_us[slot] = max(keyed.last_us[slot], time_us)
        keyed.rows[slot] += 1
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if given.amounts[row] > keyed.highest[slot]:
            keyed.highest[slot] = given.amounts[row]
            out.at[reports] = row
            out.total[reports] = keyed.rows[slot]
            out.span_us[reports] = keyed.last_us[slot] - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, and of the episode so far its rows and its span; `evidence` (n, 8)."""

    at: NDArray[np.int64]
    rows: NDArray[np.int64]
    span_s: NDArray[np.float64]
    evidence: NDArray[np.int64]


def rise(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    levels: NDArray[np.int64],
    addresses: NDArray[np.int64],
    *,
    quiet_s: float,
) -> Reports:
    """Follow the `levels` (n,) of `keys` (n,) in row order; a level of 0 or less is no news."""
    state.reserve(keys)
    keyed = _LevelState(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        rows=state["rows"].view(np.int64),
        highest=state["highest"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(len(keys))
    given = AmountRows(keys, times_us, levels, addresses)
    found = _rise(state.index, keyed, given, int(quiet_s * 1e6), out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])
