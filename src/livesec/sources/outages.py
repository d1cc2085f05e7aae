"""Times when a feed was not connected, on their way from the thread that receives to the one that commits."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from livesec.core.anomaly import Gap, StreamPosition


class Outages:
    """Outages of the feed that is spooled to `path`; any thread may note them."""

    def __init__(self, path: Path) -> None:
        self._path = os.path.abspath(path)
        self._lock = threading.Lock()
        self._noted: list[tuple[int, str]] = []

    def note(self, offset: int, reason: str) -> None:
        """What would follow at `offset` of the spool is not known, for `reason`."""
        with self._lock:
            self._noted.append((offset, reason))

    def take(self, positions: Iterable[StreamPosition]) -> list[Gap]:
        """Those noted since the last call, as gaps of the spool's stream; none while it has no stream yet."""
        stream_id = max((item.stream_id for item in positions if item.path == self._path), default=None)
        if stream_id is None:
            return []
        with self._lock:
            noted, self._noted = self._noted, []
        return [Gap(stream_id, self._path, offset, None, reason) for offset, reason in noted]
