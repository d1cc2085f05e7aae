"""Files that left their paths and are read to their end: which still grow, and which are done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livesec.core.anomaly import StreamPosition
from livesec.core.clock import US_PER_S
from livesec.sources.read_queue import ReadQueue
from livesec.sources.stream_book import ROTATED, StreamBook
from livesec.sources.stream_files import StreamFiles

QUIET_US = 30 * US_PER_S
"""A rotated file that has not grown for so long is done: its last line needs no line break any more."""
MAX_ROTATED = 128
"""Rotated files kept open at once; beyond that the longest quiet is done early."""
CUT_OFF = "cut off before it was read"


@dataclass(slots=True)
class _Quiet:
    size: int
    since_us: int
    is_done: bool = False


class RotatedFiles:
    """The streams in state `rotated`, and since when their files have not grown."""

    def __init__(self, book: StreamBook, files: StreamFiles, queue: ReadQueue, clock: Callable[[], int]) -> None:
        self._book = book
        self._files = files
        self._queue = queue
        self._clock = clock
        self._quiet: dict[int, _Quiet] = {}

    def is_done(self, position: StreamPosition) -> bool:
        """Whether the stream's file will not grow any more."""
        quiet = self._quiet.get(position.stream_id)
        return quiet is not None and quiet.is_done

    def keep_reading(self, position: StreamPosition) -> None:
        """Read the rest of a rotated file, and what still comes."""
        self._book.revive(position, ROTATED)
        tail = self._files.open(position)
        size = tail.content.size() if tail is not None else position.offset
        is_whole = tail is not None and tail.content.is_compressed
        if not is_whole:
            self._note_size(position, size)
        self._quiet[position.stream_id] = _Quiet(size, self._clock(), is_whole)
        self._queue.add(position.stream_id, first=True)
        waiting = [stream_id for stream_id, quiet in self._quiet.items() if not quiet.is_done]
        for oldest in waiting[: max(0, len(waiting) - MAX_ROTATED)]:
            self._quiet[oldest].is_done = True
            self._queue.add(oldest)

    def end(self, position: StreamPosition) -> None:
        """The file of a stream that is kept reading will not grow any more."""
        self._quiet[position.stream_id].is_done = True

    def leave(self, position: StreamPosition) -> None:
        """The stream is at a path again, or has ended."""
        self._quiet.pop(position.stream_id, None)

    def look(self) -> list[StreamPosition]:
        """See which still grow; those that have not for QUIET_US are done.

        Returns those whose files are not what they were: cut below what was read, or (not open then) not to be found.
        """
        now_us = self._clock()
        changed = []
        for stream_id, quiet in list(self._quiet.items()):
            position = self._book.positions[stream_id]
            tail = self._files.open(position)
            if tail is None:
                if stream_id not in self._files.failing:
                    changed.append(position)
                continue
            size = tail.content.size()
            if not tail.content.is_compressed:
                if size < position.offset:
                    changed.append(position)
                    continue
                self._note_size(position, size)
            if size != quiet.size or now_us < quiet.since_us:
                quiet.size, quiet.since_us = size, now_us
                self._queue.add(stream_id)
            elif now_us - quiet.since_us >= QUIET_US:
                quiet.is_done = True
                self._queue.add(stream_id)
        return changed

    def _note_size(self, position: StreamPosition, size: int) -> None:
        seen_size = position.size or 0
        if size < seen_size:
            self._book.gap(position, max(size, position.offset), seen_size, CUT_OFF)
            position.searched = 0
            self._book.changed(position)
        position.size = size
