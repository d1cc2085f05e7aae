"""The open files, at most so many: those not needed just now are closed, the longest unused first."""

from __future__ import annotations

import resource
from collections import OrderedDict
from collections.abc import Callable

from livesec.sources.tail_file import TailFile

MAX_OPEN_FILES = 512
_MAX_COMPRESSED = 16  # each keeps some MiB of what it decompressed


def _limit() -> int:
    """MAX_OPEN_FILES, or half of what this process may open."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_OPEN_FILES if allowed == resource.RLIM_INFINITY else max(1, min(MAX_OPEN_FILES, allowed // 2))


class HandlePool:
    """Open files by stream id."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, TailFile] = OrderedDict()
        self._compressed = 0

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, stream_id: int) -> bool:
        return stream_id in self._open

    def get(self, stream_id: int) -> TailFile | None:
        """The open file of a stream, which is then the last to be closed."""
        tail = self._open.get(stream_id)
        if tail is not None:
            self._open.move_to_end(stream_id)
        return tail

    def put(self, stream_id: int, tail: TailFile) -> None:
        """Keep an open file; one that the stream had before is closed."""
        self.drop(stream_id)
        self._open[stream_id] = tail
        self._compressed += tail.content.is_compressed

    def take_out(self, stream_id: int) -> TailFile | None:
        """A stream's open file, which is the caller's from now on."""
        tail = self._open.pop(stream_id, None)
        if tail is not None:
            self._compressed -= tail.content.is_compressed
        return tail

    def drop(self, stream_id: int) -> None:
        """Close a stream's file if it is open."""
        tail = self.take_out(stream_id)
        if tail is not None:
            tail.content.close()

    def make_room(self, may_close: Callable[[int], bool]) -> None:
        """Close what may be closed until one more file can be opened within the limit."""
        limit = _limit()
        if len(self._open) < limit and self._compressed < _MAX_COMPRESSED:
            return
        for stream_id, tail in list(self._open.items()):
            is_needed = len(self._open) < limit and (
                self._compressed < _MAX_COMPRESSED or not tail.content.is_compressed
            )
            if not is_needed and may_close(stream_id):
                self.drop(stream_id)
            if len(self._open) < limit and self._compressed < _MAX_COMPRESSED:
                return

    def close(self) -> None:
        """Close every file."""
        for stream_id in list(self._open):
            self.drop(stream_id)
