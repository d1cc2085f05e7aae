"""Leaky bucket per key: what is poured in at each row leaks at a steady rate; full means too much, too fast.

    level <- min(capacity, max(0, level - dt / leak_s) + weight)        dt = max(0, t - last)
    full when level > capacity - 1

So `capacity` unit weights fill the bucket if they come before one whole unit has leaked: five attempts within
less than ten seconds at a leak of one per 10 s, however the seconds fall between them. An episode lasts until
nothing was poured for `quiet_s`. Within it the bucket reports when it is first full, then each time the
episode's total has grown fourfold since the last report: ten thousand tries are six reports. Levels are kept as
the time they take to drain, in whole microseconds, so that nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import AmountRows, EpisodeOut, room_for_episodes
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "level_us": np.int64,  # what is in the bucket, as the time it takes to drain
        "last_us": np.int64,
        "first_us": np.int64,  # start of the episode
        "total": np.int64,  # poured in this episode
        "report_at": np.int64,  # total of the next report; 0 before the first
        **EVIDENCE_COLUMNS,
    }
)


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    level_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    total: NDArray[np.int64]
    report_at: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Limits(NamedTuple):
    capacity_us: int
    leak_us: int
    quiet_us: int


@kernel
def _pour(index: Index, keyed: _Keyed, given: AmountRows, limits: _Limits, out: EpisodeOut) -> int:
    reports = 0
    fills = 1 + limits.capacity_us // limits.leak_us  # a larger weight fills it too, and cannot overflow
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.quiet_us:
            keyed.level_us[slot] = 0
            keyed.total[slot] = 0
            keyed.report_at[slot] = 0
            keyed.first_us[slot] = time_us
            keyed.last_us[slot] = time_us
            keyed.evidence_next[slot] = 0
        elapsed_us = max(0, time_us - keyed.last_us[slot])
        keyed.last_us[slot] += elapsed_us
        poured_us = min(given.amounts[row], fills) * limits.leak_us
        left_us = max(0, keyed.level_us[slot] - elapsed_us)
        keyed.level_us[slot] = min(limits.capacity_us, left_us + poured_us)
        keyed.total[slot] += given.amounts[row]
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        first = keyed.report_at[slot] == 0 and keyed.level_us[slot] > limits.capacity_us - limits.leak_us
        grown = keyed.report_at[slot] != 0 and keyed.total[slot] >= keyed.report_at[slot]
        if first or grown:
            keyed.report_at[slot] = GROWTH * keyed.total[slot]
            out.at[reports] = row
            out.total[reports] = keyed.total[slot]
            out.span_us[reports] = keyed.last_us[slot] - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported; all (n,), `evidence` (n, 8).

    `at`: positions in the rows given; of the episode so far the total of its weights and its span.
    """

    at: NDArray[np.int64]
    total: NDArray[np.int64]
    span_s: NDArray[np.float64]
    evidence: NDArray[np.int64]


def idle_s(*, capacity: float, leak_s: float, quiet_s: float) -> float:
    """After so long without a row `pour` treats a key as never seen."""
    return max(quiet_s, capacity * leak_s)


def pour(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    weights: NDArray[np.int64],
    addresses: NDArray[np.int64],
    *,
    capacity: float,
    leak_s: float,
    quiet_s: float,
) -> Reports:
    """Pour `weights` (n,), each at least 1, into the buckets of `keys` (n,) in row order.

    `capacity` (at least 1) is in weights, `leak_s` the seconds in which a weight of 1 leaks away. An episode's
    pause is `quiet_s` or, where that is longer, the time a full bucket takes to drain (see `idle_s`).
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        level_us=state["level_us"].view(np.int64),
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        total=state["total"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(n)
    leak_us = int(leak_s * 1e6)
    limits = _Limits(
        capacity_us=int(capacity * leak_us),
        leak_us=leak_us,
        quiet_us=int(idle_s(capacity=capacity, leak_s=leak_s, quiet_s=quiet_s) * 1e6),
    )
    found = _pour(state.index, keyed, AmountRows(keys, times_us, weights, addresses), limits, out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])
