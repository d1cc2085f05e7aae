"""When things happen: the shape of a working day, of a day of the internet, and of the month."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np

from livesec.simulate.randomness import FloatArray, IntArray

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)

_EPOCH: Final = date(1970, 1, 1)

# Shares of a working day's activity in sixteen equal parts: a busy morning, a lunch dip, a slow end.
WORKDAY: Final[FloatArray] = np.array([8, 9, 9, 8, 8, 7, 5, 3, 4, 7, 8, 8, 7, 5, 3, 1], dtype=np.float64)
# Shares of an audience's day by its local hour, midnight first.
AUDIENCE: Final[FloatArray] = np.array(
    [3, 2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 9, 9, 9, 8, 8, 8, 9, 10, 9, 7, 5], dtype=np.float64
)


def positions(profile: FloatArray, size: int, random: np.random.Generator) -> FloatArray:
    """`size` points in [0, 1) with the density that `profile` gives in equal steps."""
    edges = np.linspace(0.0, 1.0, len(profile) + 1)
    cumulative = np.concatenate([[0.0], np.cumsum(profile) / profile.sum()])
    return np.interp(random.random(size), cumulative, edges)


def weekday_of(day: int) -> int:
    """0 for Monday of a day counted since 1970-01-01.

    >>> weekday_of(0)
    3
    """
    return (day + 3) % 7


def is_weekend(day: int) -> bool:
    """Saturday or Sunday."""
    return weekday_of(day) >= SATURDAY


def is_month_end(day: int) -> bool:
    """One of the last two days of a month or the first of the next, when the books are closed.

    >>> [is_month_end(day) for day in (28, 29, 30, 31, 32)]
    [False, True, True, True, False]
    """
    today = _EPOCH + timedelta(days=day)
    return today.day == 1 or (today + timedelta(days=2)).month != today.month


def flat_times(day: int, size: int, random: np.random.Generator) -> IntArray:
    """`size` moments (us since 1970) anywhere in the UTC day."""
    return day * DAY_US + random.integers(DAY_US, size=size)


def audience_times(day: int, utc_offset_h: float, size: int, random: np.random.Generator) -> IntArray:
    """`size` moments of the UTC day, as dense as people at that offset are awake."""
    profile = np.roll(AUDIENCE, -round(utc_offset_h))
    return day * DAY_US + (positions(profile, size, random) * DAY_US).astype(np.int64)


def periodic_times(day: int, period_s: float, jitter_s: float, phase_s: float, random: np.random.Generator) -> IntArray:
    """The moments of the UTC day at every period, each shifted by up to the jitter either way."""
    grid = np.arange(phase_s % period_s, DAY_US / SECOND_US, period_s)
    shifted = grid + random.uniform(-jitter_s, jitter_s, size=len(grid))
    return day * DAY_US + (shifted * SECOND_US).astype(np.int64)
