"""Which lines are not UTF-8, found in one compiled pass, and what stands for them: U+FFFD for each ill-formed part.

An attacker chooses the bytes of user and file names: a few bad lines must not make all others slow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel

_ASCII = 0x7F
_LINE_BREAK = 0x0A
_CONTINUED = (0x80, 0xBF)

# By a character's first byte: how many follow, and what the first of these may be (Unicode, table 3-7: no longer form
# than is needed, no surrogates, nothing above U+10FFFF).
_MORE = np.zeros(256, dtype=np.int64)
_MORE[0xC2:0xE0], _MORE[0xE0:0xF0], _MORE[0xF0:0xF5] = 1, 2, 3
_LOW, _HIGH = np.full((2, 256), np.array(_CONTINUED, dtype=np.uint8)[:, None])
_LOW[0xE0], _HIGH[0xED], _LOW[0xF0], _HIGH[0xF4] = 0xA0, 0x9F, 0x90, 0x8F


@inner_kernel
def _are_well_formed(data: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether data[at:end] is UTF-8."""
    while at < end:
        first = data[at]
        at += 1
        if first <= _ASCII:
            continue
        stop = at + _MORE[first]
        if at == stop or stop > end or data[at] < _LOW[first] or data[at] > _HIGH[first]:
            return False
        for place in range(at + 1, stop):
            if data[place] < _CONTINUED[0] or data[place] > _CONTINUED[1]:
                return False
        at = stop
    return True


@kernel
def _mark_ill_formed(
    data: NDArray[np.uint8], starts: NDArray[np.int64], sizes: NDArray[np.int64], out: NDArray[np.bool_]
) -> None:
    for row in range(len(starts)):
        start, end = starts[row], starts[row] + sizes[row]
        bits = np.uint8(0)
        for place in range(start, end):  # most lines: many bytes at a time
            bits |= data[place]
        out[row] = bits > _ASCII and not _are_well_formed(data, start, end)


class Repaired(NamedTuple):
    """Lines that are not UTF-8, and texts in their stead."""

    rows: NDArray[np.int64]
    """Their numbers, ascending; shape (k,)."""
    data: bytes
    """The texts' UTF-8; text i is data[starts[i] : starts[i] + sizes[i]]."""
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]


def repaired(data: bytes, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> Repaired:
    r"""Those of the lines data[starts[i] : starts[i] + sizes[i]], none with a line break inside, that are not UTF-8.

    >>> found = repaired(b"good\nb\xffd\n", np.array([0, 5]), np.array([4, 3]))
    >>> found.rows.tolist(), found.data.decode()
    ([1], 'b\ufffdd')
    """
    bad = np.empty(len(starts), dtype=np.bool_)
    _mark_ill_formed(np.frombuffer(data, dtype=np.uint8), starts, sizes, bad)
    rows = np.flatnonzero(bad)
    ends = (starts[rows] + sizes[rows]).tolist()
    lines = b"\n".join(data[start:end] for start, end in zip(starts[rows].tolist(), ends, strict=True))
    text = lines.decode("utf-8", errors="replace").encode()
    breaks = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _LINE_BREAK)
    first = np.zeros(len(rows), dtype=np.int64)
    first[1:] = breaks + 1
    last = np.full(len(rows), len(text), dtype=np.int64)
    last[:-1] = breaks
    return Repaired(rows, text, first, last - first)
