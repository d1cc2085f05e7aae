"""Looks at the paths: which files are new, grew, were cut, or are not where they were."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence

from livesec.core.anomaly import StreamPosition
from livesec.sources.held_copies import HeldCopies
from livesec.sources.new_streams import NewStreams
from livesec.sources.read_queue import ReadQueue
from livesec.sources.rotated_files import CUT_OFF
from livesec.sources.rotated_names import is_compressed_name
from livesec.sources.rotation import Rotation
from livesec.sources.stream_book import LIVE, ROTATED, FileId, StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.watched_paths import WatchedPaths

_Status = tuple[int, int, int, int]  # device, inode, size, ctime
_SETTLED_NS = 50_000_000  # ctime moves in ticks of a few ms: what changed just now may change again within one
Found = dict[str, os.stat_result]


class Looker:
    """Finds out at each look what became of each file, and queues what can be read."""

    def __init__(
        self,
        patterns: Sequence[str],
        book: StreamBook,
        files: StreamFiles,
        queue: ReadQueue,
        new: NewStreams,
        clock: Callable[[], int],
    ) -> None:
        self._paths = WatchedPaths(patterns)
        self._book = book
        self._files = files
        self._queue = queue
        self._new = new
        self._clock = clock
        self._held = HeldCopies(book, files, clock)
        self.rotation = Rotation(book, files, queue, clock, self._is_watched, self._begin)
        self._last_seen: dict[str, _Status] = {}  # of paths that need no look until this changes
        self._is_first = True
        self._unresumed = set(book.positions)
        new.patterns_are_new(patterns)
        book.watch_only(self._is_watched)

    def watch_patterns(self, patterns: Sequence[str], new_patterns: Iterable[str]) -> None:
        """Look at these patterns from now on, of which `new_patterns` were not looked at before."""
        self._paths = WatchedPaths(patterns)
        self._new.patterns_are_new(new_patterns)
        for position in self._book.watch_only(self._is_watched):
            self._queue.discard(position.stream_id)
            self._files.drop(position)
            self.look_again(position.path)

    def _is_watched(self, path: str) -> bool:
        return self._paths.pattern_of(path) is not None

    def look_again(self, path: str) -> None:
        """Look at `path` at the next look although it may not have changed."""
        self._last_seen.pop(path, None)

    def look(self, touched: Iterable[str] | None = None) -> None:
        """Look at everything, or only at the `touched` paths that are known."""
        is_whole = touched is None or self._is_first
        self.rotation.look_anew()
        settled_ns = time.time_ns() - _SETTLED_NS
        current = self._book.current
        asked = [path for path in (current if is_whole else touched or ()) if path in current]
        found = self._paths.look() if is_whole else {}
        for path in asked:
            if path not in found and (status := self.status_of(path)) is not None:
                found[path] = status
        if self._is_first:
            self._new.leave_out_known(self._paths, found)
        changed = self._changed(found)
        self._follow_displaced([path for path in asked if path not in found], found, changed)
        for path, status in changed.items():
            self._last_seen.pop(path, None)
            if path in current:
                self._check(self._book.positions[current[path]], status)
            elif not self._appeared(path, status):
                continue  # looked at again next time
            if status.st_ctime_ns < settled_ns:
                self._last_seen[path] = status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns
        if is_whole:
            self.rotation.look_at_rotated()
        self.rotation.read_later_rotations()
        if is_whole:
            self._held.forget_all_but(found)
            self._book.retire_old()
            self._new.patterns_are_new(())
        self._is_first = False

    def _changed(self, found: Found) -> Found:
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

    def status_of(self, path: str) -> os.stat_result | None:
        """The status of a stream's path; None where no file is there. Where nobody can tell, the stream fails."""
        try:
            status = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._files.failed(self._book.positions[self._book.current[path]], error)
            return None
        return status if stat.S_ISREG(status.st_mode) else None

    def _follow_displaced(self, gone: list[str], found: Found, changed: Found) -> None:
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
        if self._is_first:
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
            was_away = self._was_away(position)
            self.rotation.follow(position, free.get((position.device, position.inode)), was_away=was_away)

    def _was_away(self, position: StreamPosition) -> bool:
        """Whether this is the first look at a stream from the store."""
        if position.stream_id not in self._unresumed:
            return False
        self._unresumed.discard(position.stream_id)
        return True

    def _check(self, position: StreamPosition, status: os.stat_result) -> None:
        """A stream's own file at its own path: does it hold what was read, and is there more?"""
        was_away = self._was_away(position)
        modified_us = status.st_mtime_ns // 1000
        is_untouched = was_away and (status.st_size, modified_us) == (position.size, position.modified_us)
        if position.offset and not is_untouched:
            tail = self._new.open(position)
            if tail is None:
                return
            try:
                is_cut = not tail.content.is_compressed and status.st_size < position.offset
                if is_cut or not tail.is_same_content():
                    self.rotation.truncated(position, status, was_away=was_away)
                    return
            except OSError as error:
                self._files.failed(position, error)
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

    def _appeared(self, path: str, status: os.stat_result) -> bool:
        """A path without a stream; False where it must be looked at again though it may not change."""
        known = self._book.by_file.get((status.st_dev, status.st_ino))
        if known is not None:
            position = self._book.positions[known]
            if position.state in LIVE:
                return True  # another name of a file that is read already
            if self.rotation.go_on_at(position, path):
                return True
        if self._held.must_wait(path, status):
            return False
        is_copy = self._held.is_kept_copy(path, status)
        position = self._begin(path, status, is_first_look=self._new.is_first_look(self._paths, path))
        self._book.current[path] = position.stream_id
        if is_copy:
            self._new.skip_to(position, status.st_size)
        return True

    def _begin(self, path: str, status: os.stat_result, *, is_first_look: bool = False) -> StreamPosition:
        position = self._new.begin(path, status, is_first_look=is_first_look)
        earlier = self.rotation.earlier_at(path)
        if earlier is not None:
            self._queue.hold_back(position.stream_id, earlier)
        self._note_size(position, status)
        return position
