"""Texts as places in one buffer: kernels find the parts by place, and only the parts that are wanted become columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text

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
    missing = starts < 0
    start = pl.Series(starts)
    if missing.any():
        start = start.set(pl.Series(missing), None)  # gives null
    size = pl.Series(np.where(missing, 0, ends - starts))
    part = pl.lit(texts.cast(pl.Binary)).bin.slice(pl.lit(start), pl.lit(size)).cast(pl.String)
    return pl.select(part.alias(texts.name)).to_series()


def repeated_parts(texts: pl.Series, whole: Joined, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> pl.Series:
    """As `parts`, and faster where most parts are the same as the one before; `whole` is joined(texts)."""
    runs, firsts = np.empty((2, len(texts)), dtype=np.int64)
    distinct = firsts[: _number_runs(*whole, starts, ends, runs, firsts)]
    return parts(texts.gather(distinct), starts[distinct], ends[distinct]).gather(runs)


@kernel
def _number_runs(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    runs: NDArray[np.int64],
    firsts: NDArray[np.int64],
) -> int:
    count, last, last_end = 0, 0, 0  # where the last part was in the data
    for row in range(len(starts)):
        at = bounds[row] + starts[row] if starts[row] >= 0 else -1
        end = bounds[row] + ends[row]
        if row == 0 or (at < 0) != (last < 0) or (at >= 0 and not _same(data, at, end, last, last_end)):
            firsts[count] = row
            count += 1
            last, last_end = at, end
        runs[row] = count - 1
    return count


@inner_kernel
def _same(data: NDArray[np.uint8], at: int, end: int, other: int, other_end: int) -> bool:
    return end - at == other_end - other and has_at(data, at, end, data, other, other_end)


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
