"""Hours on the clock of a place, for detectors that judge when something happened."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines.hour_profile import FRIDAY, HOURS

_HOUR_US = 3_600_000_000
_FIRST_US, _LAST_US = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999, as calendars go


def local_hours(times_us: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    """Hours since 1970 on the clock of `zone` (IANA name), shape (n,).

    >>> (local_hours(np.array([0, 1_800_000_000]), "Asia/Kolkata") % 24).tolist()    # 05:30 and 06:00
    [5, 6]
    """
    if zone != "UTC":
        calendar = pl.Series(np.clip(times_us, _FIRST_US, _LAST_US)).cast(pl.Datetime("us", "UTC"))
        local = calendar.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        times_us = local.cast(pl.Int64).to_numpy()
    return np.asarray(times_us // _HOUR_US)


def hours_within(start_hour: int, end_hour: int) -> NDArray[np.bool_]:
    """The hours of the day from `start_hour` up to `end_hour`, round midnight where that is smaller, shape (24,).

    >>> np.flatnonzero(hours_within(22, 3)).tolist()
    [0, 1, 2, 22, 23]
    """
    hours = np.arange(HOURS)
    if start_hour <= end_hour:
        return (hours >= start_hour) & (hours < end_hour)
    return (hours >= start_hour) | (hours < end_hour)


def day_types(hours: NDArray[np.int64]) -> list[str]:
    """Whether hours since 1970 lie on a "weekday" or a "weekend".

    >>> day_types(np.array([0, 48]))    # Thursday 1970-01-01 and the Saturday after
    ['weekday', 'weekend']
    """
    return ["weekend" if (hour // HOURS + 3) % 7 > FRIDAY else "weekday" for hour in hours.tolist()]
