"""A set of growing files, followed by identity (device, inode, hashes) and offset across rename and truncation.

`scan` looks at the paths and decides what became of each file, `read` gives its new lines, `committed` moves its
position. Whatever was not committed is read again by the next FileSource over the stored positions, nothing else.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from livesec.core.anomaly import KEPT_LINE_BYTES, Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.clock import US_PER_DAY
from livesec.sources.compressed import CompressedContent
from livesec.sources.handles import MAX_OPEN_FILES
from livesec.sources.held_copies import HeldCopies
from livesec.sources.identity import RewrittenError, stream_uid
from livesec.sources.read_queue import ReadQueue
from livesec.sources.rotated_names import is_compressed_name
from livesec.sources.rotation import CUT_OFF, Rotation
from livesec.sources.stream_book import LIVE, ROTATED, TRUNCATED, FileId, StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.tail_file import Hole, TailFile
from livesec.sources.watched_paths import WatchedPaths, expand

__all__ = ["MAX_OPEN_FILES", "FileSource", "expand", "stream_uid"]

_Status = tuple[int, int, int, int]  # device, inode, size, ctime
_SETTLED_NS = 50_000_000  # ctime moves in ticks of a few ms: what changed just now may change again within one


class FileSource:
    """Reads the lines of the files that `patterns` name (see `watched_paths`; `!` excludes).

    Parameters
    ----------
    known : stream positions from the store
    history : `start`, `end` or `<n>d`: how far back the first look at a file goes. A file that comes to a watched
        folder or glob later is read from its start
    clock : now, in microseconds
    """

    def __init__(
        self,
        patterns: Sequence[str],
        known: Iterable[StreamPosition],
        *,
        history: str,
        time_zone: str,
        clock: Callable[[], int],
    ) -> None:
        self.patterns = tuple(patterns)
        self._history = history
        self._time_zone = time_zone
        self._clock = clock
        self._paths = WatchedPaths(patterns)
        self._book = StreamBook(known)
        self._queue = ReadQueue()
        self._files = StreamFiles(self._book, self._queue.__contains__)
        self._held = HeldCopies(self._book, self._files, clock)
        self._rotation = Rotation(self._book, self._files, self._queue, clock, self._is_watched, self._begin)
        self._last_seen: dict[str, _Status] = {}  # of paths that need no look until this changes
        self._is_first_scan = True
        self._unresumed = set(self._book.positions)
        self._new_patterns = set(self.patterns)
        self._skipped: set[int] = set()
        self._book.watch_only(self._is_watched)

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
        self._new_patterns = set(patterns) - set(self.patterns)
        self.patterns = tuple(patterns)
        self._paths = WatchedPaths(patterns)
        for position in self._book.watch_only(self._is_watched):
            self._queue.discard(position.stream_id)
            self._files.drop(position)
            self._last_seen.pop(position.path, None)

    def close(self) -> None:
        """Close every file."""
        self._files.pool.close()

    # Looking ----------------------------------------------------------------------------------------------------------

    def scan(self, touched: Iterable[str] | None = None) -> None:
        """Look at every file, or only at the `touched` ones that are known, and note what can be read."""
        is_whole = touched is None or self._is_first_scan
        self._rotation.look_anew()
        settled_ns = time.time_ns() - _SETTLED_NS
        current = self._book.current
        asked = [path for path in (current if is_whole else touched or ()) if path in current]
        found = self._paths.look() if is_whole else {}
        for path in asked:
            if path not in found and (status := self._regular(path)) is not None:
                found[path] = status
        if self._is_first_scan:
            self._new_patterns -= self._watched_before(found)
        changed = self._changed(found)
        self._follow_displaced([path for path in asked if path not in found], found, changed)
        for path, status in changed.items():
            self._last_seen.pop(path, None)
            if path in current:
                self._check(self._book.positions[current[path]], status)
            elif not self._appeared(path, status):
                continue  # looked at again next time
            if status.st_ctime_ns < settled_ns:
                self._last_seen[path] = _status(status)
        if is_whole:
            self._rotation.look_at_rotated()
            self._held.forget_all_but(found)
            self._book.retire_old()
            self._new_patterns = set()
        self._is_first_scan = False

    def _changed(self, found: dict[str, os.stat_result]) -> dict[str, os.stat_result]:
        """Those of the files found that are new, changed since the last look, or could not be read then."""
        last_seen = self._last_seen
        changed = {
            path: status
            for path, status in found.items()
            if last_seen.get(path) != (status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns)
        }
        for stream_id in self._files.failing:
            path = self._book.positions[stream_id].path
            if path in found:
                changed[path] = found[path]
        return changed

    def _regular(self, path: str) -> os.stat_result | None:
        """The status of a known path; None where no file is there. Where nobody can tell, the stream fails."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._files.failed(self._book.positions[self._book.current[path]], error)
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _follow_displaced(
        self, gone: list[str], found: dict[str, os.stat_result], changed: dict[str, os.stat_result]
    ) -> None:
        """Find out where the files went that are not at their paths any more."""
        book = self._book
        lost = [book.positions[book.current[path]] for path in gone]
        lost = [position for position in lost if position.stream_id not in self._files.failing]
        for path, status in changed.items():
            stream_id = book.current.get(path)
            if stream_id is not None:
                position = book.positions[stream_id]
                if (position.device, position.inode) != (status.st_dev, status.st_ino):
                    lost.append(position)
        if self._is_first_scan:
            lost = [item for item in book.positions.values() if item.state == ROTATED] + lost
        if not lost:
            return
        for position in lost:
            book.leave_path(position)
            self._last_seen.pop(position.path, None)
        free: dict[FileId, str] = {
            (status.st_dev, status.st_ino): path for path, status in reversed(found.items()) if path not in book.current
        }
        for position in lost:
            was_away = position.stream_id in self._unresumed
            self._unresumed.discard(position.stream_id)
            self._rotation.follow(position, free.get((position.device, position.inode)), was_away=was_away)

    def _check(self, position: StreamPosition, status: os.stat_result) -> None:
        """A stream's own file at its own path: does it hold what was read, and is there more?"""
        was_away = position.stream_id in self._unresumed
        self._unresumed.discard(position.stream_id)
        modified_us = status.st_mtime_ns // 1000
        is_untouched = was_away and (status.st_size, modified_us) == (position.size, position.modified_us)
        if position.offset and not is_untouched:
            tail = self._tail(position)
            if tail is None:
                return
            try:
                if (not tail.content.is_compressed and status.st_size < position.offset) or not tail.is_same_content():
                    self._rotation.truncated(position, status, was_away=was_away)
                    return
            except OSError as error:
                self._failed(position, error)
                return
        self._note_size(position, status)

    def _note_size(self, position: StreamPosition, status: os.stat_result) -> None:
        position.modified_us = status.st_mtime_ns // 1000
        if is_compressed_name(position.path):  # how much there is only reading can tell
            self._queue.add(position.stream_id)
            return
        size, seen = status.st_size, position.size or 0
        if size < seen:
            position.searched = 0
            if seen > position.offset:
                self._book.gap(position, max(size, position.offset), seen, CUT_OFF)
                self._book.changed(position)
        position.size = size
        if size > position.offset:
            if position.oldest_unread_us is None:
                position.oldest_unread_us = self._clock()
            self._queue.add(position.stream_id)

    # New files --------------------------------------------------------------------------------------------------------

    def _is_watched(self, path: str) -> bool:
        return self._paths.pattern_of(path) is not None

    def _watched_before(self, found: Iterable[str]) -> set[str]:
        """Folders and globs of which a file is known: what is new there came while nobody was reading."""
        known = {item.path for item in self._book.positions.values()}
        patterns = {
            pattern for path in found if path in known and (pattern := self._paths.pattern_of(path)) is not None
        }
        return {pattern.text for pattern in patterns if not pattern.is_outright}

    def _appeared(self, path: str, status: os.stat_result) -> bool:
        """A path without a stream; False where it must be looked at again though it may not change."""
        known = self._book.by_file.get((status.st_dev, status.st_ino))
        if known is not None:
            position = self._book.positions[known]
            if position.state in LIVE:
                return True  # another name of a file that is read already
            if self._rotation.go_on_at(position, path):
                return True
        if self._held.must_wait(path, status):
            return False
        is_copy = self._held.is_kept_copy(path, status)
        pattern = self._paths.pattern_of(path) if self._new_patterns else None
        is_first_look = pattern is not None and pattern.text in self._new_patterns
        position = self._begin(path, status, is_first_look=is_first_look)
        self._book.current[path] = position.stream_id
        if is_copy:
            self._skip_to(position, status.st_size)
        elif is_first_look and self._history == "end":
            self._tail(position)
        return True

    def _begin(self, path: str, status: os.stat_result, *, is_first_look: bool = False) -> StreamPosition:
        """A new stream of the file that `status` is of, from its first byte."""
        days = int(self._history[:-1]) if self._history[:-1].isdigit() else None
        position = self._book.begin(
            StreamPosition(
                stream_id=0,
                uid="",
                kind="file",
                path=path,
                generation=0,
                reference_time_us=status.st_mtime_ns // 1000,
                time_zone=self._time_zone,
                device=status.st_dev,
                inode=status.st_ino,
                history_end=status.st_size if is_first_look else 0,
                not_before_us=self._clock() - days * US_PER_DAY if is_first_look and days is not None else 0,
            )
        )
        earlier = self._rotation.earlier_at(path)
        if earlier is not None:
            self._queue.hold_back(position.stream_id, earlier)
        self._note_size(position, status)
        return position

    def _skip_to(self, position: StreamPosition, limit: int) -> None:
        """Leave out the lines before `limit`."""
        self._skipped.add(position.stream_id)
        tail = self._files.open(position)
        if tail is not None:
            try:
                tail.skip_to_end(limit)
            except OSError as error:
                self._failed(position, error)
            self._book.changed(position)

    def _tail(self, position: StreamPosition) -> TailFile | None:
        """The stream's open file; with history `end`, what was there at the first look is left out before all else."""
        tail = self._files.open(position)
        is_unread = position.offset == 0 and position.history_end and position.stream_id not in self._skipped
        if tail is not None and is_unread and self._history == "end":
            self._skip_to(position, position.history_end)
        return tail

    def _failed(self, position: StreamPosition, error: OSError) -> None:
        self._files.failed(position, error)
        self._last_seen.pop(position.path, None)

    # Reading ----------------------------------------------------------------------------------------------------------

    def read(self, first_sequence: int) -> Iterator[RawBatch]:
        """Batches of what can be read now, fair between files; call `committed` for each before the next."""
        while (stream_id := self._queue.pop()) is not None:
            position = self._book.positions[stream_id]
            tail = self._tail(position)
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
            self._rotation.rewritten(position)
            return
        self._last_seen.pop(position.path, None)
        status = self._regular(position.path)
        if status is not None and (status.st_dev, status.st_ino) == (position.device, position.inode):
            self._rotation.truncated(position, status, was_away=False)

    def _unreadable(self, position: StreamPosition, error: OSError) -> None:
        if position.state == ROTATED:
            self._book.gap(position, position.offset, None, f"cannot be read ({error.strerror})")
            self._rotation.drained(position)
            return
        self._failed(position, error)

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


def _status(status: os.stat_result) -> _Status:
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns
