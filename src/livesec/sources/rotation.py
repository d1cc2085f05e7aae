"""What becomes of a stream whose file left its path or lost its bytes: read to its end, or declared lost."""

from __future__ import annotations

import os
from collections.abc import Callable

from livesec.core.anomaly import StreamPosition
from livesec.sources.content import Content, open_content
from livesec.sources.identity import is_beginning_of, is_distinct, is_same
from livesec.sources.later_rotations import LaterRotations
from livesec.sources.read_queue import ReadQueue
from livesec.sources.rotated_files import RotatedFiles
from livesec.sources.stream_book import DRAINED, LIVE, ROTATED, TRUNCATED, FileId, StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.whereabouts import Whereabouts

_AWAY = "while nobody was reading"


class Rotation:
    """Follows files that were renamed, copied and truncated, compressed or removed.

    Parameters
    ----------
    is_watched : whether the user's patterns name a path
    begin : starts a stream for (path it is known by, status of its file) that is read from its first byte
    """

    def __init__(
        self,
        book: StreamBook,
        files: StreamFiles,
        queue: ReadQueue,
        clock: Callable[[], int],
        is_watched: Callable[[str], bool],
        begin: Callable[[str, os.stat_result], StreamPosition],
    ) -> None:
        self._book = book
        self._files = files
        self._queue = queue
        self._is_watched = is_watched
        self._begin = begin
        self._around = Whereabouts()
        self._rotated = RotatedFiles(book, files, queue, clock)
        self._later = LaterRotations(book, files, self._around, is_watched)
        self._earlier: dict[str, int] = {}  # path to the stream whose rest comes before the next one's lines

    def look_anew(self) -> None:
        """Trust no listing of a folder from before."""
        self._around.forget()
        self._earlier.clear()

    def earlier_at(self, path: str) -> int | None:
        """The stream that was read at `path` before, if it left it in this look."""
        return self._earlier.pop(path, None)

    def is_done(self, position: StreamPosition) -> bool:
        """Whether the stream's file will not grow any more."""
        return self._rotated.is_done(position)

    # Where did it go? -------------------------------------------------------------------------------------------------

    def follow(self, position: StreamPosition, other_path: str | None, *, was_away: bool) -> None:
        """The stream's path holds another file, or none. `other_path`: the watched path that now has its file."""
        path, modified_us = position.path, position.modified_us
        self._book.leave_path(position)
        self._earlier[path] = position.stream_id
        if other_path is not None and self.go_on_at(position, other_path):
            pass
        elif position.stream_id in self._files.pool or self._is_found_renamed(position):
            if not self._still_holds(position):
                self._rewritten(position, was_away=was_away)
            elif not self._goes_on_in_its_place(position):
                self._rotated.keep_reading(position)
        elif not self._goes_on_in_its_place(position) and not self._goes_on_in_copy(position):
            self._lost(position, was_away)
        self._later.look_for(path, modified_us, position.stream_id)

    def go_on_at(self, position: StreamPosition, path: str) -> bool:
        """Go on with the stream's file at the watched `path`; False where that is not what was read."""
        if path in self._book.current:
            return False
        tail = self._files.pool.get(position.stream_id)
        try:
            if tail is None:
                self._files.where[position.stream_id] = path
                tail = self._files.open(position)
            if tail is None or not tail.is_same_content():
                self._files.drop(position)
                return False
        except OSError as error:
            self._files.failed(position, error)
            return False
        self._take_path(position, path)
        return True

    def _take_path(self, position: StreamPosition, path: str) -> None:
        self._rotated.leave(position)
        self._book.take_path(position, path)
        self._files.moved(position)
        self._queue.add(position.stream_id)

    def _is_found_renamed(self, position: StreamPosition) -> bool:
        for path in self._around.renamed(position):
            self._files.where[position.stream_id] = path
            tail = self._files.open(position)
            try:
                if tail is not None and tail.is_same_content():
                    return True
            except OSError as error:
                self._files.failed(position, error)
        self._files.drop(position)
        return False

    def _goes_on_in_its_place(self, position: StreamPosition) -> bool:
        """Its path has another file with all that was read, and more: rewritten as a whole, or restored."""
        try:
            content = open_content(position.path)
        except OSError:
            return False
        old = self._files.pool.get(position.stream_id)
        is_it = content.inode == position.inode or is_distinct(position)  # another device: mounted anew
        is_free = position.path not in self._book.current
        try:
            holds_all = is_it and is_free and position.offset > 0 and is_same(position, content)
            if holds_all and (old is None or is_beginning_of(old.content, content)):
                self._go_on_in(position, position.path, content)
                return True
        except OSError:  # it can be read again at the next look, then as another file
            pass
        content.close()
        return False

    def _still_holds(self, position: StreamPosition) -> bool:
        """Whether the stream's open file still has what was read of it."""
        tail = self._files.pool.get(position.stream_id)
        try:
            return tail is not None and tail.is_same_content()
        except OSError:  # then what was seen and not read is declared
            return False

    def _goes_on_in_copy(self, position: StreamPosition) -> bool:
        for path, content in self._around.copies(position):
            if self._is_of_another(position, (content.device, content.inode), content):
                content.close()
                continue
            self._go_on_in(position, path, content)
            return True
        return False

    def _is_of_another(self, position: StreamPosition, file: FileId, content: Content) -> bool:
        """Whether a stream of its own reads (or has read) `content`, or its inode alone says so."""
        other_id = self._book.by_file.get(file)
        if other_id is None or other_id == position.stream_id:
            return False
        other = self._book.positions[other_id]
        if other.offset == 0:
            return other.state in LIVE or other.state == ROTATED
        return other_id in self._files.pool or is_same(other, content)

    def _go_on_in(self, position: StreamPosition, path: str, content: Content) -> None:
        self._book.move_to_file(position, content.device, content.inode)
        self._files.use(position, content)
        position.size = position.offset if content.is_compressed else content.size()
        if self._is_watched(path) and path not in self._book.current:
            self._take_path(position, path)
            return
        self._files.where[position.stream_id] = path
        self._rotated.keep_reading(position)
        self._rotated.end(position)  # nobody writes to a copy

    # It is gone -------------------------------------------------------------------------------------------------------

    def _lost(self, position: StreamPosition, was_away: bool) -> None:
        if was_away:
            self._book.gap(position, position.offset, None, f"rotated away {_AWAY}")
        elif (position.size or 0) > position.offset:
            self._book.gap(position, position.offset, position.size, "removed before it was read")
        if position.offset == 0 and position.modified_us is not None:
            # Nothing to know it by: what was rotated since is read from its start, be it this file or a later one.
            self._later.look_for(position.path, position.modified_us - 1, position.stream_id)
        self._finish(position, DRAINED)

    def _finish(self, position: StreamPosition, state: str) -> None:
        self._rotated.leave(position)
        self._queue.discard(position.stream_id)
        self._files.drop(position)
        self._book.end(position, state)

    def drained(self, position: StreamPosition) -> None:
        """A rotated file was read to its end."""
        tail = self._files.pool.get(position.stream_id)
        if tail is not None and not tail.content.status().st_nlink:  # the next file may have its number at once
            self._book.forget_file(position)
            position.device = position.inode = None
        self._finish(position, DRAINED)

    def truncated(self, position: StreamPosition, status: os.stat_result, *, was_away: bool) -> None:
        """The bytes that were read are not in the file any more: what it holds now is another stream."""
        path, modified_us = position.path, position.modified_us
        self._book.leave_path(position)
        if was_away:
            what = "truncated" if status.st_size < position.offset else "rewritten"
            self._lost_its_bytes(position, TRUNCATED, what, was_away=True)
        else:
            self._lost_its_bytes(position, TRUNCATED, "truncated", was_away=False)
        self._earlier[path] = position.stream_id
        self._later.look_for(path, modified_us, position.stream_id)
        if path not in self._book.current:
            self._book.current[path] = self._begin(path, status).stream_id

    def _lost_its_bytes(self, position: StreamPosition, state: str, what: str, *, was_away: bool) -> None:
        """The stream's file was emptied or rewritten: its rest is read in a copy, or declared lost."""
        offset, seen_size = position.offset, position.size or 0
        self._queue.discard(position.stream_id)
        self._rotated.leave(position)
        self._files.drop(position)
        position.searched = 0
        if self._goes_on_in_copy(position):
            tail = self._files.open(position)
            copied = seen_size if tail is None or tail.content.is_compressed else tail.content.size()
            if copied < seen_size:
                self._book.gap(position, max(copied, offset), seen_size, "written between copy and truncation")
            return
        if was_away:
            self._book.gap(position, offset, None, f"{what} {_AWAY}")
        elif seen_size > offset:
            self._book.gap(position, offset, seen_size, f"{what} before it was read")
        self._finish(position, state)

    def read_later_rotations(self) -> None:
        """Read files that came and were rotated away since the last look; after all known streams were followed."""
        for path, (earlier, files) in self._later.take().items():
            self._earlier[path] = earlier
            for other, status in files:
                if not self._later.is_known(path, other, status):
                    self._keep_reading_new(path, status, other)
            last, current = self._earlier.pop(path), self._book.current.get(path)
            if current is not None and last not in (earlier, current):
                self._queue.hold_back(current, last)

    def _keep_reading_new(
        self, path: str, status: os.stat_result, where: str | None, content: Content | None = None
    ) -> None:
        """Begin a stream of a file that was at `path` and is gone from there, perhaps to `where`."""
        position = self._begin(path, status)
        self._earlier[path] = position.stream_id
        if where is not None:
            self._files.where[position.stream_id] = where
        if content is not None:
            self._files.use(position, content)
        self._rotated.keep_reading(position)

    # Rotated files ----------------------------------------------------------------------------------------------------

    def look_at_rotated(self) -> None:
        """See whether rotated files still grow, and what became of those that are not what they were."""
        for position in self._rotated.look():
            if position.stream_id in self._files.pool:
                self.rewritten(position)
            else:
                self.follow(position, None, was_away=False)

    def rewritten(self, position: StreamPosition) -> None:
        """A rotated file does not hold what was read of it any more."""
        self._rewritten(position, was_away=False)

    def _rewritten(self, position: StreamPosition, *, was_away: bool) -> None:
        """Another stream goes on with what a file holds now that is not at its path, open or under another name."""
        where = self._files.where.get(position.stream_id)
        tail = self._files.pool.take_out(position.stream_id)
        self._lost_its_bytes(position, DRAINED, "rewritten", was_away=was_away)
        if tail is None:
            return
        if (position.device, position.inode) == (tail.content.device, tail.content.inode):  # not gone on in a copy
            self._book.forget_file(position)
        try:
            status = tail.content.status()
        except OSError:
            status = None
        if status is None or not status.st_size:
            tail.content.close()
            return
        self._keep_reading_new(position.path, status, where, tail.content)
