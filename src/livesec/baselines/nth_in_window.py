"""The n-th event within a window, per key: a ring of the last n times says it exactly.

    full when n events came and now - (time of the n-th last) <= window

An episode lasts until no event came for `quiet_s`. Within it the first full window is reported, then each
time the episode's total has grown fourfold since the last report. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import AmountRows, EpisodeOut, room_for_episodes
from livesec.baselines.leaky_bucket import Reports
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

MOST_EVENTS = 64
"""Largest n: the ring takes 8 bytes of each key per event."""


def ring_columns(events: int) -> dict[str, ColumnSpec]:
    """State columns of a ring of the last `events` times (1 to MOST_EVENTS)."""
    if not 1 <= events <= MOST_EVENTS:
        raise ValueError(f"a window of {events} events: expected 1 to {MOST_EVENTS}")
    return {"ring_us": (np.int64, events), "ring_next": np.int32}


def columns(events: int) -> Mapping[str, ColumnSpec]:
    """State columns for the `events`-th event within a window."""
    return MappingProxyType(
        {
            "last_us": np.int64,
            "first_us": np.int64,  # start of the episode
            "total": np.int64,  # events of the episode
            "report_at": np.int64,  # total of the next report; 0 before the first
            **ring_columns(events),
            **EVIDENCE_COLUMNS,
        }
    )


@inner_kernel
def push(ring_us: NDArray[np.int64], ring_next: NDArray[np.int32], slot: int, time_us: int, count: int) -> None:
    """Put `time_us` into the ring of `slot` `count` times; `ring_next[slot] = 0` empties a ring."""
    width = ring_us.shape[1]
    for _ in range(min(count, width)):
        ring_us[slot, ring_next[slot] % width] = time_us
        ring_next[slot] += 1
    if ring_next[slot] >= 2 * width:  # keep it small; only its remainder and "at least width" matter
        ring_next[slot] -= width


@inner_kernel
def nth_last_us(ring_us: NDArray[np.int64], ring_next: NDArray[np.int32], slot: int, n: int) -> int:
    """The time of the n-th last event in the ring of `slot` (1: the last); -1 where there were fewer."""
    width = ring_us.shape[1]
    if n > width or ring_next[slot] < n:
        return -1
    return int(ring_us[slot, (ring_next[slot] - n) % width])


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    total: NDArray[np.int64]
    report_at: NDArray[np.int64]
    ring_us: NDArray[np.int64]
    ring_next: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@kernel
def _count(index: Index, keyed: _Keyed, given: AmountRows, window_us: int, quiet_us: int, out: EpisodeOut) -> int:
    reports = 0
    events = keyed.ring_us.shape[1]
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= quiet_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.total[slot] = 0
            keyed.report_at[slot] = 0
            keyed.ring_next[slot] = 0
            keyed.evidence_next[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        keyed.total[slot] += given.amounts[row]
        push(keyed.ring_us, keyed.ring_next, slot, now_us, given.amounts[row])
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        oldest_us = nth_last_us(keyed.ring_us, keyed.ring_next, slot, events)
        full = keyed.ring_next[slot] >= events and now_us - oldest_us <= window_us
        first = keyed.report_at[slot] == 0 and full
        grown = keyed.report_at[slot] != 0 and keyed.total[slot] >= keyed.report_at[slot]
        if first or grown:
            keyed.report_at[slot] = GROWTH * keyed.total[slot]
            out.at[reports] = row
            out.total[reports] = keyed.total[slot]
            out.span_us[reports] = now_us - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


def idle_s(*, window_s: float, quiet_s: float) -> float:
    """After so long without a row `count` treats a key as never seen."""
    return max(quiet_s, window_s)


def count(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    weights: NDArray[np.int64],
    addresses: NDArray[np.int64],
    *,
    window_s: float,
    quiet_s: float,
) -> Reports:
    """Count `weights` (n,), each at least 1, for `keys` (n,) in row order; the ring's width is the n of the n-th.

    An episode's pause is `quiet_s` or, where that is longer, `window_s` (see `idle_s`).
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        total=state["total"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        ring_us=state["ring_us"].view(np.int64),
        ring_next=state["ring_next"].view(np.int32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(n)
    given = AmountRows(keys, times_us, weights, addresses)
    quiet_us = int(idle_s(window_s=window_s, quiet_s=quiet_s) * 1e6)
    found = _count(state.index, keyed, given, int(window_s * 1e6), quiet_us, out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])
