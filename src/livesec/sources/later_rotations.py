"""Files that came to a path and were rotated away again between two looks: found by name and time, read if unknown."""

from __future__ import annotations

import os
from collections.abc import Callable

from livesec.core.anomaly import StreamPosition
from livesec.sources.content import Content, open_content
from livesec.sources.identity import is_beginning_of, is_distinct, is_same
from livesec.sources.stream_book import ROTATED, StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.whereabouts import Whereabouts

Later = tuple[int, list[tuple[str, os.stat_result]]]
"""(the stream that was at the path before, the rotated files written since in the order of their last writes)."""


class LaterRotations:
    """Paths that were rotated in this look, and what was there in between.

    Parameters
    ----------
    is_watched : whether the user's patterns name a path: what they name is found without this
    """

    def __init__(
        self, book: StreamBook, files: StreamFiles, around: Whereabouts, is_watched: Callable[[str], bool]
    ) -> None:
        self._book = book
        self._files = files
        self._around = around
        self._is_watched = is_watched
        self._asked: dict[str, tuple[int, int]] = {}  # path to (modified, stream) of what was there before
        self._vacant: dict[str, tuple[int, int]] = {}  # the same of paths where nothing was seen since

    def look_for(self, path: str, since_us: int | None, stream_id: int) -> None:
        """Have `take` look for files that were at `path` between this stream's file and what is there now."""
        if since_us is not None:
            earliest_us = min(since_us, self._asked[path][0]) if path in self._asked else since_us
            self._asked[path] = earliest_us, stream_id

    def take(self) -> dict[str, Later]:
        """What there is for each path asked for; some of it may be known (`is_known`).

        Where no file took the place yet, one may come and be rotated away itself before the next look.
        """
        asked, self._asked = self._asked, {}
        self._vacant |= asked
        for path, (since_us, earlier) in list(self._vacant.items()):
            position = self._book.positions.get(earlier)
            is_taken = path in self._book.current
            if is_taken or position is None:
                del self._vacant[path]
            if is_taken or (position is not None and position.state == ROTATED):
                asked[path] = since_us, earlier
        return {
            path: (earlier, [item for item in self._around.later(path, since_us) if not self._is_watched(item[0])])
            for path, (since_us, earlier) in asked.items()
        }

    def is_known(self, path: str, other: str, status: os.stat_result) -> bool:
        """Whether `other`, a rotated file of `path`, is or was read under any name."""
        own_id = self._book.by_file.get((status.st_dev, status.st_ino))
        own = None if own_id is None else self._book.positions[own_id]
        if own is not None and own.offset == 0:
            return True
        try:
            content = open_content(other)
        except OSError:  # the new stream says so
            return False
        try:
            if own is not None and is_same(own, content):
                return True
            return any(self._is_copy(item, content) for item in self._book.of_family(path) if item is not own)
        except OSError:  # damaged compressed data: as far as that goes
            return False
        finally:
            content.close()

    def _is_copy(self, position: StreamPosition, content: Content) -> bool:
        """Whether `content` is a copy of the stream's file, of which it can have no more than was there."""
        tail = self._files.pool.get(position.stream_id)
        if tail is not None and tail.content.size() >= max(position.offset, 1) and tail.is_same_content():
            if not is_beginning_of(content, tail.content):
                return False
            return is_same(position, content) if position.offset else content.size() >= (position.size or 0) > 0
        if not position.offset or not is_same(position, content):
            return False
        return is_distinct(position) or not content.pread(1, position.offset)  # else it only begins alike
