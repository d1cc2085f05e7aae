"""Times as ISO 8601 and RFC 3339 write them, read in one compiled pass: `2026-03-27T13:06:56.5+01:00`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text

UNREADABLE = np.iinfo(np.int64).min
"""Stands for a time that no calendar has."""

_SECOND_US = 1_000_000
_DAY_US = 86_400 * _SECOND_US
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_Z, _LOWER_Z, _PLUS, _MINUS, _COLON, _DOT, _COMMA, _T, _LOWER_T, _SPACE = (ord(sign) for sign in "Zz+-:.,Tt ")


@inner_kernel
def number(text: NDArray[np.uint8], start: int, width: int) -> int:
    """The number in `width` digits at `start`; -1 where one is no digit."""
    value = 0
    for place in range(start, start + width):
        digit = int(text[place]) - 48
        if digit < 0 or digit > 9:  # noqa: PLR2004  # decimal digits
            return -1
        value = value * 10 + digit
    return value


@inner_kernel
def day_number(year: int, month: int, day: int) -> int:
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
def clock_us(text: NDArray[np.uint8], start: int) -> int:
    """Microseconds into the day of `hh:mm:ss` at `start`; -1 where it is none."""
    hour, minute, second = number(text, start, 2), number(text, start + 3, 2), number(text, start + 6, 2)
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:  # noqa: PLR2004
        return -1
    if text[start + 2] != _COLON or text[start + 5] != _COLON:
        return -1
    return ((hour * 60 + minute) * 60 + second) * _SECOND_US


class _Written(NamedTuple):
    """How times are written; bytes each."""

    dash: int
    """In dates."""
    gaps: tuple[int, int, int]
    """Between date and time: one of these."""
    comma: int
    """What may stand before the fraction instead of a point."""
    with_zone: bool
    """Whether a zone may follow."""


_STRICT = _Written(_MINUS, (_T, _T, _T), _DOT, with_zone=True)
_LOOSE = _Written(_MINUS, (_T, _LOWER_T, _SPACE), _COMMA, with_zone=True)


@inner_kernel
def _offset_us(text: NDArray[np.uint8], at: int, end: int) -> int:
    """What the zone text[at:end] is ahead of UTC; UNREADABLE where it is none."""
    if at + 1 == end and (text[at] == _Z or text[at] == _LOWER_Z):
        return 0
    if (text[at] != _PLUS and text[at] != _MINUS) or end - at < 5 or end - at > 6:  # noqa: PLR2004  # +0100, +01:00
        return UNREADABLE
    hours, minutes = number(text, at + 1, 2), number(text, end - 2, 2)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59 or (end - at == 6 and text[at + 3] != _COLON):  # noqa: PLR2004
        return UNREADABLE
    offset_us = (hours * 60 + minutes) * 60 * _SECOND_US
    return -offset_us if text[at] == _MINUS else offset_us


@kernel
def _read_iso(
    text: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    written: _Written,
    out_us: NDArray[np.int64],
    has_zone: NDArray[np.bool_],
) -> None:
    for row in range(len(out_us)):
        at, end = bounds[row], bounds[row + 1]
        out_us[row] = UNREADABLE
        has_zone[row] = False
        if end - at < 19:  # noqa: PLR2004  # 2026-03-02T00:00:01
            continue
        days = day_number(number(text, at, 4), number(text, at + 5, 2), number(text, at + 8, 2))
        time_us = clock_us(text, at + 11)
        if days == UNREADABLE or time_us < 0:
            continue
        if text[at + 4] != written.dash or text[at + 7] != written.dash or text[at + 10] not in written.gaps:
            continue
        at += 19
        if at < end and (text[at] == _DOT or text[at] == written.comma):
            at += 1
            unit_us = _SECOND_US // 10
            first = at
            while at < end and text[at] >= 48 and text[at] <= 57:  # noqa: PLR2004  # decimal digits
                time_us += (int(text[at]) - 48) * unit_us
                unit_us //= 10
                at += 1
            if at == first:
                continue
        if at < end and not written.with_zone:
            continue
        offset_us = _offset_us(text, at, end) if at < end else 0
        if offset_us != UNREADABLE:
            has_zone[row] = at < end
            out_us[row] = days * _DAY_US + time_us - offset_us


class Readings(NamedTuple):
    """What was read of n texts."""

    time_us: NDArray[np.int64]
    """Us since 1970 UTC, or of the clock where the text names no zone; UNREADABLE where it is no time. Shape (n,)."""
    has_zone: NDArray[np.bool_]


def iso_readings(texts: pl.Series, *, strict: bool = False) -> Readings:
    """Read `texts` (String); null is unreadable. `strict`: as RFC 3339 says, else also a blank or t for T, a comma.

    >>> found = iso_readings(pl.Series(["1970-01-01 00:00:01,5", "1970-01-01T01:00:01+01:00", None]))
    >>> found.time_us.tolist()[:2], found.has_zone.tolist()
    ([1500000, 1000000], [False, True, False])
    """
    return _readings(texts, _STRICT if strict else _LOOSE)


def clock_readings(texts: pl.Series, dash: str) -> NDArray[np.int64]:
    """Us since 1970 of the clock in `texts` (String): `2026-03-02 00:00:01.5` with `dash`, a fraction or none, no zone.

    UNREADABLE where it is no such time. Shape (n,).

    >>> clock_readings(pl.Series(["1970/01/01 00:00:01.5", "1970/01/01 00:00:01"]), "/").tolist()
    [1500000, 1000000]
    """
    return _readings(texts, _Written(ord(dash), (_SPACE, _SPACE, _SPACE), _DOT, with_zone=False)).time_us


def _readings(texts: pl.Series, written: _Written) -> Readings:
    data, bounds = arrow_text(texts)
    found = Readings(np.empty(len(texts), dtype=np.int64), np.empty(len(texts), dtype=np.bool_))
    _read_iso(data, bounds, written, found.time_us, found.has_zone)
    return found
