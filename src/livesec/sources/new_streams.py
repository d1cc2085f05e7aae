"""New streams: from where a file is read that has none yet, as the user's `history` says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from livesec.core.anomaly import StreamPosition
from livesec.core.clock import US_PER_DAY
from livesec.sources.stream_book import StreamBook
from livesec.sources.stream_files import StreamFiles
from livesec.sources.tail_file import TailFile
from livesec.sources.watched_paths import WatchedPaths


class NewStreams:
    """Begins streams and opens them at the place where their reading starts.

    Parameters
    ----------
    history : `start`, `end` or `<n>d`. It holds for files that are there when their pattern is first looked at; what
        comes later to a folder or glob is read from its start, also what came while nobody was reading
    """

    def __init__(
        self,
        book: StreamBook,
        files: StreamFiles,
        *,
        history: str,
        zone_of: Callable[[str], str],
        clock: Callable[[], int],
    ) -> None:
        self._book = book
        self._files = files
        self._history = history
        self._zone_of = zone_of
        self._clock = clock
        self._new_patterns: set[str] = set()
        self._skipped: set[int] = set()

    def patterns_are_new(self, patterns: Iterable[str]) -> None:
        """At the next look at everything, history holds for the files of these patterns."""
        self._new_patterns = set(patterns)

    def leave_out_known(self, paths: WatchedPaths, found: Iterable[str]) -> None:
        """Folders and globs of which a file is known were looked at before, in another life."""
        known = {item.path for item in self._book.positions.values()}
        patterns = {pattern for path in found if path in known and (pattern := paths.pattern_of(path)) is not None}
        self._new_patterns -= {pattern.text for pattern in patterns if not pattern.is_outright}

    def is_first_look(self, paths: WatchedPaths, path: str) -> bool:
        """Whether `path` is looked at together with its pattern for the first time."""
        if not self._new_patterns:
            return False
        pattern = paths.pattern_of(path)
        return pattern is not None and pattern.text in self._new_patterns

    def begin(self, path: str, status: os.stat_result, *, is_first_look: bool) -> StreamPosition:
        """A new stream of the file that `status` is of, known by `path`."""
        days = int(self._history[:-1]) if self._history[:-1].isdigit() else None
        return self._book.begin(
            StreamPosition(
                stream_id=0,
                uid="",
                kind="file",
                path=path,
                generation=0,
                reference_time_us=status.st_mtime_ns // 1000,
                time_zone=self._zone_of(path),
                device=status.st_dev,
                inode=status.st_ino,
                history_end=status.st_size if is_first_look else 0,
                not_before_us=self._clock() - days * US_PER_DAY if is_first_look and days is not None else 0,
            )
        )

    def open(self, position: StreamPosition) -> TailFile | None:
        """The stream's file, as StreamFiles.open; with history `end` behind what was there at the first look."""
        is_unread = position.offset == 0 and position.history_end and position.stream_id not in self._skipped
        if is_unread and self._history == "end":
            self.skip_to(position, position.history_end)
        return self._files.open(position)

    def skip_to(self, position: StreamPosition, limit: int) -> None:
        """Leave out the lines before `limit`; where the file cannot be read, that is tried again when it is opened."""
        tail = self._files.open(position)
        if tail is None:
            return
        self._skipped.add(position.stream_id)
        try:
            tail.skip_to_end(limit)
        except OSError as error:
            self._files.failed(position, error)
        self._book.changed(position)
