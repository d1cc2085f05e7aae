"""Texts as places in one buffer: kernels find the parts by place, and only the parts that are wanted become columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text, set_view, texts_at

SPACE = ord(" ")
_ZERO, _NINE = b"09"
_MAX_DIGITS = 18  # what an Int64 holds in any case


class Joined(NamedTuple):
    """Texts back to back: text i is `data[bounds[i] : bounds[i + 1]]`; a null one is empty."""

    data: NDArray[np.uint8]
    bounds: NDArray[np.int64]
    """Shape (texts + 1,)."""


def joined(texts: pl.Series) -> Joined:
    """The UTF-8 bytes of `texts` (String)."""
    return Joined(*arrow_text(texts))


def parts(texts: pl.Series, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pl.Series:
    """`text[start:end]` of each text, counted in bytes from its own start; null where start is below 0.

    Both places must lie on whole characters: the kernels stop at ASCII characters only.

    >>> parts(pl.Series(["abc", "def"]), np.array([1, -1]), np.array([3, 0])).to_list()
    ['bc', None]
    """
    whole = joined(texts)
    return parts_of(whole.data, whole.bounds[:-1], starts, ends)


def parts_of(
    data: NDArray[np.uint8], origins: NDArray[np.int64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> pl.Series:
    """As `parts`, of texts whose bytes are in `data` already, from `origins` on: they are looked at where they lie."""
    views, known = np.zeros((1, len(starts), 4), dtype=np.uint32), np.empty(len(starts), dtype=np.bool_)
    _view_parts(data, origins, starts, ends, views, known)
    return texts_at(views[0], known, data)


@kernel
def _view_parts(
    data: NDArray[np.uint8],
    origins: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    views: NDArray[np.uint32],
    known: NDArray[np.bool_],
) -> None:
    for row in range(len(starts)):
        known[row] = starts[row] >= 0
        if known[row]:
            set_view(views, 0, row, data, origins[row] + starts[row], origins[row] + ends[row], 0)


def whole_numbers(
    texts: pl.Series,
    origins: NDArray[np.int64],
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    stop: str = " ",
) -> pl.Series:
    """The numbers that parts of texts are, as polars reads them into Int64, as far as their first `stop`.

    Arguments as for `parts`, with the texts' bytes in `data` and their starts there, `origins`. Null where starts is
    below 0 or no number stands there.
    """
    values = np.empty(len(texts), dtype=np.int64)
    _read_numbers(data, origins, starts, ends, ord(stop), values)
    unread = values < 0
    if not unread.any():
        return pl.Series(values)
    numbers = pl.Series(values).set(pl.Series(unread), None)
    odd = np.flatnonzero(unread & (starts >= 0))  # `+22`, `22x`, nothing
    if len(odd) == 0:
        return numbers
    others = parts(texts.gather(odd), starts[odd], ends[odd]).str.splitn(stop, 2).struct.field("field_0")
    return numbers.scatter(odd, others.cast(pl.Int64, strict=False))


@kernel
def _read_numbers(
    data: NDArray[np.uint8],
    origins: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    stop: int,
    out: NDArray[np.int64],
) -> None:
    for row in range(len(out)):
        out[row] = -1
        at, end = origins[row] + starts[row], origins[row] + ends[row]
        if starts[row] < 0 or at == end:
            continue
        limit = min(end, at + _MAX_DIGITS)
        value = 0
        first = at
        while at < limit and data[at] >= _ZERO and data[at] <= _NINE:
            value = value * 10 + int(data[at]) - _ZERO
            at += 1
        if at > first and (at == end or data[at] == stop):
            out[row] = value


@inner_kernel
def word_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Where the word that starts at `at` ends: at the next space, or at `end`."""
    while at < end and data[at] != SPACE:
        at += 1
    return at


@inner_kernel
def has_at(data: NDArray[np.uint8], at: int, end: int, wanted: NDArray[np.uint8], first: int, last: int) -> bool:
    """Whether the text from `at` to `end` starts with the bytes `wanted[first:last]`."""
    if end - at < last - first:
        return False
    for place in range(last - first):  # noqa: SIM110  # kernels have no all()
        if data[at + place] != wanted[first + place]:
            return False
    return True
