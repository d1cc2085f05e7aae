"""At which hours of the day each key is active, weekdays and weekends apart, and how unusual an hour is.

counts[d, h] holds the clock hours h of day type d (0 weekday, 1 weekend) in which the key was active, halved
every `half_life_days`. Per row that is the first of its key in a clock hour, scored before it is learned:

    c[h] = counts[d, h] + OTHER_DAYS * counts[1 - d, h]        d: the row's day type
    w[h] = sum over k of KERNEL[k] * c[h + k] + prior[h]        around the clock; prior sums to 1
    p    = sum of those w[b] with b no likelier than the row's hour, / sum of w

p is the share of the key's activity that falls into hours at most as usual as this one: small means unusual.
A row is strange when p <= report_p and the key is mature, or at least warm and the hour is one that `suspect`
names; a strange row teaches 1/16, any other 1. Strange hours are reported by their number within an episode
(a day without one ends it): the 1st, 4th, 16th...
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

HOURS: Final = 24
OTHER_DAYS: Final = 0.25  # what a weekday hour says about weekends, and the other way round
KERNEL: Final = (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9)  # two hours either side
SLOW: Final = 1 / 16  # what a strange hour teaches
USUAL_SHARE: Final = 0.9  # of a key's activity, in the span of hours called usual
_TIE: Final = 1 + 1e-9  # equal sums may differ in their last bit, by the order of their terms
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
FRIDAY: Final = 4  # 0 is Monday

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "hour": np.int64,  # last clock hour judged
        "day": np.int64,  # up to which the counts have decayed
        "observed": np.int64,  # clock hours learned in full, undecayed
        "counts": (np.float64, 2 * HOURS),  # weekdays, then weekends
        "strange_us": np.int64,  # last strange hour
        "strange": np.int64,  # strange hours of the episode
        "report_at": np.int64,  # strange hours of the next report
    }
)


class HourState(NamedTuple):
    """The columns above as kernels take them."""

    last_us: NDArray[np.int64]
    hour: NDArray[np.int64]
    day: NDArray[np.int64]
    observed: NDArray[np.int64]
    counts: NDArray[np.float64]
    strange_us: NDArray[np.int64]
    strange: NDArray[np.int64]
    report_at: NDArray[np.int64]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    local_hours: NDArray[np.int64]


class HourLimits(NamedTuple):
    """What `strange_hours` is given, as kernels take it."""

    prior: NDArray[np.float64]
    suspect: NDArray[np.bool_]
    report_p: float
    warm: int
    mature: int
    decay_per_day: float
    idle_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 4): hours observed, strange hours of the episode, first and last hour of the usual span."""
    p: NDArray[np.float64]


@inner_kernel
def _decay(keyed: HourState, slot: int, day: int, per_day: float) -> None:
    if day > keyed.day[slot]:
        factor = per_day ** (day - keyed.day[slot])
        for place in range(keyed.counts.shape[1]):
            keyed.counts[slot, place] *= factor
        keyed.day[slot] = day


@inner_kernel
def _blended(counts: NDArray[np.float64], slot: int, day_type: int, hour: int) -> float:
    hour = (hour + HOURS) % HOURS
    return float(counts[slot, day_type * HOURS + hour] + OTHER_DAYS * counts[slot, (1 - day_type) * HOURS + hour])


@inner_kernel
def _weight(counts: NDArray[np.float64], prior: NDArray[np.float64], slot: int, day_type: int, hour: int) -> float:
    """Smoothed activity of `hour`, the prior included."""
    weight = float(prior[hour])
    for step in range(len(KERNEL)):
        weight += KERNEL[step] * _blended(counts, slot, day_type, hour + step - len(KERNEL) // 2)
    return weight


@inner_kernel
def _p_of(counts: NDArray[np.float64], prior: NDArray[np.float64], slot: int, day_type: int, hour: int) -> float:
    own = _weight(counts, prior, slot, day_type, hour)
    total = 0.0
    tail = 0.0
    for place in range(HOURS):
        weight = _weight(counts, prior, slot, day_type, place)
        total += weight
        if weight <= own * _TIE:
            tail += weight
    return tail / total


@inner_kernel
def begin(keyed: HourState, slot: int, time_us: int) -> None:
    """Make a key as good as never seen."""
    keyed.last_us[slot] = time_us
    keyed.hour[slot] = -1
    keyed.day[slot] = time_us // _DAY_US
    keyed.observed[slot] = 0
    for place in range(keyed.counts.shape[1]):
        keyed.counts[slot, place] = 0.0
    keyed.strange_us[slot] = time_us
    keyed.strange[slot] = 0
    keyed.report_at[slot] = 1


@inner_kernel
def _place_of(local_hour: int) -> tuple[int, int]:
    """(day type, hour) of a local hour since 1970."""
    weekday = (local_hour // HOURS + 3) % 7  # 1970-01-01 was a Thursday
    return 1 if weekday > FRIDAY else 0, local_hour % HOURS


@inner_kernel
def visit(keyed: HourState, slot: int, now_us: int, local_hour: int, limits: HourLimits) -> float:
    """Judge the clock hour of a key's row, where it is the key's first in it, and learn it where it is not strange.

    p where it is strange, and then the caller calls `learn_strange`; 1 otherwise.
    """
    if now_us // _HOUR_US == keyed.hour[slot]:
        return 1.0
    keyed.hour[slot] = now_us // _HOUR_US
    _decay(keyed, slot, now_us // _DAY_US, limits.decay_per_day)
    day_type, hour = _place_of(local_hour)
    p = _p_of(keyed.counts, limits.prior, slot, day_type, hour)
    enough = limits.warm if limits.suspect[hour] else limits.mature
    if p > limits.report_p or keyed.observed[slot] < enough:
        keyed.observed[slot] += 1
        keyed.counts[slot, day_type * HOURS + hour] += 1.0
        return 1.0
    if now_us - keyed.strange_us[slot] >= _DAY_US:
        keyed.strange[slot] = 0
        keyed.report_at[slot] = 1
    keyed.strange_us[slot] = now_us
    keyed.strange[slot] += 1
    return p


@inner_kernel
def learn_strange(keyed: HourState, slot: int, local_hour: int) -> None:
    """Learn a strange hour, slowly."""
    day_type, hour = _place_of(local_hour)
    keyed.counts[slot, day_type * HOURS + hour] += SLOW


@inner_kernel
def is_strange(keyed: HourState, slot: int) -> bool:
    """Whether the clock hour last visited is strange."""
    return bool(keyed.strange[slot] > 0 and keyed.strange_us[slot] // _HOUR_US == keyed.hour[slot])


@inner_kernel
def usual_span(keyed: HourState, slot: int, local_hour: int) -> tuple[int, int]:
    """First and last hour of the shortest span around the clock that holds USUAL_SHARE of such days' activity."""
    day_type, _ = _place_of(local_hour)
    total = 0.0
    for hour in range(HOURS):
        total += _blended(keyed.counts, slot, day_type, hour)
    best_start = 0
    best_length = HOURS
    for start in range(HOURS):
        held = 0.0
        for length in range(1, best_length):
            held += _blended(keyed.counts, slot, day_type, start + length - 1)
            if held >= USUAL_SHARE * total:
                best_start = start
                best_length = length
                break
    return best_start, (best_start + best_length - 1) % HOURS


@kernel
def _judge(index: Index, keyed: HourState, given: _Given, limits: HourLimits, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.idle_us:
            begin(keyed, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        p = visit(keyed, slot, now_us, given.local_hours[row], limits)
        if p == 1.0:
            continue
        if keyed.strange[slot] >= keyed.report_at[slot]:
            keyed.report_at[slot] = GROWTH * keyed.strange[slot]
            first_hour, last_hour = usual_span(keyed, slot, given.local_hours[row])
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.observed[slot]
            out.numbers[reports, 1] = keyed.strange[slot]
            out.numbers[reports, 2] = first_hour
            out.numbers[reports, 3] = last_hour
            out.p[reports] = p
            reports += 1
        learn_strange(keyed, slot, given.local_hours[row])
    return reports


@dataclass(frozen=True, slots=True)
class StrangeHours:
    """What was reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    p: NDArray[np.float64]
    observed: NDArray[np.int64]
    """Clock hours learned before."""
    strange: NDArray[np.int64]
    """Strange hours of the episode, with this one."""
    usual_from: NDArray[np.int64]
    usual_to: NDArray[np.int64]
    """First and last hour, 0-23, of the usual span on such days."""


def hour_prior(suspect: NDArray[np.bool_], ratio: float) -> NDArray[np.float64]:
    """A prior (24,) that sums to 1, in which a suspect hour weighs 1/`ratio` of another.

    >>> hour_prior(np.arange(24) < 12, 3.0)[[0, 23]].round(4).tolist()
    [0.0208, 0.0625]
    """
    weights = np.where(suspect, 1 / ratio, 1.0)
    return np.asarray(weights / weights.sum())


def hour_state(state: KeyedState) -> HourState:
    """The hour columns of a state, valid until its next `reserve`."""
    return HourState(
        last_us=state["last_us"].view(np.int64),
        hour=state["hour"].view(np.int64),
        day=state["day"].view(np.int64),
        observed=state["observed"].view(np.int64),
        counts=state["counts"].view(np.float64),
        strange_us=state["strange_us"].view(np.int64),
        strange=state["strange"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
    )


def hour_limits(
    *,
    suspect: NDArray[np.bool_],
    prior: NDArray[np.float64],
    report_p: float,
    warm: int,
    mature: int,
    half_life_days: float,
    idle_s: float,
) -> HourLimits:
    """The limits of `strange_hours`.

    `suspect` (24,) marks hours to judge from `warm` observations on, all others need `mature`. A key without rows
    for `idle_s` is treated as never seen.
    """
    return HourLimits(
        prior=prior,
        suspect=suspect,
        report_p=float(report_p),
        warm=int(warm),
        mature=int(mature),
        decay_per_day=0.5 ** (1 / half_life_days),
        idle_us=int(idle_s * 1e6),
    )


def strange_hours(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    local_hours: NDArray[np.int64],
    limits: HourLimits,
) -> StrangeHours:
    """Score and learn the rows of `keys` (n,) in order; `local_hours` (n,) counts hours since 1970 in local time."""
    n = len(keys)
    state.reserve(keys)
    keyed = hour_state(state)
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 4), dtype=np.int64), np.empty(n, dtype=np.float64))
    found = _judge(state.index, keyed, _Given(keys, times_us, local_hours), limits, out)
    numbers = out.numbers[:found]
    return StrangeHours(out.at[:found], out.p[:found], numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3])
