r"""Texts in which a backslash is written twice and any other byte may be as `\xNN`, as Zeek writes them, undone."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel
from livesec.core.utf8 import are_well_formed

_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|\\)")
_ASCII: Final = 0x7F
_BACKSLASH, _X = b"\\x"
_NO_DIGIT: Final = 255
_DIGITS = np.full(256, _NO_DIGIT, dtype=np.uint8)
_DIGITS[np.frombuffer(b"0123456789abcdef", dtype=np.uint8)] = np.arange(16)
_DIGITS[np.frombuffer(b"ABCDEF", dtype=np.uint8)] = np.arange(10, 16)


def unescape(written: str) -> str:
    r"""`written` as it was; a byte that is no UTF-8 becomes U+FFFD.

    >>> [unescape(text) for text in (r"\\srv\\a", r"\xc3\xa9", r"\\x41", r"\xff")]
    ['\\srv\\a', 'é', '\\x41', '\ufffd']
    """
    plain = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()) if found[1] else b"\\", written.encode())
    return plain.decode(errors="replace")


@inner_kernel
def has_backslash(data: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether one stands in data[at:end]."""
    found = np.uint8(0)
    for place in range(np.uint64(at), np.uint64(end)):  # to the end and unsigned: many bytes at a time
        found |= np.uint8(data[place] == _BACKSLASH)
    return bool(found)


@inner_kernel
def unescaped(data: NDArray[np.uint8], at: int, end: int, out: NDArray[np.uint8], to: int) -> int:
    """Write data[at:end], which is UTF-8, as it was before it was escaped to out[to:]; where it ends, or -1.

    -1 stands for what is no UTF-8 then; `unescape` reads it.
    """
    start, bits = to, np.uint8(0)
    while at < end:
        byte = data[at]
        if byte == _BACKSLASH and at + 1 < end and data[at + 1] == _BACKSLASH:
            at += 2
        elif byte == _BACKSLASH and at + 3 < end and data[at + 1] == _X:
            high, low = _DIGITS[data[at + 2]], _DIGITS[data[at + 3]]
            if high | low != _NO_DIGIT:  # of two digits at most 15
                byte = np.uint8(high << 4 | low)
                bits |= byte
                at += 4
            else:
                at += 1
        else:
            at += 1
        out[to] = byte
        to += 1
    return to if bits <= _ASCII or are_well_formed(out, start, to) else -1
