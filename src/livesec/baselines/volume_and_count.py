"""Volume and number of a key's rows in the same windows of time: a window may offend by either.

By volume as window_volume says, by number as count_tail says once the volume has reached the volume's floor. Many
small pieces are found by their number where their volume is nothing special, and one large piece by its volume.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, window_volume
from livesec.baselines.episode import Episode, episode_of
from livesec.baselines.kernel_rows import AmountRows, WindowOut, room_for_windows
from livesec.baselines.log_histogram import Histogram, histogram_of
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

_COUNTS = "count_"  # what the names of count_tail's columns begin with here

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {**window_volume.COLUMNS, **{_COUNTS + name: spec for name, spec in count_tail.COLUMNS.items()}}
)


class _Volumes(NamedTuple):
    keyed: window_volume.Keyed
    histogram: Histogram
    episode: Episode
    rules: window_volume.Rules
    out: WindowOut


class _Counts(NamedTuple):
    keyed: count_tail.Keyed
    episode: Episode
    rules: count_tail.Rules
    out: WindowOut


@kernel
def _fill(index: Index, volumes: _Volumes, counts: _Counts, given: AmountRows) -> int:
    reports = 0
    window_us = int(volumes.rules.window_s * 1e6)
    forget_us = int(volumes.rules.forget_s * 1e6)
    lowest = min(volumes.rules.floor, volumes.rules.young_limit)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - volumes.keyed.last_us[slot] >= forget_us:
            window_volume.begin(volumes.keyed, volumes.histogram, volumes.episode, slot, time_us, window_us)
            count_tail.begin(counts.keyed, counts.episode, slot, time_us, window_us)
        now_us = max(volumes.keyed.last_us[slot], time_us)
        window = now_us // window_us
        if window != volumes.keyed.window[slot]:
            window_volume.turn(volumes.keyed, volumes.histogram, slot, window, volumes.rules.learn_windows)
            count_tail.turn(counts.keyed, slot, window)
        volumes.keyed.last_us[slot] = now_us
        counts.keyed.last_us[slot] = now_us
        amount = given.amounts[row]
        count_tail.add(counts.keyed, slot, 1, given.addresses[row], 1)
        if window_volume.add(volumes.keyed, slot, amount, given.addresses[row], lowest) < lowest:
            continue
        large = window_volume.judge(volumes.keyed, volumes.histogram, volumes.episode, slot, amount, volumes.rules)
        many, log_p = False, 0.0
        if counts.keyed.counted[slot] >= counts.rules.floor:
            many, log_p = count_tail.judge(counts.keyed, counts.episode, slot, 1, counts.rules)
        if large:
            window_volume.told(volumes.keyed, volumes.episode, slot)
        if many:
            count_tail.told(counts.keyed, counts.episode, slot)
        if large or many:
            window_volume.write(
                volumes.keyed, volumes.histogram, volumes.episode, slot, volumes.rules, row, volumes.out, reports
            )
            count_tail.write(counts.keyed, counts.episode, slot, log_p, row, counts.out, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, by volume and by count: alike in length and positions.

    `counts.log_p` is 0 where the number alone would be no news, and `volumes.offended` 0 where the volume would not.
    """

    volumes: window_volume.Reports
    counts: count_tail.Reports


def fill(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    amounts: NDArray[np.int64],
    addresses: NDArray[np.int64],
    volume_rules: window_volume.Rules,
    count_rules: count_tail.Rules,
) -> Reports:
    """Add `amounts` (n,) to the windows of `keys` (n,) in row order, each row counting one.

    Windows and forgetting are those of `volume_rules`; `count_rules` must name the same.
    """
    state.reserve(keys)
    volumes = _Volumes(
        window_volume.keyed_of(state),
        histogram_of(state),
        episode_of(state),
        volume_rules,
        room_for_windows(len(keys)),
    )
    counts = _Counts(
        count_tail.keyed_of(state, _COUNTS), episode_of(state, _COUNTS), count_rules, room_for_windows(len(keys))
    )
    found = _fill(state.index, volumes, counts, AmountRows(keys, times_us, amounts, addresses))
    return Reports(window_volume.reports_in(volumes.out, found), count_tail.reports_in(counts.out, found))
