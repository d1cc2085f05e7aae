"""The parts of JSON's grammar (RFC 8259) that are no containers, for kernels: texts, numbers, words."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel

BAD: Final = -1
_QUOTE, _BACKSLASH, _SPACE, _MINUS, _PLUS, _POINT, _ZERO, _NINE, _U, _SMALL = (ord(sign) for sign in '"\\ -+.09ue')
_E_BIT: Final = 0x20  # between E and e
_WORDS: Final = np.frombuffer(b"true\0false\0null\0", dtype=np.uint8)
_SPECIAL: Final = np.zeros(256, dtype=np.bool_)
_SPECIAL[[_QUOTE, _BACKSLASH, *range(_SPACE)]] = True  # no control character stands in a text as it is
# What stands behind a backslash, and what it means; 0: nothing that JSON knows.
_MEANT: Final = np.zeros(256, dtype=np.uint8)
for _sign, _meaning in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    _MEANT[_sign] = _meaning
_HEX: Final = np.full(256, -1, dtype=np.int64)
for _value, _digits in enumerate((b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9")):
    _HEX[_digits[0]] = _value
for _value, _digits in enumerate((b"aA", b"bB", b"cC", b"dD", b"eE", b"fF"), 10):
    _HEX[list(_digits)] = _value
_HEX_DIGITS: Final = 4
_HIGH, _LOW, _BEYOND = 0xD800, 0xDC00, 0xE000
_REPLACEMENT: Final = 0xFFFD


@inner_kernel
def string_end(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """(place of the quote that ends the text which begins at `at`, whether it has escapes); place -1: it never ends."""
    is_escaped = False
    place, stop = np.uint64(at), np.uint64(end)  # unsigned: numba then does not ask at each byte for indices below 0
    while place < stop:
        byte = data[place]
        if not _SPECIAL[byte]:
            place += np.uint64(1)
        elif byte == _QUOTE:
            return np.int64(place), is_escaped  # type: ignore[return-value]  # an int to numba, where int() is not
        elif byte == _BACKSLASH:
            is_escaped = True
            place += np.uint64(2)
        else:
            return BAD, is_escaped
    return BAD, is_escaped


@inner_kernel
def _digits_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    while at < end and data[at] >= _ZERO and data[at] <= _NINE:
        at += 1
    return at


@inner_kernel
def number_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Where the number at `at` ends, -1 where it is none."""
    if data[at] == _MINUS:
        at += 1
    whole = _digits_end(data, at, end)
    if whole == at or (data[at] == _ZERO and whole > at + 1):
        return BAD
    at = whole
    if at < end and data[at] == _POINT:
        behind = _digits_end(data, at + 1, end)
        if behind == at + 1:
            return BAD
        at = behind
    if at < end and data[at] | _E_BIT == _SMALL:
        at += 1
        if at < end and (data[at] == _PLUS or data[at] == _MINUS):
            at += 1
        power = _digits_end(data, at, end)
        if power == at:
            return BAD
        at = power
    return at


@inner_kernel
def word_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Where `true`, `false` or `null` at `at` ends, -1 where it is none of them."""
    word = 0
    while word < len(_WORDS):
        place = 0
        while _WORDS[word + place] and at + place < end and data[at + place] == _WORDS[word + place]:
            place += 1
        if _WORDS[word + place] == 0:
            return at + place
        while _WORDS[word]:
            word += 1
        word += 1
    return BAD


@inner_kernel
def _code_unit(data: NDArray[np.uint8], at: int, end: int) -> int:
    """The number of the four hexadecimal digits at `at`, or -1."""
    if at + _HEX_DIGITS > end:
        return BAD
    value = 0
    for place in range(_HEX_DIGITS):
        digit = _HEX[data[at + place]]
        if digit < 0:
            return BAD
        value = value * 16 + digit
    return int(value)


@inner_kernel
def _put_utf8(point: int, out: NDArray[np.uint8], to: int) -> int:
    """Write a code point; where it ends."""
    if point < 0x80:  # noqa: PLR2004  # UTF-8's own bounds and marks, here and below
        out[to] = point
        return to + 1
    if point < 0x800:  # noqa: PLR2004
        out[to] = 0xC0 | (point >> 6)
    else:
        if point < 0x10000:  # noqa: PLR2004
            out[to] = 0xE0 | (point >> 12)
        else:
            out[to] = 0xF0 | (point >> 18)
            to += 1
            out[to] = 0x80 | ((point >> 12) & 0x3F)
        to += 1
        out[to] = 0x80 | ((point >> 6) & 0x3F)
    out[to + 1] = 0x80 | (point & 0x3F)
    return to + 2


@inner_kernel
def unescaped(data: NDArray[np.uint8], at: int, end: int, out: NDArray[np.uint8], to: int) -> int:
    """Write data[at:end] without its escapes to out[to:], which never takes more room; its end there, -1 where bad.

    Half of a surrogate pair, which is no character, becomes U+FFFD.
    """
    while at < end:
        byte = data[at]
        if byte != _BACKSLASH:
            out[to] = byte
            at, to = at + 1, to + 1
            continue
        if at + 1 >= end:
            return BAD
        sign = data[at + 1]
        if sign != _U:
            if _MEANT[sign] == 0:
                return BAD
            out[to] = _MEANT[sign]
            at, to = at + 2, to + 1
            continue
        point = _code_unit(data, at + 2, end)
        if point < 0:
            return BAD
        at += 2 + _HEX_DIGITS
        if point >= _HIGH and point < _BEYOND:
            low = BAD
            if point < _LOW and at + 1 < end and data[at] == _BACKSLASH and data[at + 1] == _U:
                low = _code_unit(data, at + 2, end)
            if low >= _LOW and low < _BEYOND:
                point = 0x10000 + ((point - _HIGH) << 10) + (low - _LOW)
                at += 2 + _HEX_DIGITS
            else:
                point = _REPLACEMENT
        to = _put_utf8(point, out, to)
    return to
