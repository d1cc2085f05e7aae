"""A thread that only waits for journalctl's output and wakes the reader."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable

from livesec.sources.journald import JournalSource

_WAIT_S = 0.5
_GATHER_S = 0.1  # let entries gather
_JOIN_S = 1.0


class JournalThread:
    """Calls `wake` when entries have come, from construction to `stop`."""

    def __init__(self, journal: JournalSource, wake: Callable[[], None]) -> None:
        self._journal = journal
        self._wake = wake
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._wait_for_entries, name="journal", daemon=True)
        self._thread.start()

    def _wait_for_entries(self) -> None:
        while not self._stopped.is_set():
            fd = self._journal.fd
            if fd is None:
                self._stopped.wait(_WAIT_S)
                continue
            try:
                ready, _, _ = select.select([fd], [], [], _WAIT_S)
            except (OSError, ValueError):  # closed between the two lines
                continue
            if ready:
                self._wake()
                self._stopped.wait(_GATHER_S)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(_JOIN_S)
