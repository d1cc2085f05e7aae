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
from livesec.formats.text_times import utc_of_local

UNREADABLE = np.iinfo(np.int64).min
"""Stands for a time that no calendar has."""

BSD_CHARACTERS = 15
YEAR, MONTH = 0, 1
"""Places in the state: year and month of the last line that was not late; 0 before the first."""

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_HALF_A_YEAR = 6
_MONTHS = np.array([int.from_bytes(name, "big") for name in b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()])
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_MINUTE_DIGITS, _FRACTION_DIGITS = 4, 6
_Z, _LOWER_Z, _PLUS, _MINUS, _COLON, _DOT, _T, _SPACE = (ord(character) for character in "Zz+-:.T ")


@inner_kernel
def _number(text: NDArray[np.uint8], start: int, width: int) -> int:
    """The number in `width` digits at `start`; -1 where one is no digit."""
    value = 0
    for place in range(start, start + width):
        digit = int(text[place]) - 48
        if digit < 0 or digit > 9:  # noqa: PLR2004  # decimal digits
            return -1
        value = value * 10 + digit
    return value


@inner_kernel
def _day_number(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date from 1970 on; UNREADABLE where there is no such date."""
    leap = 1 if (year % 4 == 0 and year % 100 != 0) or year % 400 == 0 else 0
    if year < 1970 or month < 1 or month > 12 or day < 1:  # noqa: PLR2004
        return UNREADABLE
    if day > _DAYS[month - 1] + (leap if month == 2 else 0):  # noqa: PLR2004
        return UNREADABLE
    before = year - 1
    days = 365 * (year - 1970) + (before // 4 - 492) - (before // 100 - 19) + (before // 400 - 4)
    for earlier in range(month - 1):
        days += _DAYS[earlier]
    return days + day - 1 + (leap if month > 2 else 0)  # noqa: PLR2004


@inner_kernel
def _clock_us(text: NDArray[np.uint8], start: int) -> int:
    """Microseconds into the day of `hh:mm:ss` at `start`; -1 where it is none."""
    hour, minute, second = _number(text, start, 2), _number(text, start + 3, 2), _number(text, start + 6, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:  # noqa: PLR2004
        return -1
    if text[start + 2] != _COLON or text[start + 5] != _COLON:
        return -1
    return ((hour * 60 + minute) * 60 + second) * _SECOND_US


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
        tens = 0 if text[start + 4] == _SPACE else _number(text, start + 4, 1)
        day = tens * 10 + _number(text, start + 5, 1) if tens >= 0 else -1
        time_us = _clock_us(text, start + 7)
        out_us[row] = UNREADABLE
        if month == 0 or time_us < 0 or text[start + 3] != _SPACE or text[start + 6] != _SPACE:
            continue
        year = state[YEAR]
        rise = month - state[MONTH]
        if year == 0:
            year = 1970 + (reference_us + _DAY_US) // (365 * _DAY_US)  # at least the year of the reference
            for _ in range(9):  # leap days and the next 29 February
                days = _day_number(year, month, day)
                if days != UNREADABLE and days * _DAY_US + time_us <= reference_us + _DAY_US:
                    break
                year -= 1
        elif rise > _HALF_A_YEAR:
            year -= 1
        elif rise < -_HALF_A_YEAR:
            year += 1
        date = (year * 16 + month) * 128 + day
        if date != last_date:  # dividing takes longest, and most lines are of the day of the line before
            days = _day_number(year, month, day)
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


@kernel
def _read_iso(
    text: NDArray[np.uint8], sizes: NDArray[np.uint32], out_us: NDArray[np.int64], has_zone: NDArray[np.bool_]
) -> None:
    start = 0
    for row in range(len(sizes)):
        end = start + int(sizes[row])
        out_us[row] = UNREADABLE
        has_zone[row] = False
        at = start
        start = end
        if end - at < 19:  # noqa: PLR2004  # 2026-03-02T00:00:01
            continue
        days = _day_number(_number(text, at, 4), _number(text, at + 5, 2), _number(text, at + 8, 2))
        time_us = _clock_us(text, at + 11)
        if days == UNREADABLE or time_us < 0:
            continue
        if text[at + 4] != _MINUS or text[at + 7] != _MINUS or text[at + 10] != _T:
            continue
        at += 19
        if at < end and text[at] == _DOT:
            at += 1
            unit_us = _SECOND_US // 10
            first = at
            while at < end and text[at] >= 48 and text[at] <= 57:  # noqa: PLR2004  # decimal digits
                time_us += (int(text[at]) - 48) * unit_us
                unit_us //= 10
                at += 1
            if at == first:
                continue
        if at + 1 == end and (text[at] == _Z or text[at] == _LOWER_Z):
            has_zone[row] = True
        elif at < end and (text[at] == _PLUS or text[at] == _MINUS) and (end - at == 5 or end - at == 6):  # noqa: PLR2004
            hours, minutes = _number(text, at + 1, 2), _number(text, end - 2, 2)
            if hours < 0 or minutes < 0 or (end - at == 6 and text[at + 3] != _COLON):  # noqa: PLR2004
                continue
            offset_us = (hours * 60 + minutes) * 60 * _SECOND_US
            time_us += offset_us if text[at] == _MINUS else -offset_us
            has_zone[row] = True
        elif at != end:
            continue
        out_us[row] = days * _DAY_US + time_us


def iso_stamps_us(stamps: pl.Series, zone: str) -> NDArray[np.int64]:
    """Times of RFC 3339 stamps in us UTC, or UNREADABLE; without an offset they are taken as clock readings in `zone`.

    >>> iso_stamps_us(pl.Series(["1970-01-01T01:00:00.000001+01:00", "1970-01-01T00:00:01Z"]), "UTC").tolist()
    [1, 1000000]
    """
    text = np.frombuffer(stamps.str.join("").item().encode(), dtype=np.uint8)
    time_us = np.empty(len(stamps), dtype=np.int64)
    has_zone = np.empty(len(stamps), dtype=np.bool_)
    _read_iso(text, stamps.str.len_bytes().to_numpy(), time_us, has_zone)
    if zone != "UTC" and not has_zone.all():
        time_us[~has_zone] = _in_utc(time_us[~has_zone], zone)
    return time_us
