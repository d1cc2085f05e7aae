"""How unfamiliar a row is for its key, by what the key had before: network, system, country, client, hour of day.

    P(seen value) = c / (n + r)      P(new value) = r / (n + r)      c of n clock hours with it, r values in all

    place   the finest of network, system, country that is known says how likely the place is, and the next finer one
            how likely something new in it is: -ln P(new network) - ln P(system), say; network alone where that is known
    hour    -ln(24 P(hour)): the two hours beside it count half, and PRIOR_HOURS are spread over the day
    score   max(0, place + client + hour): of Freeman et al., Who Are You? (NDSS 2016), the user's part; what all users
            and attackers do is not asked, so that a key needs no other key's state

A row with something new is suspicious where its score, in the tail of the key's earlier ones (tail_of_scores), has
P <= report_p, for a key with `learn_hours` clock hours. A value is learnt once in a clock hour, as 1, of a suspicious
row as 1/16: it takes sixteen such hours to become known. Unknown values (0) say nothing. Suspicious rows are reported
as episode.py says. All state is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.tail_of_scores import (
    FORGET_AT,
    SCORE_COLUMNS,
    WHOLE,
    Scores,
    forget_scores,
    learn_score,
    score_log_tail,
    scores_of,
)
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

NETWORK, SYSTEM, COUNTRY, CLIENT = range(4)
FEATURES: Final = 4
KEPT_VALUES: Final = 12
PRIOR_HOURS: Final = 6.0  # our choice: a quarter of what outweighs it (20)
_DAY: Final = 24
_HOUR_US: Final = 3_600_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "hour": np.int64,  # last clock hour counted
        "hours": np.int64,  # clock hours with a row
        "value": (np.uint64, FEATURES * KEPT_VALUES),
        "weight": (np.int32, FEATURES * KEPT_VALUES),  # of each value, in sixteenths
        "learnt": (np.int64, FEATURES * KEPT_VALUES),  # last clock hour in which it was
        "kept": (np.int32, FEATURES),  # values in use
        "total": (np.int64, FEATURES),  # n, in sixteenths
        "known": (np.int64, FEATURES),  # r
        "day": (np.int32, _DAY),  # weight of each hour of the day, in sixteenths
        **SCORE_COLUMNS,
        **EPISODE_COLUMNS,
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    hour: NDArray[np.int64]
    hours: NDArray[np.int64]
    value: NDArray[np.uint64]
    weight: NDArray[np.int32]
    learnt: NDArray[np.int64]
    kept: NDArray[np.int32]
    total: NDArray[np.int64]
    known: NDArray[np.int64]
    day: NDArray[np.int32]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    values: Keys
    """(n, 4): network, system, country, client; 0 where unknown."""
    hours: NDArray[np.int64]
    """Hour of the day."""


class _Rules(NamedTuple):
    log_p: float
    learn_hours: int
    quiet_us: int
    forget_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): clock hours, a bit for each new feature, suspicious rows of the episode."""
    scores: NDArray[np.float64]
    """(n, 2): score, ln p."""


@inner_kernel
def _begin(keyed: _Keyed, scores: Scores, episode: Episode, slot: int, time_us: int) -> None:
    keyed.last_us[slot] = time_us
    keyed.hour[slot] = -1
    keyed.hours[slot] = 0
    for feature in range(FEATURES):
        keyed.kept[slot, feature] = 0
        keyed.total[slot, feature] = 0
        keyed.known[slot, feature] = 0
    for hour in range(_DAY):
        keyed.day[slot, hour] = 0
    forget_scores(scores, slot)
    end_episode(episode, slot)


@inner_kernel
def _place_of(keyed: _Keyed, slot: int, feature: int, value: np.uint64) -> int:
    first = feature * KEPT_VALUES
    for place in range(first, first + keyed.kept[slot, feature]):
        if keyed.value[slot, place] == value:
            return place
    return -1


@inner_kernel
def _surprise(keyed: _Keyed, slot: int, feature: int, value: np.uint64) -> tuple[bool, float]:
    """(whether the value is known, -ln P of it, or of any new one)."""
    known = max(1, keyed.known[slot, feature])
    whole = keyed.total[slot, feature] / WHOLE + known
    place = _place_of(keyed, slot, feature, value)
    if place >= 0 and keyed.weight[slot, place] >= WHOLE:
        return True, math.log(whole) - math.log(keyed.weight[slot, place] / WHOLE)
    return False, math.log(whole) - math.log(float(known))


@inner_kernel
def _hour_surprise(keyed: _Keyed, slot: int, hour: int) -> float:
    total = 0.0
    for other in range(_DAY):
        total += keyed.day[slot, other]
    beside = keyed.day[slot, (hour + 1) % _DAY] + keyed.day[slot, (hour - 1) % _DAY]
    smooth = (0.5 * keyed.day[slot, hour] + 0.25 * beside) / WHOLE
    return math.log((total / WHOLE + PRIOR_HOURS) / (_DAY * smooth + PRIOR_HOURS))


@inner_kernel
def _score(keyed: _Keyed, slot: int, given: _Given, row: int) -> tuple[float, int]:
    """(score, a bit for each new feature)."""
    score = _hour_surprise(keyed, slot, given.hours[row])
    news = 0
    new_finer = 0.0
    place_is_known = False
    for feature in range(FEATURES):
        value = given.values[row, feature]
        if value == np.uint64(0):
            continue
        known, surprise = _surprise(keyed, slot, feature, value)
        if not known:
            news |= 1 << feature
        if feature == CLIENT:
            score += surprise
        elif not place_is_known and known:
            place_is_known = True
            score += new_finer + surprise
        elif not place_is_known:
            new_finer = surprise
    if not place_is_known:
        score += new_finer
    return max(0.0, score), news


@inner_kernel
def _room(keyed: _Keyed, slot: int, feature: int, value: np.uint64) -> int:
    """A place for a new value: a free one, else that of the value learnt longest ago."""
    first = feature * KEPT_VALUES
    place = first
    if keyed.kept[slot, feature] < KEPT_VALUES:
        place = first + int(keyed.kept[slot, feature])
        keyed.kept[slot, feature] += 1
    else:
        for other in range(first + 1, first + KEPT_VALUES):
            if keyed.learnt[slot, other] < keyed.learnt[slot, place]:
                place = other
    keyed.value[slot, place] = value
    keyed.weight[slot, place] = 0
    keyed.learnt[slot, place] = -1
    return place


@inner_kernel
def _learn(keyed: _Keyed, slot: int, feature: int, value: np.uint64, hour: int, sixteenths: int) -> bool:
    """Learn a value, once in a clock hour; whether that was now."""
    place = _place_of(keyed, slot, feature, value)
    if place < 0:
        place = _room(keyed, slot, feature, value)
    if keyed.learnt[slot, place] == hour:
        return False
    keyed.learnt[slot, place] = hour
    before = keyed.weight[slot, place]
    keyed.weight[slot, place] += sixteenths
    if before < WHOLE <= keyed.weight[slot, place]:
        keyed.known[slot, feature] += 1
    keyed.total[slot, feature] += sixteenths
    if keyed.total[slot, feature] >= FORGET_AT:
        keyed.total[slot, feature] //= 2
        for other in range(feature * KEPT_VALUES, (feature + 1) * KEPT_VALUES):
            keyed.weight[slot, other] //= 2
    return True


@inner_kernel
def _learn_row(keyed: _Keyed, scores: Scores, slot: int, given: _Given, row: int, score: float, part: int) -> None:
    hour = keyed.last_us[slot] // _HOUR_US
    news = False
    for feature in range(FEATURES):
        if given.values[row, feature] != np.uint64(0):
            news = _learn(keyed, slot, feature, given.values[row, feature], hour, part) or news
    if keyed.hour[slot] != hour:
        keyed.hour[slot] = hour
        keyed.hours[slot] += 1
        keyed.day[slot, given.hours[row]] += part
        if keyed.day[slot, given.hours[row]] >= FORGET_AT // 4:
            for other in range(_DAY):
                keyed.day[slot, other] //= 2
        news = True
    if news:
        learn_score(scores, slot, score, part)


@kernel
def _judge(
    index: Index, keyed: _Keyed, scores: Scores, episode: Episode, given: _Given, rules: _Rules, out: _Out
) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            _begin(keyed, scores, episode, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        score, news = _score(keyed, slot, given, row)
        part = WHOLE
        if keyed.hours[slot] >= rules.learn_hours:
            log_p = score_log_tail(scores, slot, score)
            if news != 0 and log_p <= rules.log_p:
                part = 1
                if offend(episode, slot, now_us, 1, rules.quiet_us):
                    reported(episode, slot)
                    out.at[reports] = row
                    out.numbers[reports, 0] = keyed.hours[slot]
                    out.numbers[reports, 1] = news
                    out.numbers[reports, 2] = episode.offended[slot]
                    out.scores[reports, 0] = score
                    out.scores[reports, 1] = log_p
                    reports += 1
        _learn_row(keyed, scores, slot, given, row, score, part)
    return reports


@dataclass(frozen=True, slots=True)
class Strangers:
    """Suspicious rows that were reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    hours: NDArray[np.int64]
    """Clock hours with the key before."""
    news: NDArray[np.int64]
    """A bit for each feature that is new: 1 << NETWORK and so on."""
    episode: NDArray[np.int64]
    """Suspicious rows of the episode, with this one."""
    score: NDArray[np.float64]
    log_p: NDArray[np.float64]


def strangers(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: Keys,
    hours: NDArray[np.int64],
    *,
    report_p: float,
    learn_hours: int,
    quiet_s: float,
    forget_s: float,
) -> Strangers:
    """Judge and learn the rows of `keys` (n,) in order.

    `values` (n, 4) are network, system, country and client, 0 where unknown; `hours` (n,) the hour of the day. A key
    without a row for `forget_s`, which must not be shorter than `quiet_s`, is as good as never seen.
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        hour=state["hour"].view(np.int64),
        hours=state["hours"].view(np.int64),
        value=state["value"].view(np.uint64),
        weight=state["weight"].view(np.int32),
        learnt=state["learnt"].view(np.int64),
        kept=state["kept"].view(np.int32),
        total=state["total"].view(np.int64),
        known=state["known"].view(np.int64),
        day=state["day"].view(np.int32),
    )
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 3), dtype=np.int64), np.empty((n, 2), dtype=np.float64))
    rules = _Rules(math.log(report_p), int(learn_hours), int(quiet_s * 1e6), int(forget_s * 1e6))
    given = _Given(keys, times_us, np.ascontiguousarray(values), hours)
    found = _judge(state.index, keyed, scores_of(state), episode_of(state), given, rules, out)
    seen, news, episode = out.numbers[:found].T
    score, log_p = out.scores[:found].T
    return Strangers(out.at[:found], seen, news, episode, score, log_p)
