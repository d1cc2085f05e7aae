"""Wakes one reader from any thread or signal handler, and keeps what was touched meanwhile."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import NamedTuple

MAX_TOUCHED = 10_000
"""Paths remembered between two waits; with more of them, everything is looked at."""
_PIPE_BYTES = 1 << 16  # all that a pipe holds


class Wake(NamedTuple):
    """What happened since the last wait."""

    touched: set[str]
    everywhere: bool
    """Events were lost or directories changed: the touched paths are not all."""


class Bell:
    """Rung by many, waited for by one."""

    def __init__(self) -> None:
        # A pipe and not an Event: a signal handler must be able to wake the reader without taking a lock. It is never
        # closed: a signal may come at any time.
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)
        self._lock = threading.Lock()
        self._touched: set[str] = set()
        self._everywhere = False

    def ring(self) -> None:
        """Wake the reader; takes no lock."""
        with suppress(BlockingIOError):  # a full pipe wakes as well
            os.write(self._write_end, b"x")

    def note(self, path: str) -> None:
        """Mark `path` touched and wake the reader."""
        with self._lock:
            if len(self._touched) < MAX_TOUCHED:
                self._touched.add(path)
            else:
                self._everywhere = True
        self.ring()

    def note_everywhere(self) -> None:
        """Mark everything touched and wake the reader."""
        with self._lock:
            self._everywhere = True
        self.ring()

    def wait(self, timeout_s: float) -> Wake:
        """Sleep until something happens, at most `timeout_s`; what was touched is told once."""
        if select.select([self._read_end], [], [], timeout_s)[0]:
            with suppress(BlockingIOError):
                os.read(self._read_end, _PIPE_BYTES)
        with self._lock:
            woken = Wake(self._touched, self._everywhere)
            self._touched, self._everywhere = set(), False
        return woken
