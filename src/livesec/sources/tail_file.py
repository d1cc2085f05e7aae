"""One file being read: whole lines from an offset on, nothing before its line break has come."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from livesec.core.anomaly import StreamPosition
from livesec.core.batch import MAX_LINE_BYTES, RawBatch, StreamInfo, batch_of_bytes

CHUNK_BYTES = 4 << 20
"""Read at most this much at once."""
_USUAL_LINE_BYTES = 4096
HEAD_BYTES = 1024
TAIL_BYTES = 256


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def stream_info(position: StreamPosition) -> StreamInfo:
    """What the formats need to know of a stream."""
    return StreamInfo(
        position.stream_id,
        position.uid,
        position.path,
        position.reference_time_us,
        position.time_zone,
        position.not_before_us,
    )


class TailFile:
    """An open file and the position up to which its lines were taken. Raises OSError where it cannot be opened."""

    def __init__(self, position: StreamPosition, fd: int) -> None:
        self.position = position
        self.info = stream_info(position)
        self._fd = fd
        self._searched = position.offset  # no line break between the offset and here
        stat = os.fstat(fd)
        self.device, self.inode = stat.st_dev, stat.st_ino

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)

    def size(self) -> int:
        """Its size now."""
        return os.fstat(self._fd).st_size

    def is_same_content(self) -> bool:
        """Whether the bytes that identify the stream (its head, and those before the offset) are still there."""
        position = self.position
        head = os.pread(self._fd, position.head_bytes, 0)
        tail_start = max(0, position.offset - TAIL_BYTES)
        tail = os.pread(self._fd, position.offset - tail_start, tail_start)
        return _digest(head) == position.head_hash and _digest(tail) == position.tail_hash

    def mark(self, offset: int) -> None:
        """Move the position to `offset` and take the hashes that go with it."""
        position = self.position
        position.offset = offset
        if position.head_bytes < HEAD_BYTES or not position.head_hash:
            head = os.pread(self._fd, min(HEAD_BYTES, offset), 0)
            position.head_bytes, position.head_hash = len(head), _digest(head)
        tail_start = max(0, offset - TAIL_BYTES)
        position.tail_hash = _digest(os.pread(self._fd, offset - tail_start, tail_start))

    def skip_to_end(self) -> None:
        """Move the position behind the last line break."""
        size = self.size()
        start = max(0, size - MAX_LINE_BYTES)
        found = os.pread(self._fd, size - start, start).rfind(b"\n")
        self.mark(start + found + 1 if found >= 0 else 0)
        self._searched = self.position.offset

    def read(self, first_sequence: int, *, final: bool = False) -> RawBatch | None:
        """The next whole lines, or None. `final`: the file will not grow, so its last line needs no line break.

        The position does not move; `mark(batch.end_offset)` does that.
        """
        offset = self.position.offset
        if self._searched > offset:  # inside a long line: look only at what came since
            return self._long_line(first_sequence, final=final)
        data = os.pread(self._fd, CHUNK_BYTES, offset)
        if not data:
            return None
        at_end = final and len(data) < CHUNK_BYTES
        batch = batch_of_bytes(self.info, data, offset, first_sequence, final=at_end)
        if len(batch) == 0:
            if len(data) <= MAX_LINE_BYTES:
                return None
            self._searched = offset + len(data)
            return self._long_line(first_sequence, final=final)
        return cut_long_lines(batch)

    def _long_line(self, first_sequence: int, *, final: bool) -> RawBatch | None:
        """The line at the offset, longer than a chunk: its end is searched without keeping it in memory."""
        offset = self.position.offset
        while True:
            data = os.pread(self._fd, CHUNK_BYTES, self._searched)
            found = data.find(b"\n")
            if found >= 0:
                end = self._searched + found
                after = end + 1
                break
            self._searched += len(data)
            if not data:
                if not final:
                    return None
                end = after = self._searched
                break
        prefix = os.pread(self._fd, min(MAX_LINE_BYTES, end - offset), offset)
        one = np.array([offset], dtype=np.int64)
        return RawBatch(
            stream=self.info,
            data=prefix + b"\n",
            starts=np.zeros(1, dtype=np.int64),
            kept=np.array([len(prefix)], dtype=np.int64),
            offsets=one,
            lengths=np.array([end - offset], dtype=np.int64),
            end_offset=after,
            first_sequence=first_sequence,
        )

    def line_at(self, offset: int, keep: int) -> tuple[bytes, int] | None:
        """(first `keep` bytes, length) of the line that starts at `offset`; None where nothing is there."""
        return line_at(self._fd, offset, keep)


def line_at(fd: int, offset: int, keep: int) -> tuple[bytes, int] | None:
    """(first `keep` bytes, length up to MAX_LINE_BYTES) of the line at `offset` of an open file; None where none is."""
    data = os.pread(fd, _USUAL_LINE_BYTES, offset)
    if data and b"\n" not in data:
        data = os.pread(fd, MAX_LINE_BYTES, offset)
    if not data:
        return None
    found = data.find(b"\n")
    line = data if found < 0 else data[:found]
    return line[:keep], len(line)


def cut_long_lines(batch: RawBatch) -> RawBatch:
    """`batch` with lines over MAX_LINE_BYTES cut to their prefix; the same object where there are none."""
    if int(batch.lengths.max()) <= MAX_LINE_BYTES:
        return batch
    kept = np.minimum(batch.lengths, MAX_LINE_BYTES)
    pieces = [
        batch.data[start : start + size] for start, size in zip(batch.starts.tolist(), kept.tolist(), strict=True)
    ]
    starts = np.zeros(len(batch), dtype=np.int64)
    np.cumsum(kept[:-1] + 1, out=starts[1:])
    return RawBatch(
        stream=batch.stream,
        data=b"\n".join(pieces) + b"\n",
        starts=starts,
        kept=kept,
        offsets=batch.offsets,
        lengths=batch.lengths,
        end_offset=batch.end_offset,
        first_sequence=batch.first_sequence,
    )
