"""Reads journalled batches back: the same lines with the same addresses, though their files may be gone.

Batches that every saved state has passed stay for a while, up to KEPT_BYTES, as the source of evidence lines whose file
was rotated away or never was one (the systemd journal).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import zstandard
from sqlalchemy import Connection, Row, delete, func, select

from livesec.core.anomaly import Gap
from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes
from livesec.core.errors import StoreDamagedError
from livesec.store import tables as t

NOT_LEARNED = "results are stored, but damaged in the journal: detectors learned nothing from these lines"
"""Why a journalled batch is a gap."""
_DAMAGE = (zstandard.ZstdError, ValueError, TypeError, MemoryError)
KEPT_BYTES = 64 << 20
"""Compressed bytes of passed batches that are kept."""


_COMPRESSOR = zstandard.ZstdCompressor(level=1, write_checksum=True)


def journal_row(batch: RawBatch, historical: bool) -> dict[str, Any]:
    """The row that keeps `batch`."""
    addresses = None
    start = int(batch.offsets[0]) if len(batch) else batch.end_offset
    if not (np.array_equal(batch.kept, batch.lengths) and np.array_equal(batch.starts + start, batch.offsets)):
        table = np.stack([batch.starts, batch.kept, batch.offsets, batch.lengths]).astype(np.int64)
        addresses = _COMPRESSOR.compress(table.tobytes())
    return {
        "first_sequence": batch.first_sequence,
        "lines": len(batch),
        "stream_id": batch.stream.stream_id,
        "start_offset": start,
        "end_offset": batch.end_offset,
        "historical": historical,
        "addresses": addresses,
        "data": _COMPRESSOR.compress(batch.data),
    }


def _batch(row: Row[Any], stream: StreamInfo) -> RawBatch:
    """The row's batch. Raises ZstdError, ValueError, TypeError or MemoryError where the row is damaged."""
    decompressor = zstandard.ZstdDecompressor()
    data = decompressor.decompress(row.data)
    if row.addresses is None:
        return batch_of_bytes(stream, data, row.start_offset, row.first_sequence, final=True)
    table = np.frombuffer(decompressor.decompress(row.addresses), dtype=np.int64).reshape(4, row.lines)
    starts, kept, offsets, lengths = table
    return RawBatch(stream, data, starts, kept, offsets, lengths, row.end_offset, row.first_sequence)


def journal_batches(
    connection: Connection, infos: Mapping[int, StreamInfo], after: int, damaged: list[Gap] | None = None
) -> Iterator[tuple[RawBatch, bool]]:
    """(batch, historical) of the journal's rows after number `after`, in order; `infos` by stream id.

    Rows that cannot be read are passed over and added to `damaged`; without it they raise StoreDamagedError.
    """
    for row in connection.execute(select(t.journal).where(t.journal.c.batch > after).order_by(t.journal.c.batch)):
        info = infos.get(row.stream_id, StreamInfo(row.stream_id, "", "unknown", 0))
        try:
            batch = _batch(row, info)
        except _DAMAGE as error:
            if damaged is None:
                raise StoreDamagedError(f"journal, batch {row.batch} of {info.path}: {error}") from error
            damaged.append(Gap(row.stream_id, info.path, row.start_offset, row.end_offset, NOT_LEARNED))
        else:
            yield batch, row.historical


def journalled_line(connection: Connection, stream_id: int, offset: int, keep: int) -> tuple[bytes, int] | None:
    """(first `keep` bytes, length) of the line at an address, while its batch is kept."""
    row = connection.execute(
        select(t.journal)
        .where(
            t.journal.c.stream_id == stream_id,
            t.journal.c.start_offset <= offset,
            t.journal.c.end_offset > offset,
        )
        .order_by(t.journal.c.batch.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    try:
        batch = _batch(row, StreamInfo(stream_id, "", "", 0))
    except _DAMAGE:
        return None  # as where it is no longer kept
    index = batch.index_at(offset)
    return None if index is None else (batch.line_bytes(index)[:keep], int(batch.lengths[index]))


def forget_passed(connection: Connection, upto: int, keep_bytes: int = KEPT_BYTES) -> None:
    """Delete the oldest rows up to number `upto` until those left there are no more than `keep_bytes`."""
    size = func.sum(func.length(t.journal.c.data)).over(order_by=t.journal.c.batch.desc()).label("size")
    passed = select(t.journal.c.batch, size).where(t.journal.c.batch <= upto).subquery()
    newest_to_go = select(func.max(passed.c.batch)).where(passed.c.size > keep_bytes).scalar_subquery()
    connection.execute(delete(t.journal).where(t.journal.c.batch <= newest_to_go))
