"""Opens the files of streams, within the limit of handles, and notes which cannot be opened."""

from __future__ import annotations

import logging
from collections.abc import Callable

from livesec.core.anomaly import StreamPosition
from livesec.core.text import shown
from livesec.sources.content import Content, open_content
from livesec.sources.handles import HandlePool
from livesec.sources.stream_book import LIVE, ROTATED, StreamBook
from livesec.sources.tail_file import TailFile, stream_info

_log = logging.getLogger(__name__)


class StreamFiles:
    """The open files of the streams in `book`.

    Parameters
    ----------
    is_waiting : whether a stream has something to read soon, so that closing its file would not save anything
    """

    def __init__(self, book: StreamBook, is_waiting: Callable[[int], bool]) -> None:
        self._book = book
        self._is_waiting = is_waiting
        self.pool = HandlePool()
        self.where: dict[int, str] = {}
        """Path of a stream's file where it is not the stream's own path."""
        self.failing: set[int] = set()
        """Streams whose files could not be opened or read at the last try."""
        self.in_hand: int | None = None
        """The stream whose batch is being processed: its file stays open."""

    def open(self, position: StreamPosition) -> TailFile | None:
        """The stream's file; None where it is not there (the next look finds out) or may not be read (noted)."""
        tail = self.pool.get(position.stream_id)
        if tail is not None:
            return tail
        try:
            content = open_content(self.where.get(position.stream_id, position.path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self.failed(position, error)
            return None
        if (content.device, content.inode) != (position.device, position.inode):
            content.close()
            return None
        return self.use(position, content)

    def use(self, position: StreamPosition, content: Content) -> TailFile:
        """Take `content` as the stream's file from now on."""
        self.pool.drop(position.stream_id)
        self.pool.make_room(lambda other: self._may_close(other) and not self._is_waiting(other))
        self.pool.make_room(self._may_close)
        tail = TailFile(position, content)
        self.pool.put(position.stream_id, tail)
        self.failing.discard(position.stream_id)
        if position.state == "error":
            position.state, position.error = "active", None
            self._book.changed(position)
        return tail

    def _may_close(self, stream_id: int) -> bool:
        """Not what is being processed, nor a rotated file that only its handle leads to."""
        position = self._book.positions.get(stream_id)
        is_findable = position is None or position.state != ROTATED or stream_id in self.where
        return stream_id != self.in_hand and is_findable

    def moved(self, position: StreamPosition) -> None:
        """The stream's own path is where its file is."""
        self.where.pop(position.stream_id, None)
        tail = self.pool.get(position.stream_id)
        if tail is not None:
            tail.info = stream_info(position)

    def drop(self, position: StreamPosition) -> None:
        """The stream's file is not needed any more."""
        self.pool.drop(position.stream_id)
        self.where.pop(position.stream_id, None)
        self.failing.discard(position.stream_id)

    def failed(self, position: StreamPosition, error: OSError) -> None:
        """Note that the stream's file cannot be read now, once; it is tried again at every look."""
        self.pool.drop(position.stream_id)
        if position.state in LIVE or position.state == ROTATED:
            self.failing.add(position.stream_id)
        reason = error.strerror or str(error)
        if position.state == "active" or (position.state == "error" and position.error != reason):
            position.state, position.error = "error", reason
            self._book.changed(position)
            _log.error("%s: cannot be read (%s); looking again", shown(position.path), shown(reason))
