"""CSV lines as programs write them, read in one compiled pass: no quotes, whole numbers, 2026-03-02 00:00:01.

A line is plain if each of its fields is; what is plain is read as csv_fields and typed_fields read it, only sooner, and
every other line is left to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel

# How a field is read. A number is 1 to 18 digits, a text 1 to 40 bytes without a colon at its start (an address may be
# IPv4 written as IPv6, which is rewritten elsewhere), a lower-case text ASCII.
TIME: Final = 0
TEXT: Final = 1
LOWER_TEXT: Final = 2
NUMBER: Final = 3

_BAD: Final = -1
_MAX_DIGITS: Final = 18  # any number of so many fits
MAX_NUMBER: Final = 10**_MAX_DIGITS - 1
_MAX_TEXT: Final = 40  # as long as addresses are
_ZERO, _NINE, _COMMA, _NEWLINE, _COLON = (ord(character) for character in "09,\n:")
_ENDS, _NOT_PLAIN = 0, 1
# What becomes of each byte of a text, for either kind of text; nobody needs the control characters 0 and 1.
_COPIES = np.tile(np.arange(256, dtype=np.uint8), (3, 1))
_COPIES[:, [_ENDS, _NOT_PLAIN, ord('"')]] = _NOT_PLAIN
_COPIES[:, [_COMMA, _NEWLINE]] = _ENDS
_COPIES[LOWER_TEXT, ord("A") : ord("Z") + 1] = np.arange(ord("a"), ord("z") + 1)
_COPIES[LOWER_TEXT, 128:] = _NOT_PLAIN
_LAYOUT = np.frombuffer(b"0000-00-00 00:00:00", dtype=np.uint8)  # 0: a digit
_FIRST_YEAR, _END_YEAR = 1970, 2200  # as text_times.possible
_LEAP_DAYS_BEFORE_1970 = 477
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365])
_FEBRUARY, _MONTHS, _LAST_HOUR, _LAST_MINUTE = 2, 12, 23, 59  # a leap second is not plain
_SECOND_US = 1_000_000


@inner_kernel
def _two_digits(text: NDArray[np.uint8], at: int) -> int:
    return (int(text[at]) - _ZERO) * 10 + int(text[at + 1]) - _ZERO


@inner_kernel
def _time_us(text: NDArray[np.uint8], at: int) -> int:
    """Microseconds since 1970 of the clock reading at `at`, or -1."""
    if at + len(_LAYOUT) > len(text):
        return _BAD
    for place in range(len(_LAYOUT)):
        byte, wanted = text[at + place], _LAYOUT[place]
        if (byte < _ZERO or byte > _NINE) if wanted == _ZERO else byte != wanted:
            return _BAD
    year = 100 * _two_digits(text, at) + _two_digits(text, at + 2)
    month, day = _two_digits(text, at + 5), _two_digits(text, at + 8)
    hour, minute, second = _two_digits(text, at + 11), _two_digits(text, at + 14), _two_digits(text, at + 17)
    if year < _FIRST_YEAR or year >= _END_YEAR or month < 1 or month > _MONTHS:
        return _BAD
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LAST_MINUTE:
        return _BAD
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last_day = _DAYS_BEFORE[month] - _DAYS_BEFORE[month - 1] + (1 if is_leap and month == _FEBRUARY else 0)
    if day < 1 or day > last_day:
        return _BAD
    before = year - 1
    leap_days = before // 4 - before // 100 + before // 400 - _LEAP_DAYS_BEFORE_1970
    days = 365 * (year - _FIRST_YEAR) + leap_days + _DAYS_BEFORE[month - 1] + day - 1
    if is_leap and month > _FEBRUARY:
        days += 1
    return int((((days * 24 + hour) * 60 + minute) * 60 + second) * _SECOND_US)


@inner_kernel
def _number(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """(number, end) of the digits at `at`, the number -1 where there are none or too many."""
    number, end = 0, at
    while end < len(text) and text[end] >= _ZERO and text[end] <= _NINE and end - at <= _MAX_DIGITS:
        number = number * 10 + (int(text[end]) - _ZERO)
        end += 1
    return (number if at < end <= at + _MAX_DIGITS else _BAD), end


@inner_kernel
def _next_line(text: NDArray[np.uint8], at: int) -> int:
    while at < len(text) and text[at] != _NEWLINE:
        at += 1
    return at + 1


@inner_kernel
def _copied(text: NDArray[np.uint8], at: int, kind: int, out: NDArray[np.uint8], row: int, to: int) -> int:
    """Where the text at `at`, copied to out[row, to:], ends; -1 where it is not plain."""
    start = at
    if at < len(text) and text[at] == _COLON:
        return _BAD
    while at < len(text) and at <= start + _MAX_TEXT:
        byte = _COPIES[kind, text[at]]
        if byte == _ENDS:
            break
        if byte == _NOT_PLAIN:
            return _BAD
        out[row, to] = byte
        at, to = at + 1, to + 1
    return at if start < at <= start + _MAX_TEXT else _BAD


class _Fields(NamedTuple):
    """The fields of a line in order; all (fields,)."""

    kinds: NDArray[np.uint8]
    largest: NDArray[np.int64]
    rows: NDArray[np.int64]
    """Which row of its array a field is written to."""


class _Out(NamedTuple):
    is_plain: NDArray[np.bool_]
    """(lines,)"""
    numbers: NDArray[np.int64]
    """(number fields, lines)"""
    texts: NDArray[np.uint8]
    """(text fields, bytes), a line break after each text."""
    sizes: NDArray[np.int64]
    """(2, text fields): bytes of `texts` in use, and where the line under way has come to."""


@kernel
def _read(text: NDArray[np.uint8], fields: _Fields, out: _Out) -> int:
    """Mark the plain lines of `text` and read their fields; returns how many there are."""
    at, found, last = 0, 0, len(fields.kinds) - 1
    for line in range(len(out.is_plain)):
        out.is_plain[line] = True
        for field in range(len(fields.kinds)):
            kind, row, end = fields.kinds[field], fields.rows[field], at
            if kind == NUMBER:
                number, end = _number(text, at)
                out.numbers[row, found] = number
                good = number != _BAD and number <= fields.largest[field]
            elif kind == TIME:
                time_us = _time_us(text, at)
                out.numbers[row, found] = time_us
                good = time_us != _BAD
                end += len(_LAYOUT)
            else:
                end = _copied(text, at, kind, out.texts, row, out.sizes[0, row])
                good = end != _BAD
                out.sizes[1, row] = out.sizes[0, row] + end - at
            if good and field == last:
                good = end >= len(text) or text[end] == _NEWLINE
            elif good:
                good = end < len(text) and text[end] == _COMMA
            if not good:
                out.is_plain[line] = False
                break
            at = end + 1
        if not out.is_plain[line]:
            at = _next_line(text, at)
            continue
        for row in range(len(out.texts)):
            out.texts[row, out.sizes[1, row]] = _NEWLINE
            out.sizes[0, row] = out.sizes[1, row] + 1
        found += 1
    return found


class Plain(NamedTuple):
    """How a field of a plain line is read."""

    kind: int
    largest: int = MAX_NUMBER
    """Of a number: a larger one is not plain."""


class PlainLines(NamedTuple):
    """The plain ones of n lines."""

    is_plain: NDArray[np.bool_]
    """Shape (n,)."""
    fields: list[pl.Series]
    """Their fields in order: Int64 for numbers and for times (us of the clock's reading since 1970), else String."""


def read_plain(lines: pl.Series, fields: Sequence[Plain]) -> PlainLines:
    """Read `lines` (String, without line breaks, at least one) of as many fields as `fields`.

    >>> lines = pl.Series(["192.0.2.1,80", '"192.0.2.1",80', "192.0.2.1,http"])
    >>> found = read_plain(lines, [Plain(TEXT), Plain(NUMBER)])
    >>> found.is_plain.tolist(), [values.to_list() for values in found.fields]
    ([True, False, False], [['192.0.2.1'], [80]])
    """
    text = np.frombuffer(lines.str.join("\n").item().encode(), dtype=np.uint8)
    kinds = np.array([field.kind for field in fields], dtype=np.uint8)
    is_text = (kinds == TEXT) | (kinds == LOWER_TEXT)
    rows = np.where(is_text, np.cumsum(is_text), np.cumsum(~is_text)) - 1
    room = min(len(text), _MAX_TEXT * len(lines)) + len(lines) + 1
    out = _Out(
        is_plain=np.empty(len(lines), dtype=np.bool_),
        numbers=np.empty((int((~is_text).sum()), len(lines)), dtype=np.int64),
        texts=np.empty((int(is_text.sum()), room), dtype=np.uint8),
        sizes=np.zeros((2, int(is_text.sum())), dtype=np.int64),
    )
    largest = np.array([field.largest for field in fields], dtype=np.int64)
    found = int(_read(text, _Fields(kinds, largest, rows), out))
    columns = [
        _split(out.texts[row, : out.sizes[0, row]], found) if made_of_text else pl.Series(out.numbers[row, :found])
        for made_of_text, row in zip(is_text.tolist(), rows.tolist(), strict=True)
    ]
    return PlainLines(out.is_plain, columns)


def _split(text: NDArray[np.uint8], count: int) -> pl.Series:
    return pl.Series([text.tobytes().decode()]).str.split("\n").explode().head(count)
