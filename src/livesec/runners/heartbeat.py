"""The daemon's sign of life in the store: computed at each beat from what is so at that moment."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from sqlalchemy.exc import OperationalError

from livesec import __version__
from livesec.core.clock import now_us
from livesec.core.errors import StoreDamagedError
from livesec.runners.commits import Commits
from livesec.sources.file_source import FileSource
from livesec.sources.watch import Watcher
from livesec.store.health_queries import LEARNED_ANEW, MATURITY, MAX_ROWS, READ_ON, maturity_value
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)
BEAT_S = 2.0
MATURITY_S = 30.0
"""How much is known of the entities is counted this often: it takes some milliseconds and changes slowly."""


class Heartbeat:
    """Writes the store's `health` rows `daemon` and `unread`; keeps the write-ahead log short on the way."""

    def __init__(
        self, writer: StoreWriter, watcher: Watcher, files: FileSource, commits: Commits, *, journal: bool
    ) -> None:
        self._writer = writer
        self._watcher = watcher
        self._files = files
        self._commits = commits
        self._journal = journal
        self._started_us = now_us()
        self.due = 0.0
        """Monotonic time of the next beat."""
        self._maturity_due = 0.0
        self.settings_problem: str | None = None
        """Why the settings could not be read again, or which of them wait for the next start."""

    def beat_if_due(self) -> None:
        """Beat every BEAT_S."""
        if time.monotonic() >= self.due:
            self.beat()

    def beat(self, *, stopped: bool = False) -> None:
        """Write what is so now."""
        self.due = time.monotonic() + BEAT_S
        if self._commits.problem is None and not stopped:
            self._keep_log_short()
        live = [item for item in self._files.positions if item.state in READ_ON]
        unread = sorted((item.oldest_unread_us, item.stream_id) for item in live if item.oldest_unread_us is not None)
        health = {
            "pid": os.getpid(),
            "version": __version__,
            "started_us": self._started_us,
            "beat_us": now_us(),
            "watcher": self._watcher.state,
            "watcher_rebuilt": self._watcher.rebuilt,
            "watcher_overflows": self._watcher.overflows,
            "sources": len(live) + self._journal,
            "lookup_data": self._commits.engine.data_versions,
            "last_commit_us": self._commits.last_commit_us,
            "commit_problem": self._commits.problem,
            "wal_held_since_us": self._writer.wal.held_since_us,
            "settings_problem": self.settings_problem,
            "stopped": stopped,
        }
        oldest = {stream_id: since_us for since_us, stream_id in unread[:MAX_ROWS]}
        values = {"daemon": health, "unread": oldest} | self._learned_anew() | self._maturity(stopped=stopped)
        try:
            self._writer.put_health(values)
        except OperationalError as error:
            _log.warning("%s: health not written: %s", self._writer.path, error.orig)
        except StoreDamagedError as error:
            _log.error("health not written: %s", error)
        else:
            self._commits.engine.learned_anew.clear()

    def _learned_anew(self) -> dict[str, dict[str, Any]]:
        """Health rows of what lost its saved state; they stay, for the gap in what was learned does."""
        lost = self._commits.engine.learned_anew
        return {
            f"{LEARNED_ANEW}{component}": {"reason": reason, "since_us": now_us()} for component, reason in lost.items()
        }

    def _maturity(self, *, stopped: bool) -> dict[str, dict[str, list[int]]]:
        """The health row of what detectors know, when it is due."""
        if time.monotonic() < self._maturity_due and not stopped:
            return {}
        self._maturity_due = time.monotonic() + MATURITY_S
        return {MATURITY: maturity_value(self._commits.engine.maturity())}

    def _keep_log_short(self) -> None:
        was_held = self._writer.wal.held_since_us is not None
        if not self._writer.wal.keep_short() and not was_held:
            _log.warning(
                "%s-wal: %d bytes, and a reader of the store keeps it from being emptied; it grows until that ends",
                self._writer.path,
                self._writer.wal.size_bytes(),
            )
