"""Lines as strings that are looked at where they lie: no line is copied before somebody wants a part of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]  # has no types
from numpy.typing import NDArray

from livesec.core.byte_words import WORD_BYTES, word_of
from livesec.core.jit import inner_kernel, kernel
from livesec.core.utf8 import repaired

_INLINE_BYTES = 12  # a view holds so short a text itself; of a longer one its first four bytes and where it lies
_HALF, _HALF_BITS = np.uint64(0xFFFFFFFF), np.uint64(32)  # of a word
_CARRIAGE_RETURN = 0x0D


@inner_kernel
def set_view(
    views: NDArray[np.uint32], column: int, row: int, data: NDArray[np.uint8], start: int, end: int, buffer: int
) -> None:
    """Let views[column, row] look at data[start:end], which will be buffer number `buffer`."""
    size = end - start
    word = word_of(data, start, end)
    views[column, row, 0] = size
    views[column, row, 1] = word & _HALF
    if size <= _INLINE_BYTES:
        views[column, row, 2] = word >> _HALF_BITS
        views[column, row, 3] = word_of(data, start + WORD_BYTES, end)
    else:
        views[column, row, 2] = buffer
        views[column, row, 3] = start


@kernel
def _fill_views(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    sizes: NDArray[np.int64],
    buffer: int,
    views: NDArray[np.uint32],
) -> None:
    for row in range(len(starts)):
        start, size = starts[row], sizes[row]
        if size > 0 and data[start + size - 1] == _CARRIAGE_RETURN:
            size -= 1
        set_view(views, 0, row, data, start, start + size, buffer)


def views_of(data: bytes, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> pl.Series:
    r"""data[starts[i] : starts[i] + sizes[i]] without a carriage return at its end, as a String series of shape (n,).

    What is not UTF-8 is replaced, as bytes.decode does it; such lines hold no line break. `data` is shorter than 2 GiB,
    and lives as long as the series. Layout: Arrow's Utf8View.

    >>> views_of(b"one\r\nfourteen bytes\nb\xffd", np.array([0, 5, 20]), np.array([4, 14, 3])).to_list()
    ['one', 'fourteen bytes', 'b\ufffdd']
    """
    views = np.empty((1, len(starts), 4), dtype=np.uint32)
    buffers = [None, pa.py_buffer(views), pa.py_buffer(data)]
    _fill_views(np.frombuffer(data, dtype=np.uint8), starts, sizes, 0, views)
    bad = None if data.isascii() else repaired(data, starts, sizes)
    if bad is not None and len(bad.rows):
        replaced = np.empty((1, len(bad.rows), 4), dtype=np.uint32)
        _fill_views(np.frombuffer(bad.data, dtype=np.uint8), bad.starts, bad.sizes, 1, replaced)
        views[:, bad.rows] = replaced
        buffers.append(pa.py_buffer(bad.data))
    return pl.Series(pa.Array.from_buffers(pa.string_view(), len(starts), buffers))


def arrow_text(texts: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """(the UTF-8 of `texts` (String, null as nothing) back to back, their bounds there: shape (n + 1,)).

    >>> data, bounds = arrow_text(pl.Series(["ab", None, "é"]))
    >>> data.tobytes().decode(), bounds.tolist()
    ('abé', [0, 2, 2, 4])
    """
    if texts.null_count():  # behind a null there may be the text that was there before
        texts = texts.fill_null("")
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, bounds, data = array.buffers()
    placed = np.frombuffer(bounds, dtype=np.int64)[array.offset : array.offset + len(texts) + 1]
    return np.frombuffer(data if data is not None else b"", dtype=np.uint8), placed


def first_bytes(texts: pl.Series) -> NDArray[np.uint8]:
    """The first byte of each of `texts` (String, none null), 0 of an empty one; shape (n,).

    >>> first_bytes(pl.Series(["ab", "", "é"])).tolist()
    [97, 0, 195]
    """
    array = texts.rechunk().to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(array.buffers()[1], dtype=np.uint8).reshape(-1, 16)  # its size in 4 bytes, then itself
    return views[array.offset : array.offset + len(texts), 4]


@kernel
def _forget(views: NDArray[np.uint32], known: NDArray[np.bool_]) -> None:
    """Have what is not `known` look at nothing: what stands there by chance may not be looked at."""
    for row in range(len(known)):
        if not known[row]:
            for word in range(4):
                views[row, word] = 0


def texts_at(views: NDArray[np.uint32], known: NDArray[np.bool_], *buffers: NDArray[np.uint8]) -> pl.Series:
    """`views` of shape (n, 4), as `set_view` made them, as a String series; null where not `known` (shape (n,)).

    The buffers, each shorter than 2 GiB, live as long as the series.
    """
    return pl.Series(_views_array(views, known, buffers))


def columns_at(
    names: Iterable[str],
    views: Iterable[NDArray[np.uint32]],
    known: Iterable[NDArray[np.bool_]],
    *buffers: NDArray[np.uint8],
) -> pl.DataFrame:
    """As `texts_at`, a column for each of `names` with its `views` and where it is `known`."""
    arrays = [_views_array(own_views, own_known, buffers) for own_views, own_known in zip(views, known, strict=True)]
    return pl.DataFrame(pa.RecordBatch.from_arrays(arrays, names=list(names)))


def _views_array(views: NDArray[np.uint32], known: NDArray[np.bool_], buffers: Sequence[NDArray[np.uint8]]) -> pa.Array:
    bits = None
    if not known.all():
        if not known.any():
            return pa.nulls(len(known), pa.string_view())
        _forget(views, known)
        bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    looked_at = [pa.py_buffer(buffer) for buffer in buffers]
    return pa.Array.from_buffers(pa.string_view(), len(views), [bits, pa.py_buffer(views), *looked_at])
