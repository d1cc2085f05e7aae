"""Wakes the reader when something happens in a watched directory. Events carry no truth: the reader looks for itself.

watchdog's own failures are silent (inotify overflow, emitters that die), so its health is checked on every tick and
a full rescan runs whatever the events say.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from watchdog.events import (
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

_log = logging.getLogger(__name__)
_PIPE_BYTES = 1 << 16  # all that a pipe holds
_FULL = frozenset({errno.ENOSPC, errno.EMFILE, errno.ENFILE})


class _Marker(FileSystemEventHandler):
    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, FileOpenedEvent | FileClosedNoWriteEvent):
            return  # our own reads
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path and not self._watcher.is_ignored(path):
                self._watcher.note(path)


class Watcher:
    """Watches directories; `wait` returns what was touched since the last call.

    Parameters
    ----------
    is_ignored : paths whose events count for nothing, such as the store's own
    """

    def __init__(self, is_ignored: Callable[[str], bool]) -> None:
        self.is_ignored = is_ignored
        # A pipe and not an Event: a signal handler must be able to wake the reader without taking a lock.
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._lock = threading.Lock()
        self._touched: set[str] = set()
        self._directories: frozenset[Path] = frozenset()
        self._observer: BaseObserver | None = None
        self.state = "starting"
        """`inotify` (or the platform's own), or `polling` with the reason."""

    def note(self, path: str) -> None:
        """Mark `path` touched and wake the reader; any thread."""
        with self._lock:
            self._touched.add(path)
        self.wake()

    def wake(self) -> None:
        """Wake the reader for another reason, such as a signal."""
        with suppress(BlockingIOError):  # a full pipe wakes as well
            os.write(self._wake_write, b"x")

    def wait(self, timeout_s: float) -> set[str]:
        """Sleep until something happens, at most `timeout_s`; returns the touched paths."""
        if select.select([self._wake_read], [], [], timeout_s)[0]:
            with suppress(BlockingIOError):
                os.read(self._wake_read, _PIPE_BYTES)
        with self._lock:
            touched, self._touched = self._touched, set()
        return touched

    def watch(self, directories: Iterable[Path]) -> None:
        """Watch exactly `directories` (those that exist); rebuilds the observer where they changed or it died."""
        wanted = frozenset(directory for directory in directories if directory.is_dir())
        if wanted == self._directories and self._is_alive():
            return
        self.close()
        self._directories = wanted
        if not wanted:
            self.state = "polling (nothing to watch yet)"
            return
        observer = Observer()
        try:
            for directory in sorted(wanted):
                observer.schedule(_Marker(self), str(directory), recursive=False)
            observer.start()
        except OSError as error:
            reason = "no more watches or handles" if error.errno in _FULL else str(error.strerror)
            self.state = f"polling ({reason})"
            _log.warning("file events are off (%s): looking at every file instead", reason)
            self._observer = None
            return
        self._observer = observer
        self.state = "inotify"

    def _is_alive(self) -> bool:
        if self._observer is None:
            return self.state.startswith("polling")
        return self._observer.is_alive() and all(emitter.is_alive() for emitter in self._observer.emitters)

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=2)
            self._observer = None
