"""Finds the lines that findings name: in the batches in memory, else where they came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from livesec.core.anomaly import KEPT_LINE_BYTES, EvidenceLine
from livesec.core.batch import RawBatch, unpack_address

FetchLine = Callable[[int, int], tuple[bytes, int] | None]
"""(stream_id, offset) -> (first bytes of the line, its length), or None where it can no longer be read."""


def evidence_lines(
    addresses: Iterable[int], batches: Mapping[int, RawBatch], fetch_line: FetchLine
) -> dict[int, EvidenceLine]:
    """The lines at packed `addresses`, those that can still be read; `batches` by stream id are looked at first."""
    offsets: dict[int, list[int]] = defaultdict(list)
    by_address: dict[tuple[int, int], int] = {}
    for address in dict.fromkeys(addresses):
        stream_id, offset = unpack_address(address)
        offsets[stream_id].append(offset)
        by_address[stream_id, offset] = address
    found: dict[int, EvidenceLine] = {}
    for stream_id, wanted in offsets.items():
        in_memory = _in_batch(batches[stream_id], wanted) if stream_id in batches else {}
        for offset in wanted:
            line = in_memory.get(offset)
            if line is None:
                fetched = fetch_line(stream_id, offset)
                if fetched is None:
                    continue
                line = EvidenceLine(stream_id, offset, fetched[1], fetched[0][:KEPT_LINE_BYTES])
            found[by_address[stream_id, offset]] = line
    return found


def _in_batch(batch: RawBatch, offsets: list[int]) -> dict[int, EvidenceLine]:
    """The lines of `batch` among those at `offsets`, by offset."""
    sought = np.array(offsets, dtype=np.int64)
    index = np.searchsorted(batch.offsets, sought)
    index = index[index < len(batch)]
    index = index[np.isin(batch.offsets[index], sought)]
    places = zip(
        *(column[index].tolist() for column in (batch.offsets, batch.starts, batch.kept, batch.lengths)), strict=True
    )
    stream_id, data = batch.stream.stream_id, batch.data
    return {
        offset: EvidenceLine(stream_id, offset, length, data[start : start + min(kept, KEPT_LINE_BYTES)])
        for offset, start, kept, length in places
    }
