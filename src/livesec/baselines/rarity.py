"""The few values each key usually comes with, such as ports or countries, and how unlikely a new one is.

A value's weight counts the clock hours in which the key came with it, in sixteenths; from one hour on it is usual.
Per row in a new clock hour of its value, scored before it is learnt:

    n  value hours of usual values, r the number of times that a value came which was not kept
    k  earlier hours of this value since it was last away for `quiet_s`
    p  (r + k) / (n + r + k): how often this key comes with a value of which it has not made a habit; r is at least 1

A value that is not usual is strange when p <= `most_p`, for a key known for `learn_s` with n >= `min_hours`. It is
reported at its 1st, 4th, 16th ... hour, and teaches a sixteenth: sixteen hours make it usual. All others teach a
whole hour at once. Of KEPT_VALUES values the lightest makes way, of equally light ones that least recently seen: a
key with more of them meets new ones often, so that its p is large. At FORGET_AT value hours n and r are halved.
All that is kept is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.growth import GROWTH
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_VALUES: Final = 16
USUAL: Final = 16  # weight of a usual value, in sixteenths of an hour
FORGET_AT: Final = 8192
_MOST: Final = 1 << 30  # weights stop here
_HOUR_US: Final = 3_600_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # when the key was first seen
        "hours": np.int64,  # n
        "news": np.int64,  # r
        "kept": np.int32,  # values in use
        "value": (np.uint64, KEPT_VALUES),
        "weight": (np.int32, KEPT_VALUES),
        "hour": (np.int64, KEPT_VALUES),  # last clock hour counted
        "seen_us": (np.int64, KEPT_VALUES),
        "sightings": (np.int32, KEPT_VALUES),  # hours before it was usual, since it was last away
        "report_at": (np.int32, KEPT_VALUES),  # sightings of the next report
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    hours: NDArray[np.int64]
    news: NDArray[np.int64]
    kept: NDArray[np.int32]
    value: NDArray[np.uint64]
    weight: NDArray[np.int32]
    hour: NDArray[np.int64]
    seen_us: NDArray[np.int64]
    sightings: NDArray[np.int32]
    report_at: NDArray[np.int32]


class Rules(NamedTuple):
    """See above."""

    most_p: float
    min_hours: int
    learn_s: float
    quiet_s: float
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the other times."""


class _Shown(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    values: NDArray[np.uint64]


class _RarityOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): n, r, hours of the value with this one."""


@inner_kernel
def _place_of(keyed: _Keyed, slot: int, value: np.uint64) -> int:
    for place in range(keyed.kept[slot]):
        if keyed.value[slot, place] == value:
            return place
    return -1


@inner_kernel
def _room_for(keyed: _Keyed, slot: int, value: np.uint64, time_us: int) -> int:
    place = int(keyed.kept[slot])
    if place < keyed.value.shape[1]:
        keyed.kept[slot] += 1
    else:
        place = 0
        for other in range(1, keyed.value.shape[1]):
            lighter = keyed.weight[slot, other] < keyed.weight[slot, place]
            equal = keyed.weight[slot, other] == keyed.weight[slot, place]
            if lighter or (equal and keyed.seen_us[slot, other] < keyed.seen_us[slot, place]):
                place = other
    keyed.value[slot, place] = value
    keyed.weight[slot, place] = 0
    keyed.hour[slot, place] = np.iinfo(np.int64).min
    keyed.seen_us[slot, place] = time_us
    keyed.sightings[slot, place] = 0
    keyed.report_at[slot, place] = 1
    return place


@inner_kernel
def _learn(keyed: _Keyed, slot: int, place: int, sixteenths: int) -> None:
    keyed.weight[slot, place] = min(_MOST, keyed.weight[slot, place] + sixteenths)
    if keyed.weight[slot, place] >= USUAL:
        keyed.hours[slot] += 1
    if keyed.hours[slot] >= FORGET_AT:
        keyed.hours[slot] //= 2
        keyed.news[slot] //= 2


@kernel
def _meet(index: Index, keyed: _Keyed, given: _Shown, rules: Rules, out: _RarityOut) -> int:
    reports = 0
    learn_us = int(rules.learn_s * 1e6)
    quiet_us = int(rules.quiet_s * 1e6)
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.hours[slot] = 0
            keyed.news[slot] = 0
            keyed.kept[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        place = _place_of(keyed, slot, given.values[row])
        news = keyed.news[slot]
        if place < 0:
            place = _room_for(keyed, slot, given.values[row], now_us)
            keyed.news[slot] += 1
        away_us = now_us - keyed.seen_us[slot, place]
        keyed.seen_us[slot, place] = now_us
        if keyed.hour[slot, place] == now_us // _HOUR_US:
            continue
        keyed.hour[slot, place] = now_us // _HOUR_US
        if keyed.weight[slot, place] >= USUAL:
            _learn(keyed, slot, place, USUAL)
            continue
        if away_us >= quiet_us:
            keyed.sightings[slot, place] = 0
            keyed.report_at[slot, place] = 1
        hours = keyed.hours[slot]
        seen = max(news, 1) + keyed.sightings[slot, place]
        keyed.sightings[slot, place] += 1
        young = hours < rules.min_hours or now_us - keyed.first_us[slot] < learn_us
        if young or seen > rules.most_p * (hours + seen):
            _learn(keyed, slot, place, USUAL)
            continue
        _learn(keyed, slot, place, 1)
        if keyed.sightings[slot, place] >= keyed.report_at[slot, place]:
            keyed.report_at[slot, place] = GROWTH * keyed.sightings[slot, place]
            out.at[reports] = row
            out.numbers[reports, 0] = hours
            out.numbers[reports, 1] = max(news, 1)
            out.numbers[reports, 2] = keyed.sightings[slot, place]
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """Strange values that were reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    hours: NDArray[np.int64]
    """Value hours of usual values before."""
    news: NDArray[np.int64]
    """How many new values came before, at least 1."""
    sightings: NDArray[np.int64]
    """Clock hours with this value, this one included."""

    @property
    def p(self) -> NDArray[np.float64]:
        """How often the key comes with such a value, in (0, 1)."""
        seen = self.news + self.sightings - 1
        return np.asarray(seen / (self.hours + seen))


def meet(
    state: KeyedState, keys: Keys, times_us: NDArray[np.int64], values: NDArray[np.uint64], rules: Rules
) -> Reports:
    """Score and learn `values` (n,), any 64-bit hashes or numbers, of `keys` (n,) in row order."""
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        hours=state["hours"].view(np.int64),
        news=state["news"].view(np.int64),
        kept=state["kept"].view(np.int32),
        value=state["value"].view(np.uint64),
        weight=state["weight"].view(np.int32),
        hour=state["hour"].view(np.int64),
        seen_us=state["seen_us"].view(np.int64),
        sightings=state["sightings"].view(np.int32),
        report_at=state["report_at"].view(np.int32),
    )
    out = _RarityOut(np.empty(n, dtype=np.int64), np.empty((n, 3), dtype=np.int64))
    found = _meet(state.index, keyed, _Shown(keys, times_us, values), rules, out)
    hours, news, sightings = out.numbers[:found].T
    return Reports(out.at[:found], hours, news, sightings)
