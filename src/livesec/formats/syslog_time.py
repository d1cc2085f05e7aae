"""The two kinds of time in front of syslog lines: `Mar 27 13:06:56` (RFC 3164) and `2026-03-27T13:06:56.5+01:00`.

RFC 3164 writes no year. It follows from the order of the lines: the first one gets the latest year that does not put it
more than a day after the time at which its source was last written; then a month that falls by more than 6 starts the
next year, and one that rises by more than 6 is a late line of the year before.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.formats.iso_time import UNREADABLE, clock_us, day_number, iso_readings, number
from livesec.formats.text_times import utc_of_local

BSD_CHARACTERS = 15
YEAR, MONTH = 0, 1
"""Places in the state: year and month of the last line that was not late; 0 before the first."""

_DAY_US = 86_400_000_000
_HALF_A_YEAR = 6
_MONTHS = np.array([int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_SPACE = ord(" ")


@kernel
def _read_bsd(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    reference_us: int,
    state: NDArray[np.int64],
    out_us: NDArray[np.int64],
) -> None:
    last_name, month = 0, 0
    last_date, date_us = 0, UNREADABLE
    for row in range(len(out_us)):
        start = starts[row]
        if row > 0 and _same(text, start, starts[row - 1]):
            out_us[row] = out_us[row - 1]
            continue
        name = (int(text[start]) << 16) | (int(text[start + 1]) << 8) | int(text[start + 2])
        if name != last_name:
            last_name, month = name, _month_of(name)
        tens = 0 if text[start + 4] == _SPACE else number(text, start + 4, 1)
        day = tens * 10 + number(text, start + 5, 1) if tens >= 0 else -1
        time_us = clock_us(text, start + 7)
        out_us[row] = UNREADABLE
        if month == 0 or time_us < 0 or text[start + 3] != _SPACE or text[start + 6] != _SPACE:
            continue
        year = state[YEAR]
        rise = month - state[MONTH]
        if year == 0:
            year = 1970 + (reference_us + _DAY_US) // (365 * _DAY_US)  # at least the year of the reference
            for _ in range(9):  # leap days and the next 29 February
                days = day_number(year, month, day)
                if days != UNREADABLE and days * _DAY_US + time_us <= reference_us + _DAY_US:
                    break
                year -= 1
        elif rise > _HALF_A_YEAR:
            year -= 1
        elif rise < -_HALF_A_YEAR:
            year += 1
        date = (year * 16 + month) * 128 + day
        if date != last_date:  # dividing takes longest, and most lines are of the day of the line before
            days = day_number(year, month, day)
            last_date, date_us = date, UNREADABLE if days == UNREADABLE else days * _DAY_US
        if date_us == UNREADABLE:
            continue
        out_us[row] = date_us + time_us
        if state[YEAR] == 0 or rise <= _HALF_A_YEAR:
            state[YEAR], state[MONTH] = year, month


@inner_kernel
def _same(text: NDArray[np.uint8], start: int, other: int) -> bool:
    for place in range(BSD_CHARACTERS - 1, -1, -1):  # noqa: SIM110  # the seconds differ most; kernels have no any()
        if text[start + place] != text[other + place]:
            return False
    return True


@inner_kernel
def _month_of(name: int) -> int:
    for place in range(12):
        if _MONTHS[place] == name:
            return place + 1
    return 0


def bsd_us(
    text: NDArray[np.uint8], starts: NDArray[np.int64], state: NDArray[np.int64], reference_us: int, zone: str
) -> NDArray[np.int64]:
    """Times in `zone` of the RFC 3164 stamps (15 bytes) at `starts` of `text`, in us UTC, or UNREADABLE.

    `state` (YEAR, MONTH) is carried on.

    >>> last = np.zeros(2, np.int64)
    >>> text = np.frombuffer(b"Dec 31 23:59:59 Jan  1 00:00:00", np.uint8)
    >>> times = bsd_us(text, np.array([0, 16]), last, 1_767_225_600_000_000, "UTC")
    >>> times.astype("datetime64[us]").tolist()[1], last.tolist()
    (datetime.datetime(2026, 1, 1, 0, 0), [2026, 1])
    """
    local_us = np.empty(len(starts), dtype=np.int64)
    _read_bsd(text, starts, reference_us, state, local_us)
    if zone == "UTC":
        return local_us
    runs = pl.Series(local_us).rle().struct.unnest()
    return np.repeat(_in_utc(runs["value"].to_numpy(), zone), runs["len"].to_numpy())


def _in_utc(local_us: NDArray[np.int64], zone: str) -> NDArray[np.int64]:
    if zone == "UTC":
        return local_us
    readable = local_us != UNREADABLE
    clock = pl.Series(local_us[readable]).cast(pl.Datetime("us"))
    utc_us = local_us.copy()
    utc_us[readable] = utc_of_local(clock, zone).fill_null(UNREADABLE).to_numpy()
    return utc_us


def iso_stamps_us(stamps: pl.Series, zone: str) -> NDArray[np.int64]:
    """Times of RFC 3339 stamps in us UTC, or UNREADABLE; without an offset they are taken as clock readings in `zone`.

    >>> iso_stamps_us(pl.Series(["1970-01-01T01:00:00.000001+01:00", "1970-01-01T00:00:01Z"]), "UTC").tolist()
    [1, 1000000]
    """
    time_us, has_zone = iso_readings(stamps, strict=True)
    if zone != "UTC" and not has_zone.all():
        time_us[~has_zone] = _in_utc(time_us[~has_zone], zone)
    return time_us
