"""Distinct values per key: how many different ports, hosts, names or files a key reached, and how quickly.

An episode lasts until no row came for `quiet_s`. Its last values stay in a small table with the time each
was last seen, the least recent making way when it is full. A row's value is looked up there; then, by one of
two rules,

    leak     each value not in the table pours one leak_s:   level_us <- max(0, level_us - dt) + leak_us
             full when level_us > (threshold - 1) * leak_us: the threshold-th new value in quick succession
    window   full when `threshold` values of the table were seen within the last window_s

The first full bucket or window of an episode is reported, then each time the episode's number of distinct
values has grown fourfold. That number is exact while it fits the table, then a HyperLogLog estimate of 64 registers
(Flajolet et al. 2007; standard error 13 %), which only grows. All state is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import ValueRows
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_VALUES = 64
"""Values in the table of a key unless `columns` is told otherwise; a threshold cannot be larger."""

REGISTERS = 64
_REGISTER_BITS = 6
_RANKS = 64 - _REGISTER_BITS
_ALPHA = 0.709  # HyperLogLog's bias correction for 64 registers
_NO_WINDOW = np.iinfo(np.int64).max


def columns(kept: int = KEPT_VALUES) -> Mapping[str, ColumnSpec]:
    """State columns with a table of `kept` values (16 bytes each) per key."""
    return MappingProxyType(
        {
            "last_us": np.int64,
            "first_us": np.int64,  # start of the episode
            "level_us": np.int64,  # what is in the bucket, as the time it takes to drain
            "distinct": np.int64,  # values of the episode
            "events": np.int64,  # rows of the episode
            "report_at": np.int64,  # `distinct` of the next report; 0 before the first
            "kept": np.int32,  # places of the table in use
            "values": (np.uint64, kept),
            "values_us": (np.int64, kept),  # when each was last seen
            "registers": (np.uint8, REGISTERS),  # in use once `distinct` exceeds the table
            **EVIDENCE_COLUMNS,
        }
    )


COLUMNS = columns()


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    level_us: NDArray[np.int64]
    distinct: NDArray[np.int64]
    events: NDArray[np.int64]
    report_at: NDArray[np.int64]
    kept: NDArray[np.int32]
    values: NDArray[np.uint64]
    values_us: NDArray[np.int64]
    registers: NDArray[np.uint8]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Limits(NamedTuple):
    threshold: int
    leak_us: int
    """0: judge by the window."""
    window_us: int
    quiet_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): distinct, events, span in us."""
    evidence: NDArray[np.int64]


@inner_kernel
def _register(registers: NDArray[np.uint8], slot: int, value: np.uint64) -> None:
    mixed = value + np.uint64(0x9E3779B97F4A7C15)  # SplitMix64, as core.hashing.number_keys
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    place = int(mixed >> np.uint64(64 - _REGISTER_BITS))
    rest = mixed << np.uint64(_REGISTER_BITS)
    rank = 1
    while rank <= _RANKS and (rest >> np.uint64(63)) == np.uint64(0):
        rest = rest << np.uint64(1)
        rank += 1
    registers[slot, place] = max(registers[slot, place], rank)


@inner_kernel
def _estimate(registers: NDArray[np.uint8], slot: int) -> int:
    total = 0.0  # a sum of powers of two: exact in any order
    empty = 0
    for place in range(REGISTERS):
        total += 0.5 ** registers[slot, place]
        if registers[slot, place] == 0:
            empty += 1
    estimate = _ALPHA * REGISTERS * REGISTERS / total
    if empty > 0 and estimate <= 2.5 * REGISTERS:
        estimate = REGISTERS * math.log(REGISTERS / empty)
    return int(estimate)


@inner_kernel
def _begin(keyed: _Keyed, slot: int, time_us: int) -> None:
    keyed.first_us[slot] = time_us
    keyed.last_us[slot] = time_us
    keyed.level_us[slot] = 0
    keyed.distinct[slot] = 0
    keyed.events[slot] = 0
    keyed.report_at[slot] = 0
    keyed.kept[slot] = 0
    keyed.evidence_next[slot] = 0


@inner_kernel
def _look_up(keyed: _Keyed, slot: int, value: np.uint64, now_us: int, window_us: int) -> tuple[int, int, int]:
    """(place of `value` or -1, place least recently seen, other values seen within the window)."""
    known = -1
    oldest = 0
    recent = 0
    for place in range(keyed.kept[slot]):
        if keyed.values[slot, place] == value:
            known = place
        elif now_us - keyed.values_us[slot, place] < window_us:
            recent += 1
        if keyed.values_us[slot, place] < keyed.values_us[slot, oldest]:
            oldest = place
    return known, oldest, recent


@inner_kernel
def _put(keyed: _Keyed, slot: int, value: np.uint64, now_us: int, oldest: int) -> None:
    width = keyed.values.shape[1]
    place = oldest
    if keyed.kept[slot] < width:
        place = int(keyed.kept[slot])
        keyed.kept[slot] += 1
        keyed.distinct[slot] += 1
    else:
        if keyed.distinct[slot] == width:  # the table overflows: from now on the registers count
            for register in range(REGISTERS):
                keyed.registers[slot, register] = 0
            for kept in range(width):
                _register(keyed.registers, slot, keyed.values[slot, kept])
        _register(keyed.registers, slot, value)
        keyed.distinct[slot] = max(keyed.distinct[slot], width + 1, _estimate(keyed.registers, slot))
    keyed.values[slot, place] = value
    keyed.values_us[slot, place] = now_us


@kernel
def _pour(index: Index, keyed: _Keyed, given: ValueRows, limits: _Limits, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.quiet_us:
            _begin(keyed, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.level_us[slot] = max(0, keyed.level_us[slot] - (now_us - keyed.last_us[slot]))
        keyed.last_us[slot] = now_us
        keyed.events[slot] += 1
        known, oldest, recent = _look_up(keyed, slot, given.values[row], now_us, limits.window_us)
        if known < 0:
            keyed.level_us[slot] += limits.leak_us
            _put(keyed, slot, given.values[row], now_us, oldest)
        else:
            left_window = now_us - keyed.values_us[slot, known] >= limits.window_us
            keyed.values_us[slot, known] = now_us
            if not left_window:
                continue
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if limits.leak_us > 0:
            full = keyed.level_us[slot] > (limits.threshold - 1) * limits.leak_us
        else:
            full = recent + 1 >= limits.threshold
        first = keyed.report_at[slot] == 0 and full
        grown = keyed.report_at[slot] != 0 and keyed.distinct[slot] >= keyed.report_at[slot]
        if first or grown:
            keyed.report_at[slot] = GROWTH * keyed.distinct[slot]
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.distinct[slot]
            out.numbers[reports, 1] = keyed.events[slot]
            out.numbers[reports, 2] = now_us - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported; all (n,), `evidence` (n, 8): the lines that brought the last new values.

    `at`: positions in the rows given; of the episode so far its distinct values, its rows and its span.
    """

    at: NDArray[np.int64]
    distinct: NDArray[np.int64]
    events: NDArray[np.int64]
    span_s: NDArray[np.float64]
    evidence: NDArray[np.int64]


def idle_s(threshold: int, *, leak_s: float | None = None, window_s: float | None = None, quiet_s: float) -> float:
    """After so long without a row `pour` treats a key as never seen."""
    return max(quiet_s, threshold * (leak_s or 0.0), window_s or 0.0)


def _keyed(state: KeyedState) -> _Keyed:
    return _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        level_us=state["level_us"].view(np.int64),
        distinct=state["distinct"].view(np.int64),
        events=state["events"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        kept=state["kept"].view(np.int32),
        values=state["values"].view(np.uint64),
        values_us=state["values_us"].view(np.int64),
        registers=state["registers"].view(np.uint8),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )


def pour(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: NDArray[np.uint64],
    addresses: NDArray[np.int64],
    *,
    threshold: int,
    leak_s: float | None = None,
    window_s: float | None = None,
    quiet_s: float,
) -> Reports:
    """Give each key of `keys` (n,) its row's value of `values` (n,), any 64-bit hash or number, in row order.

    Exactly one of `leak_s` (seconds in which one value leaks away) and `window_s` says what quickly
    means; `quiet_s` is the pause that ends an episode (see `idle_s`). Raises ValueError for both or neither,
    and for a threshold that the table cannot hold.
    """
    if (leak_s is None) == (window_s is None):
        raise ValueError("distinct values need either leak_s or window_s")
    width = state["values"].shape[1]
    if not 1 <= threshold <= width:
        raise ValueError(f"threshold {threshold} is outside 1 to {width}, the values kept per key")
    n = len(keys)
    state.reserve(keys)
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 3), dtype=np.int64),
        evidence=np.empty((n, state["evidence"].shape[1]), dtype=np.int64),
    )
    limits = _Limits(
        threshold=threshold,
        leak_us=0 if leak_s is None else int(leak_s * 1e6),
        window_us=_NO_WINDOW if window_s is None else int(window_s * 1e6),
        quiet_us=int(idle_s(threshold, leak_s=leak_s, window_s=window_s, quiet_s=quiet_s) * 1e6),
    )
    found = _pour(state.index, _keyed(state), ValueRows(keys, times_us, values, addresses), limits, out)
    numbers = out.numbers[:found]
    return Reports(out.at[:found], numbers[:, 0], numbers[:, 1], numbers[:, 2] / 1e6, out.evidence[:found])
