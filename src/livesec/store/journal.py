"""Reads journalled batches back: the same lines with the same addresses, though their files may be gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import zstandard
from sqlalchemy import Connection, select

from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes
from livesec.store import tables as t


def journal_batches(connection: Connection, infos: Mapping[int, StreamInfo]) -> Iterator[tuple[RawBatch, bool]]:
    """(batch, historical) of every row of the journal, in order; `infos` by stream id."""
    decompressor = zstandard.ZstdDecompressor()
    for row in connection.execute(select(t.journal).order_by(t.journal.c.batch)):
        data = decompressor.decompress(row.data)
        stream = infos[row.stream_id]
        if row.addresses is None:
            batch = batch_of_bytes(stream, data, row.start_offset, row.first_sequence, final=True)
        else:
            table = np.frombuffer(decompressor.decompress(row.addresses), dtype=np.int64).reshape(4, row.lines)
            starts, kept, offsets, lengths = table
            batch = RawBatch(stream, data, starts, kept, offsets, lengths, row.end_offset, row.first_sequence)
        yield batch, row.historical
