"""Where the brackets of JSON are, outside of its texts, in many lines at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Brackets(NamedTuple):
    """Brackets outside of texts, and per line where it starts and ends and which brackets are its own."""

    places: NDArray[np.int64]
    opens: NDArray[np.bool_]
    depths: NDArray[np.int64]
    """After each bracket, counted from the first line's start."""
    starts: list[int]
    ends: list[int]
    bounds: list[int]
    net: NDArray[np.int64]
    low: NDArray[np.int64]
    """The lowest depth in a line, against that at its start; 0 or below."""
    odd: NDArray[np.bool_]
    """Whether a text is left open."""


def brackets_of(data: bytes, height: int) -> Brackets:
    r"""The brackets in `data`: `height` lines with a line break between each.

    >>> found = brackets_of(b'{"a[": [1\n]}, {"', 2)
    >>> found.places.tolist(), found.net.tolist(), found.low.tolist(), found.odd.tolist()
    ([0, 7, 10, 11, 14], [2, -1], [0, -2], [False, True])
    """
    plain = data.replace(b"\\\\", b"__").replace(b'\\"', b"__")  # no quote that is left is escaped
    text = np.frombuffer(plain, dtype=np.uint8)
    breaks = np.flatnonzero(text == ord("\n"))
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(text))
    low_bit = text | 0x20  # [ and {, ] and } differ in this bit only
    marks = np.flatnonzero((low_bit == ord("{")) | (low_bit == ord("}")) | (text == ord('"')))
    is_quote = text[marks] == ord('"')
    quotes_before = np.cumsum(is_quote)
    line = np.searchsorted(breaks, marks)
    quote_counts = np.bincount(line[is_quote], minlength=height)
    earlier = np.append(0, np.cumsum(quote_counts))[line]  # quotes of earlier lines: a text ends with its line
    structural = ~is_quote & ((quotes_before - earlier) % 2 == 0)
    places, line = marks[structural].astype(np.int64), line[structural]
    opens = low_bit[places] == ord("{")
    depths = np.cumsum(np.where(opens, 1, -1)).astype(np.int64)
    bounds = np.searchsorted(line, np.arange(height + 1))
    base = np.append(0, depths)[bounds]
    low = np.zeros(height, dtype=np.int64)
    if len(places):
        np.minimum.at(low, line, depths - base[line])
    return Brackets(
        places,
        opens,
        depths,
        starts.tolist(),
        ends.tolist(),
        bounds.tolist(),
        np.diff(base),
        low,
        quote_counts % 2 == 1,
    )
