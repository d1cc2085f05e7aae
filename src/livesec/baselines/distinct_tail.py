"""Distinct values per key in fixed windows of time, judged like counts (count_tail), and whether they came in a burst.

A row counts 1 if its value is not among the last KEPT_VALUES distinct ones of the open window, else 0; a value of 0
stands for a row that only shows activity. So a file saved thirty times within an hour is one file.

    burst    level_us <- max(0, level_us - dt) + leak_us at each row that counts
             a burst when level_us > (burst - 1) * leak_us: the burst-th new value in quick succession

A window that offends and has a burst is reported even if it was reported before the burst. State is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail
from livesec.baselines.count_tail import Keyed, Rules
from livesec.baselines.episode import Episode, episode_of
from livesec.baselines.kernel_rows import ValueRows, WindowOut, room_for_windows
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_VALUES = 16
_CALM, _BURST, _BURST_TOLD = 0, 1, 2

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        **count_tail.COLUMNS,
        "recent": (np.uint64, KEPT_VALUES),  # distinct values of the open window
        "recent_next": np.int32,  # values put so far
        "level_us": np.int64,  # what is in the burst's bucket, as the time it takes to drain
        "level_at_us": np.int64,  # when that was
        "burst": np.uint8,  # of the open window
    }
)


class _Recent(NamedTuple):
    recent: NDArray[np.uint64]
    recent_next: NDArray[np.int32]
    level_us: NDArray[np.int64]
    level_at_us: NDArray[np.int64]
    burst: NDArray[np.uint8]


@kernel
def _is_new(recent: _Recent, slot: int, value: np.uint64) -> bool:
    kept = min(recent.recent_next[slot], KEPT_VALUES)
    for place in range(kept):
        if recent.recent[slot, place] == value:
            return False
    recent.recent[slot, recent.recent_next[slot] % KEPT_VALUES] = value
    recent.recent_next[slot] += 1
    return True


@kernel
def _pour(recent: _Recent, slot: int, now_us: int, leak_us: int, burst: int) -> None:
    left_us = max(0, recent.level_us[slot] - (now_us - recent.level_at_us[slot]))
    recent.level_us[slot] = left_us + leak_us
    recent.level_at_us[slot] = now_us
    if recent.level_us[slot] > (burst - 1) * leak_us and recent.burst[slot] == _CALM:
        recent.burst[slot] = _BURST


@kernel
def _count_distinct(
    index: Index,
    keyed: Keyed,
    episode: Episode,
    recent: _Recent,
    given: ValueRows,
    rules: Rules,
    leak_us: int,
    burst: int,
    out: WindowOut,
    out_burst: NDArray[np.bool_],
) -> int:
    reports = 0
    window_us = int(rules.window_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        begins = fresh or time_us - keyed.last_us[slot] >= int(rules.forget_s * 1e6)
        if begins:
            count_tail.begin(keyed, episode, slot, time_us, window_us)
            recent.level_us[slot] = 0
            recent.level_at_us[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        turns = now_us // window_us != keyed.window[slot]
        if turns:
            count_tail.turn(keyed, slot, now_us // window_us)
        if begins or turns:
            recent.recent_next[slot] = 0
            recent.burst[slot] = _CALM
        keyed.last_us[slot] = now_us
        value = given.values[row]
        if value == np.uint64(0) or not _is_new(recent, slot, value):
            continue
        _pour(recent, slot, now_us, leak_us, burst)
        count_tail.add(keyed, slot, 1, given.addresses[row], 1)
        due, log_p = count_tail.judge(keyed, episode, slot, 1, rules)
        if due or (log_p < 0.0 and recent.burst[slot] == _BURST):
            if recent.burst[slot] == _BURST:
                recent.burst[slot] = _BURST_TOLD
            count_tail.told(keyed, episode, slot)
            count_tail.write(keyed, episode, slot, log_p, row, out, reports)
            out_burst[reports] = recent.burst[slot] == _BURST_TOLD
            reports += 1
    return reports


def count_distinct(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: NDArray[np.uint64],
    addresses: NDArray[np.int64],
    rules: Rules,
    *,
    burst: int,
    leak_s: float,
) -> tuple[count_tail.Reports, NDArray[np.bool_]]:
    """Count the distinct `values` (n,) of `keys` (n,) in row order: (reports, whether the window had a burst).

    A burst is `burst` new values in quick succession, where one leaks away in `leak_s`. A key without a row for
    `rules.forget_s`, which must be longer than burst * leak_s, is as good as never seen.
    """
    state.reserve(keys)
    out = room_for_windows(len(keys))
    had_burst = np.empty(len(keys), dtype=np.bool_)
    recent = _Recent(
        recent=state["recent"].view(np.uint64),
        recent_next=state["recent_next"].view(np.int32),
        level_us=state["level_us"].view(np.int64),
        level_at_us=state["level_at_us"].view(np.int64),
        burst=state["burst"].view(np.uint8),
    )
    given = ValueRows(keys, times_us, values, addresses)
    found = _count_distinct(
        state.index,
        count_tail.keyed_of(state),
        episode_of(state),
        recent,
        given,
        rules,
        int(leak_s * 1e6),
        burst,
        out,
        had_burst,
    )
    return count_tail.reports_in(out, found), had_burst[:found]
