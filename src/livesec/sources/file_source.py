"""A set of growing files, followed by identity (device, inode, hashes) and offset across rename and truncation.

`scan` looks at the paths and decides what became of each file, `read` gives its new lines, `committed` moves its
position. Whatever was not committed is read again by the next FileSource over the stored positions, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from livesec.core.anomaly import KEPT_LINE_BYTES, Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.sources.compressed import CompressedContent
from livesec.sources.handles import MAX_OPEN_FILES
from livesec.sources.identity import RewrittenError, stream_uid
from livesec.sources.looker import Looker
from livesec.sources.new_streams import NewStreams
from livesec.sources.read_queue import ReadQueue
from livesec.sources.stream_book import ROTATED, TRUNCATED, StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.tail_file import Hole, TailFile
from livesec.sources.watched_paths import expand

__all__ = ["MAX_OPEN_FILES", "FileSource", "expand", "stream_uid"]


class FileSource:
    """Reads the lines of the files that `patterns` name (see `watched_paths`; `!` excludes).

    Parameters
    ----------
    known : stream positions from the store
    history : `start`, `end` or `<n>d`: how far back the first look at a file goes. A file that comes to a watched
        folder or glob later is read from its start
    zone_of : the zone of times that the file at a path states without one
    clock : now, in microseconds
    """

    def __init__(
        self,
        patterns: Sequence[str],
        known: Iterable[StreamPosition],
        *,
        history: str,
        zone_of: Callable[[str], str],
        clock: Callable[[], int],
    ) -> None:
        self.patterns = tuple(patterns)
        self._book = StreamBook(known)
        self._queue = ReadQueue()
        self._files = StreamFiles(self._book, self._queue.__contains__)
        self._new = NewStreams(self._book, self._files, history=history, zone_of=zone_of, clock=clock)
        self._looker = Looker(patterns, self._book, self._files, self._queue, self._new, clock)
        self._rotation = self._looker.rotation

    # What the runner asks ---------------------------------------------------------------------------------------------

    def take_changes(self) -> tuple[list[StreamPosition], list[Gap]]:
        """Positions and gaps that changed since the last call, to be committed; copies, as they are now."""
        return self._book.take_changes()

    @property
    def positions(self) -> list[StreamPosition]:
        """Every stream that is still remembered, with sizes as last seen."""
        return list(self._book.positions.values())

    @property
    def open_files(self) -> int:
        """How many files are open now; at most MAX_OPEN_FILES."""
        return len(self._files.pool)

    def is_historical(self, batch: RawBatch) -> bool:
        """Whether the batch was already there when its stream was first seen."""
        return batch.end_offset <= self._book.positions[batch.stream.stream_id].history_end

    def line_at(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """The line at an address, while its file can be read (a compressed one: while that is cheap)."""
        position = self._book.positions.get(stream_id)
        if position is None or position.state == TRUNCATED:
            return None  # the same file at the same offset says something else now
        try:
            tail = self._files.open(position)
            if tail is None:
                return None
            if isinstance(tail.content, CompressedContent) and not tail.content.has_at_hand(offset):
                return None
            return tail.line_at(offset, KEPT_LINE_BYTES)
        except OSError:  # the reader will say so
            return None

    def watch_patterns(self, patterns: Sequence[str]) -> None:
        """Watch these patterns instead. Streams at paths that none of them names are set aside where they are."""
        self._looker.watch_patterns(patterns, set(patterns) - set(self.patterns))
        self.patterns = tuple(patterns)

    def close(self) -> None:
        """Close every file."""
        self._files.pool.close()

    def scan(self, touched: Iterable[str] | None = None) -> None:
        """Look at every file, or only at the `touched` ones that are known, and note what can be read."""
        self._looker.look(touched)

    # Reading ----------------------------------------------------------------------------------------------------------

    def read(self, first_sequence: int) -> Iterator[RawBatch]:
        """Batches of what can be read now, fair between files; call `committed` for each before the next."""
        while (stream_id := self._queue.pop()) is not None:
            position = self._book.positions[stream_id]
            tail = self._new.open(position)
            if tail is None:
                continue
            batch = self._read_some(position, tail, first_sequence)
            if batch is not None:
                first_sequence += len(batch)
                self._files.in_hand = stream_id
                yield batch

    def _read_some(self, position: StreamPosition, tail: TailFile, first_sequence: int) -> RawBatch | None:
        """The next batch of a stream; where there is none, its reason is dealt with."""
        is_done = self._rotation.is_done(position)
        searched = position.searched
        try:
            found = tail.read(first_sequence, final=is_done)
            if isinstance(found, Hole):
                self._book.gap(position, found.start, found.end, "zero bytes where a line should start")
                tail.mark(found.end)
        except RewrittenError:
            self._rewritten(position)
            return None
        except OSError as error:
            self._unreadable(position, error)
            return None
        if position.searched != searched or isinstance(found, Hole):
            self._book.changed(position)
        if isinstance(found, RawBatch):
            is_behind = found.end_offset < (position.size or 0)
            if is_behind or tail.content.is_compressed or position.state == ROTATED:
                self._queue.add(position.stream_id)  # behind the others; what comes meanwhile waits for a look
            return found
        if tail.is_searching or isinstance(found, Hole):
            self._queue.add(position.stream_id)
        elif is_done:
            self._rotation.drained(position)
        elif tail.content.is_compressed:
            position.size = tail.content.size()
        return None

    def _rewritten(self, position: StreamPosition) -> None:
        """The file was rewritten between the look at it and reading it."""
        if position.state == ROTATED:
            self._rotation.look_anew()
            self._rotation.rewritten(position)
            self._rotation.read_later_rotations()
            return
        self._looker.look_again(position.path)
        self._rotation.look_anew()  # the copy may be younger than the listings of the look
        status = self._looker.status_of(position.path)
        if status is not None and (status.st_dev, status.st_ino) == (position.device, position.inode):
            self._rotation.truncated(position, status, was_away=False)
            self._rotation.read_later_rotations()

    def _unreadable(self, position: StreamPosition, error: OSError) -> None:
        if position.state == ROTATED:
            self._book.gap(position, position.offset, None, f"cannot be read ({error.strerror})")
            self._rotation.drained(position)
            return
        self._files.failed(position, error)

    def committed(self, batch: RawBatch, format_name: str | None = None) -> None:
        """Move the position behind `batch`; take it with `take_changes` into the batch's own transaction."""
        position = self._book.positions[batch.stream.stream_id]
        tail = self._files.pool.get(position.stream_id)
        if tail is None:
            raise RuntimeError(f"{position.path}: committed twice, or out of turn")
        tail.mark(batch.end_offset)
        position.format = format_name or position.format
        position.size = max(position.size or 0, batch.end_offset)
        if position.offset >= position.size:
            position.oldest_unread_us = None
        self._book.changed(position)
