"""Lines on their way from a source to the formats, each with the address it keeps for ever.

An address is (stream, offset): the stream is a file's generation or a journal, the offset counts its bytes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.schema import LogType
from livesec.core.text_views import views_of

MAX_LINE_BYTES = 1 << 20  # a longer line keeps this prefix and is marked

_LINE_BREAK = 0x0A

# An address packed into one integer, so that keyed states can hold a few per entity: 23 bits stream, 40 bits offset.
OFFSET_BITS = 40
NO_ADDRESS = -1


def pack_addresses(stream_id: NDArray[np.int32], offset: NDArray[np.int64]) -> NDArray[np.int64]:
    """One int64 per line, shape (n,); ordered by stream, then offset (below 1 TiB)."""
    return (stream_id.astype(np.int64) << OFFSET_BITS) | offset


def pack_address(stream_id: int, offset: int) -> int:
    """One address; see `pack_addresses`."""
    return (stream_id << OFFSET_BITS) | offset


def unpack_address(address: int) -> tuple[int, int]:
    """(stream_id, offset) of a packed address.

    >>> unpack_address(pack_address(3, 77))
    (3, 77)
    """
    return address >> OFFSET_BITS, address & ((1 << OFFSET_BITS) - 1)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What does not change about a stream while it is read."""

    stream_id: int
    uid: str
    """16 hex digits, the same in every run over the same file: goes into anomaly ids."""
    path: str
    reference_time_us: int
    """When the source was last written as seen at the first read (file mtime); anchors the year of RFC 3164 times."""
    time_zone: str = "UTC"
    """IANA name of the zone that times without one are in; a setting per source."""
    not_before_us: int = 0
    """Rows of earlier events are left out: how far back history is learned."""


@dataclass(frozen=True)
class RawBatch:
    """Whole lines of one stream, in order.

    `data` holds the kept bytes of the lines back to back with their line breaks; line i is
    data[starts[i] : starts[i] + kept[i]] without the break. `offsets` (int64) are the lines' places in the stream and
    `lengths` (int64) their true lengths there without the break; kept[i] < lengths[i] marks a cut line.
    `first_sequence` is the sequence number of line 0; line i has first_sequence + i.
    """

    stream: StreamInfo
    data: bytes
    starts: NDArray[np.int64]
    kept: NDArray[np.int64]
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    end_offset: int
    """Where the next batch of this stream starts."""
    first_sequence: int = 0

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def lines(self) -> pl.DataFrame:
        """Columns line_index (UInt32) and line (String): UTF-8 with U+FFFD for what is not, no line break, no CR."""
        column = views_of(self.data, self.starts, self.kept)
        return pl.DataFrame({"line_index": pl.Series(np.arange(len(self), dtype=np.uint32)), "line": column})

    @cached_property
    def _offset_list(self) -> list[int]:
        return cast(list[int], self.offsets.tolist())

    def index_at(self, offset: int) -> int | None:
        """The index of the line that starts at `offset` of the stream, None where none does."""
        index = bisect_left(self._offset_list, offset)
        return index if index < len(self) and self._offset_list[index] == offset else None

    def line_bytes(self, index: int) -> bytes:
        """The kept bytes of line `index` without its line break."""
        start = int(self.starts[index])
        return self.data[start : start + int(self.kept[index])]


def batch_of_bytes(
    stream: StreamInfo, data: bytes, start_offset: int = 0, first_sequence: int = 0, *, final: bool = False
) -> RawBatch:
    """The whole lines in `data`, which begins at `start_offset` of the stream.

    Bytes after the last line break stay unread, unless `final` (end of a drained stream) makes them a line.
    """
    view = np.frombuffer(data, dtype=np.uint8)
    breaks = np.flatnonzero(view == _LINE_BREAK).astype(np.int64)
    if final and len(data) and (len(breaks) == 0 or breaks[-1] != len(data) - 1):
        breaks = np.append(breaks, len(data))
    starts = np.empty(len(breaks), dtype=np.int64)
    if len(breaks):
        starts[0] = 0
        starts[1:] = breaks[:-1] + 1
    end = min(int(breaks[-1]) + 1, len(data)) if len(breaks) else 0
    lengths = breaks - starts
    return RawBatch(
        stream=stream,
        data=data[:end],
        starts=starts,
        kept=lengths,
        offsets=starts + start_offset,
        lengths=lengths,
        end_offset=start_offset + end,
        first_sequence=first_sequence,
    )


_NO_INDEXES: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
_NO_REJECTS = pl.DataFrame(schema={"line_index": pl.UInt32, "reason": pl.String})


def no_rejects() -> pl.DataFrame:
    """An empty reject table: line_index (UInt32), reason (String)."""
    return _NO_REJECTS.clone()


@dataclass(frozen=True)
class Parsed:
    """What one format made of the lines it was offered.

    `rows`: per log type a frame with `line_index` (UInt32), optionally `row_in_line` (Int32), and any columns of that
    schema but the address, order and stream columns, which the pipeline adds. `events` are the lines that gave rows or
    are a part of a record (headers, session lines that belong to an attempt already counted); `skipped` are lines known
    to be nothing for us; `rejects` are lines of this format that cannot be used, each with its reason. Lines in none of
    them are left to the next format.
    """

    rows: Mapping[LogType, pl.DataFrame] = field(default_factory=dict)
    consumed: NDArray[np.uint32] = field(default_factory=lambda: _NO_INDEXES)
    skipped: NDArray[np.uint32] = field(default_factory=lambda: _NO_INDEXES)
    rejects: pl.DataFrame = field(default_factory=no_rejects)


NOTHING_PARSED = Parsed()


def left_over(lines: NDArray[np.uint32], *taken: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Those of `lines` (indexes in a batch) that are in none of `taken`, ascending, each once.

    >>> left_over(np.array([5, 1, 2], np.uint32), np.array([5], np.uint32), np.array([1, 7], np.uint32)).tolist()
    [2]
    """
    left = np.zeros(1 + max(int(some.max(initial=0)) for some in (lines, *taken)), dtype=np.bool_)
    left[lines] = True
    for some in taken:
        left[some] = False
    return np.flatnonzero(left).astype(np.uint32)
