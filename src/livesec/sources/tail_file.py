"""One file being read: whole lines from an offset on, nothing before its line break has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from livesec.core.anomaly import StreamPosition
from livesec.core.batch import MAX_LINE_BYTES, RawBatch, StreamInfo
from livesec.sources.content import Content
from livesec.sources.identity import HEAD_BYTES, TAIL_BYTES, RewrittenError, digest, is_same, tail_at
from livesec.sources.line_cut import cut_long_lines, line_at
from livesec.sources.text_encoding import SAMPLE_BYTES, UTF_8, Encoding, encoding_of

__all__ = ["CHUNK_BYTES", "Hole", "TailFile", "cut_long_lines", "stream_info"]

CHUNK_BYTES = 4 << 20
"""Read at most this much at once."""
_LIVE_BYTES = 1 << 16  # beyond what a look saw, for what came since
SEARCH_BYTES = 64 << 20
"""Search at most this much for the end of one long line before other files have their turn."""

# Zero bytes where a line should start: a writer without O_APPEND went on at its old place behind a truncation (then
# they start the file), or a crash left whole blocks unwritten. Fewer inside a file belong to a line: else anyone who
# can write zeros could have a gap for each of his lines.
_HOLE_INSIDE = b"\n" + bytes(4096)


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


@dataclass(frozen=True, slots=True)
class Hole:
    """Zero bytes from `start` to `end` where a line should start."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Mark:
    """What becomes of a position when its batch is committed: taken from the bytes as they were read."""

    offset: int
    head: bytes | None
    tail: bytes


class TailFile:
    """An open file and the position up to which its lines were taken. Methods that read raise OSError."""

    def __init__(self, position: StreamPosition, content: Content) -> None:
        self.position = position
        self.content = content
        self.info = stream_info(position)
        self.is_searching = False
        """Whether the last `read` stopped inside a long line and wants to go on."""
        self._encoding: Encoding | None = None
        self._tail: bytes | None = None  # the bytes before the offset, once they are known to be those that were read
        self._mark: _Mark | None = None
        self._zeros_until = 0

    @property
    def is_same_file(self) -> bool:
        """Whether the open file is the one that the position is of."""
        return (self.content.device, self.content.inode) == (self.position.device, self.position.inode)

    def is_same_content(self) -> bool:
        """Whether the bytes that identify the stream (its head, and those before the offset) are still there."""
        return is_same(self.position, self.content)

    def mark(self, offset: int) -> None:
        """Move the position to `offset` and take the hashes that go with it."""
        position, made = self.position, self._mark
        if made is None or made.offset != offset:
            made = self._marked(offset, tail_at(self.content, offset))
        position.offset, position.searched, position.tail_hash = offset, 0, digest(made.tail)
        if made.head is not None:
            position.head_bytes, position.head_hash = len(made.head), digest(made.head)
        self._tail, self._mark = made.tail, None

    def _marked(self, offset: int, tail: bytes) -> _Mark:
        position, head = self.position, None
        if position.head_bytes < HEAD_BYTES:
            head = self.content.pread(min(HEAD_BYTES, offset), 0)
            if position.head_hash and digest(head[: position.head_bytes]) != position.head_hash:
                raise RewrittenError
        return _Mark(offset, head, tail)

    def skip_to_end(self, limit: int) -> None:
        """Move the position behind the last line break before `limit`."""
        encoding = encoding_of(self.content.pread(SAMPLE_BYTES, 0)) or UTF_8
        end = limit - limit % encoding.unit_bytes
        while end > encoding.mark_bytes:
            start = max(0, end - MAX_LINE_BYTES)
            found = encoding.find_last_break(self.content.pread(end - start, start))
            if found >= 0:
                self.mark(start + found + encoding.unit_bytes)
                return
            end = start

    def _checked_tail(self) -> bytes:
        """The bytes before the offset as they were read. Raises RewrittenError where others stand there now."""
        if self._tail is None:
            tail = tail_at(self.content, self.position.offset)
            if self.position.offset and digest(tail) != self.position.tail_hash:
                raise RewrittenError
            self._tail = tail
        return self._tail

    def _read_on(self, size: int) -> bytes:
        """Up to `size` bytes from the offset on. Raises RewrittenError where those before it have changed."""
        tail = self._checked_tail()
        data = self.content.pread(len(tail) + size, self.position.offset - len(tail))
        if not data.startswith(tail):
            raise RewrittenError
        return data[len(tail) :] if tail else data

    def read(self, first_sequence: int, *, final: bool = False) -> RawBatch | Hole | None:
        """The next whole lines, or zeros to skip, or None. `final`: what has no line break will not get one.

        The position does not move; `mark(batch.end_offset)` does that. Raises RewrittenError.
        """
        self.is_searching, self._mark = False, None
        position = self.position
        size = CHUNK_BYTES
        if not self.content.is_compressed:
            size = min(CHUNK_BYTES, max(0, (position.size or 0) - position.offset) + _LIVE_BYTES)
        data = self._read_on(size)
        if not data:
            return None
        encoding = self._known_encoding(data, final=final)
        if encoding is None:
            return None
        if position.searched > position.offset:
            return self._long_line(encoding, first_sequence, final=final)
        is_end = len(data) < size
        skipped = encoding.mark_bytes if position.offset == 0 else 0
        if encoding.codec is None:
            hole = self._hole(data, skipped, final=final)
            if hole is not None:
                return hole if hole.end > hole.start else None
            found = data.find(_HOLE_INSIDE)
            if found >= 0:
                data, is_end = data[: found + 1], False
        start = position.offset + skipped
        batch = encoding.batch(self.info, data[skipped:], start, first_sequence, final=final and is_end)
        if len(batch) == 0:
            if is_end and len(data) <= MAX_LINE_BYTES:
                return None
            position.searched = start
            return self._long_line(encoding, first_sequence, final=final)
        taken = batch.end_offset - position.offset
        tail = data[taken - TAIL_BYTES : taken] if taken >= TAIL_BYTES else self._checked_tail() + data[:taken]
        self._mark = self._marked(batch.end_offset, tail[-TAIL_BYTES:])
        return cut_long_lines(batch)

    def _known_encoding(self, data: bytes, *, final: bool) -> Encoding | None:
        """Its encoding; None while too little of the file is there to tell."""
        if self._encoding is None:
            head = data[:SAMPLE_BYTES] if self.position.offset == 0 else self.content.pread(SAMPLE_BYTES, 0)
            self._encoding = encoding_of(head) or (UTF_8 if final or self.position.offset else None)
        return self._encoding

    def _hole(self, data: bytes, skipped: int, *, final: bool) -> Hole | None:
        """Zeros at the start of `data`, empty where nothing has come behind them yet; None where there are none."""
        start = self.position.offset + skipped
        if data[skipped : skipped + 1] != b"\0" or not (start == skipped or data.startswith(_HOLE_INSIDE[1:])):
            return None
        end = max(start, self._zeros_until)
        while True:
            end = max(end, self.content.next_data(end))
            chunk = self.content.pread(CHUNK_BYTES, end)
            zeros = len(chunk) - len(chunk.lstrip(b"\0"))
            end += zeros
            if zeros < len(chunk):
                return Hole(self.position.offset, end)
            if not chunk:
                self._zeros_until = end
                return Hole(self.position.offset, end if final else self.position.offset)

    def _long_line(self, encoding: Encoding, first_sequence: int, *, final: bool) -> RawBatch | None:
        """The line at the offset, longer than a chunk: its end is searched without keeping it in memory."""
        position = self.position
        skipped = encoding.mark_bytes if position.offset == 0 else 0
        start = position.offset + skipped
        at = max(position.searched, start)
        stop_at = at + SEARCH_BYTES
        while True:
            data = self.content.pread(CHUNK_BYTES, at)
            found = encoding.find_break(data)
            if found >= 0:
                end, after = at + found, at + found + encoding.unit_bytes
                break
            at += len(data) if not data or len(data) % encoding.unit_bytes == 0 else len(data) - 1
            position.searched = at
            if at >= stop_at:
                self.is_searching = True
                return None
            if len(data) < CHUNK_BYTES:
                if not final:
                    return None
                end = after = at
                break
        enough = MAX_LINE_BYTES * encoding.unit_bytes + 4  # so that the cut can be made between two characters
        prefix = self._read_on(skipped + min(enough, end - start))[skipped:]
        text = prefix if encoding.codec is None else prefix.decode(encoding.codec, errors="replace").encode()
        self._mark = self._marked(after, tail_at(self.content, after))
        one = np.array([start], dtype=np.int64)
        return cut_long_lines(
            RawBatch(
                stream=self.info,
                data=text + b"\n",
                starts=np.zeros(1, dtype=np.int64),
                kept=np.array([len(text)], dtype=np.int64),
                offsets=one,
                lengths=np.array([end - start], dtype=np.int64),
                end_offset=after,
                first_sequence=first_sequence,
            )
        )

    def line_at(self, offset: int, keep: int) -> tuple[bytes, int] | None:
        """(first `keep` bytes, length) of the line that starts at `offset`; None where nothing is there."""
        encoding = encoding_of(self.content.pread(SAMPLE_BYTES, 0)) or UTF_8
        return line_at(self.content.pread, offset, keep, encoding)
