"""Values that a key shows for the first time, such as a user's networks, and how often that is to be expected of it.

    new    the value is not among the last distinct ones kept, or was not seen for `forget_s`
    judged once the key was known for `learn_s` and in `learn_hours` clock hours
    p      (1 + k) / (1 + k + n): n clock hours with the key, k values that came new once it was judged

A new value is learnt at once: it is told when it comes, not as long as it stays. New values belong to one episode until
none came for `quiet_s`; the first is reported, then whenever their number has grown fourfold. A key without a row for
`forget_s` is as good as never seen. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.kernel_rows import ValueRows
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

_HOUR_US = 3_600_000_000


def columns(values: int) -> Mapping[str, ColumnSpec]:
    """State columns where the last `values` distinct values of a key are kept."""
    return MappingProxyType(
        {
            "last_us": np.int64,
            "first_us": np.int64,  # when the key was first seen
            "hour": np.int64,  # last clock hour counted
            "hours": np.int64,  # n
            "news": np.int64,  # k
            "kept": np.int32,  # values in use
            "value": (np.uint64, values),
            "seen_us": (np.int64, values),
            **EPISODE_COLUMNS,
        }
    )


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    hour: NDArray[np.int64]
    hours: NDArray[np.int64]
    news: NDArray[np.int64]
    kept: NDArray[np.int32]
    value: NDArray[np.uint64]
    seen_us: NDArray[np.int64]


class _Rules(NamedTuple):
    learn_us: int
    learn_hours: int
    quiet_us: int
    forget_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    history: NDArray[np.int64]
    """(n, 4): clock hours, values that came new before, values kept before, new values of the episode."""


@inner_kernel
def _begin(keyed: _Keyed, episode: Episode, slot: int, time_us: int) -> None:
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.hour[slot] = time_us // _HOUR_US
    keyed.hours[slot] = 1
    keyed.news[slot] = 0
    keyed.kept[slot] = 0
    end_episode(episode, slot)


@inner_kernel
def _place_of(keyed: _Keyed, slot: int, value: np.uint64) -> int:
    """The place of `value`, else a free one, else that of the value seen longest ago."""
    oldest = 0
    for place in range(keyed.kept[slot]):
        if keyed.value[slot, place] == value:
            return place
        if keyed.seen_us[slot, place] < keyed.seen_us[slot, oldest]:
            oldest = place
    if keyed.kept[slot] < keyed.value.shape[1]:
        place = int(keyed.kept[slot])
        keyed.value[slot, place] = np.uint64(0)
        keyed.kept[slot] += 1
        return place
    keyed.value[slot, oldest] = np.uint64(0)
    return oldest


@kernel
def _see(index: Index, keyed: _Keyed, episode: Episode, given: ValueRows, rules: _Rules, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            _begin(keyed, episode, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        if now_us // _HOUR_US != keyed.hour[slot]:
            keyed.hour[slot] = now_us // _HOUR_US
            keyed.hours[slot] += 1
        value = given.values[row]
        known_before = keyed.kept[slot]
        place = _place_of(keyed, slot, value)
        old = keyed.value[slot, place] == value and now_us - keyed.seen_us[slot, place] < rules.forget_us
        keyed.value[slot, place] = value
        keyed.seen_us[slot, place] = now_us
        if old or now_us - keyed.first_us[slot] < rules.learn_us or keyed.hours[slot] < rules.learn_hours:
            continue
        if offend(episode, slot, now_us, 1, rules.quiet_us):
            reported(episode, slot)
            out.at[reports] = row
            out.history[reports, 0] = keyed.hours[slot]
            out.history[reports, 1] = keyed.news[slot]
            out.history[reports, 2] = known_before
            out.history[reports, 3] = episode.offended[slot]
            reports += 1
        keyed.news[slot] += 1
    return reports


@dataclass(frozen=True, slots=True)
class FirstTimes:
    """New values that were reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    hours: NDArray[np.int64]
    """Clock hours in which the key was seen, with this one."""
    news: NDArray[np.int64]
    """Values that came new before, once the key was judged."""
    known: NDArray[np.int64]
    """Values kept before."""
    episode: NDArray[np.int64]
    """New values of the episode, with this one."""

    @property
    def p(self) -> NDArray[np.float64]:
        """How often a key with this history shows something new, per clock hour, in (0, 1)."""
        return np.asarray((1 + self.news) / (1 + self.news + self.hours))


def first_times(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: Keys,
    *,
    learn_s: float,
    learn_hours: int,
    quiet_s: float,
    forget_s: float,
) -> FirstTimes:
    """Judge and learn the `values` (n,), none of them 0, of `keys` (n,) in row order.

    `forget_s` must not be shorter than `quiet_s`.
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        hour=state["hour"].view(np.int64),
        hours=state["hours"].view(np.int64),
        news=state["news"].view(np.int64),
        kept=state["kept"].view(np.int32),
        value=state["value"].view(np.uint64),
        seen_us=state["seen_us"].view(np.int64),
    )
    rules = _Rules(int(learn_s * 1e6), int(learn_hours), int(quiet_s * 1e6), int(forget_s * 1e6))
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 4), dtype=np.int64))
    given = ValueRows(keys, times_us, values, times_us)
    found = _see(state.index, keyed, episode_of(state), given, rules, out)
    hours, news, known, episode = out.history[:found].T
    return FirstTimes(out.at[:found], hours, news, known, episode)
