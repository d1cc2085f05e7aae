"""New files that read like the beginning of a live one: perhaps a copytruncate that has not truncated yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livesec.core.anomaly import StreamPosition
from livesec.core.clock import US_PER_S
from livesec.sources.content import open_content
from livesec.sources.identity import HEAD_BYTES, is_beginning_of, is_same
from livesec.sources.rotated_names import originals
from livesec.sources.stream_book import StreamBook
from livesec.sources.stream_files import StreamFiles

HOLD_US = 10 * US_PER_S
"""How long such a file must not grow until it is taken for a file of its own."""


@dataclass(slots=True)
class _Held:
    size: int
    since_us: int


class HeldCopies:
    """Decides which new files wait. One that waits is unread; when its original is truncated, it is the rest of it."""

    def __init__(self, book: StreamBook, files: StreamFiles, clock: Callable[[], int]) -> None:
        self._book = book
        self._files = files
        self._clock = clock
        self._held: dict[str, _Held] = {}

    def must_wait(self, path: str, status: os.stat_result) -> bool:
        """Whether the new file at `path` may yet turn out to be the copy of a live one."""
        if not any(self._is_beginning(path, original) for original in self._originals(path)):
            self._held.pop(path, None)
            return False
        now_us = self._clock()
        held = self._held.get(path)
        if held is None or held.size != status.st_size or held.since_us > now_us:
            self._held[path] = _Held(status.st_size, now_us)
            return True
        return now_us - held.since_us < HOLD_US

    def is_kept_copy(self, path: str, status: os.stat_result) -> bool:
        """Whether a file that waited long enough is a copy that somebody keeps: its lines are read in the original."""
        self._held.pop(path, None)
        return status.st_size >= HEAD_BYTES and any(self._is_beginning(path, item) for item in self._originals(path))

    def forget_all_but(self, paths: Iterable[str]) -> None:
        """Forget files that are gone."""
        if self._held:
            self._held = {path: held for path in paths if (held := self._held.get(path)) is not None}

    def _originals(self, path: str) -> list[StreamPosition]:
        folder, name = os.path.split(path)
        ids = (self._book.current.get(os.path.join(folder, original)) for original in originals(name))
        return [self._book.positions[stream_id] for stream_id in ids if stream_id is not None]

    def _is_beginning(self, path: str, original: StreamPosition) -> bool:
        tail = self._files.open(original)
        if tail is None:
            return False
        try:
            content = open_content(path)
        except OSError:
            return False
        try:
            return is_beginning_of(content, tail.content) or (original.offset > 0 and is_same(original, content))
        except OSError:
            return False
        finally:
            content.close()
