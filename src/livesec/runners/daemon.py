"""The daemon: wakes on file events, reads what is new, detects, commits, and never loses its place."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType
from typing import TextIO

from sqlalchemy.exc import OperationalError

from livesec import __version__
from livesec.alerts.console import ConsoleAlerts
from livesec.core.anomaly import BatchResult, Commit, Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.clock import now_us
from livesec.core.errors import StateVersionError
from livesec.core.settings import Settings
from livesec.core.severity import Severity
from livesec.runners.wiring import make_engine
from livesec.sources.file_source import FileSource, directories_of
from livesec.sources.journald import JournalSource
from livesec.sources.tail_file import stream_info
from livesec.sources.watch import Watcher
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)
_BEAT_S = 2.0
_IDLE_AFTER_S = 10.0
_COMMIT_RETRY_S = 1.0
_JOURNAL_WAIT_S = 0.5
_JOURNAL_PAUSE_S = 0.1  # let entries gather


class Daemon:
    """Watches `patterns` (and the journal) until stopped."""

    def __init__(
        self,
        settings: Settings,
        patterns: Sequence[str],
        writer: StoreWriter,
        *,
        history: str,
        journal: bool,
        console: TextIO,
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._alerts = ConsoleAlerts(console, Severity(settings.console_alerts_from))
        known = writer.streams()
        self._files = FileSource(patterns, known, history=history, time_zone=settings.time_zone, clock=now_us)
        self._journal = self._make_journal(known, history) if journal else None
        self._engine = make_engine(settings, self._line_at)
        self._watcher = Watcher(self._is_own_file)
        self._stopping = False
        self._started_us = now_us()
        self._snapshot_at = time.monotonic() + settings.snapshot_interval_s
        self._unsaved = False
        self._last_commit_us: int | None = None
        self._beat_at = 0.0

    def _make_journal(self, known: Sequence[StreamPosition], history: str) -> JournalSource:
        position = next((item for item in known if item.kind == "journal"), None)
        # files number their streams upwards from 1, the journal has a number of its own
        return JournalSource(position, stream_id=0, history=history, clock=now_us)

    def _is_own_file(self, path: str) -> bool:
        """The store and its mirror: their events must not wake the daemon that causes them."""
        return path.startswith(os.path.abspath(self._writer.path)) or path == str(self._writer.mirror_path)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """End after the batch in hand; safe in a signal handler: no lock is taken."""
        self._stopping = True
        self._watcher.wake()

    def _line_at(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """An earlier line, from its file or from the journal where the file has gone."""
        return self._files.line_at(stream_id, offset) or self._writer.journalled_line(stream_id, offset)

    def run(self) -> None:
        """Recover, then read until `stop`. Raises StoreDamagedError and other LiveSecErrors that end the daemon."""
        previous = {name: signal.signal(name, self.stop) for name in (signal.SIGTERM, signal.SIGINT)}
        journal_thread = self._start_journal_thread()
        try:
            self._recover()
            self._beat()
            self._loop()
        finally:
            self._stopping = True
            self._shut_down()
            if journal_thread is not None:
                journal_thread.join(timeout=2)
            for name, handler in previous.items():
                signal.signal(name, handler)

    def _shut_down(self) -> None:
        self._watcher.close()
        if self._unsaved:
            self._save()
        self._beat(stopped=True)
        self._files.close()
        if self._journal is not None:
            self._journal.close()

    # Recovery ---------------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Saved state, then the journalled batches since: afterwards the engine is where the last commit left it."""
        try:
            self._engine.restore(self._writer.snapshots())
        except StateVersionError as error:
            _log.warning("saved state is of another version and is learned anew: %s", error)
            self._engine = make_engine(self._settings, self._line_at)
        infos = {item.stream_id: stream_info(item) for item in self._writer.streams()}
        batches = 0
        for batch, historical in self._writer.journalled(infos):
            self._engine.process(batch, historical=historical)
            batches += 1
        self._engine.recent.drain()
        if batches:
            _log.info("recovered %d journalled batches", batches)
            self._unsaved = True

    # The loop ---------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        settings = self._settings
        full_scan_at = 0.0
        touched: set[str] | None = None
        busy_until = time.monotonic() + _IDLE_AFTER_S
        while not self._stopping:
            now = time.monotonic()
            if now >= full_scan_at:
                self._watcher.watch(directories_of(self._files.patterns))
                self._files.scan()
                idle = now > busy_until and self._watcher.state == "inotify"
                full_scan_at = now + (settings.idle_rescan_interval_s if idle else settings.rescan_interval_s)
            elif touched:
                known = touched & self._known_paths
                self._files.scan(known)
                if touched - known:
                    full_scan_at = 0.0  # a path that may match a pattern has come
            if self._read_all():
                busy_until = time.monotonic() + _IDLE_AFTER_S
            self._commit_positions()
            self._keep_up()
            touched = self._watcher.wait(max(0.0, min(full_scan_at, self._beat_at) - time.monotonic()))
            if touched and not self._stopping:
                time.sleep(settings.batch_interval_s)  # let a burst arrive as one batch

    def _keep_up(self) -> None:
        """What is due whether or not there is anything to read: the heartbeat and the saving of state."""
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat()
            self._beat_at = now + _BEAT_S
        if self._unsaved and now >= self._snapshot_at:
            self._save()

    @property
    def _known_paths(self) -> set[str]:
        return {item.path for item in self._files.positions}

    def _read_all(self) -> bool:
        """Take everything that can be read now; whether there was anything."""
        took = False
        for batch in self._files.read(self._writer.next_sequence):
            historical = self._files.is_historical(batch)
            result = self._engine.process(batch, historical=historical)
            self._files.committed(batch, max(result.formats, key=lambda name: result.formats[name], default=None))
            positions, gaps = self._files.take_changes()
            self._commit(result, batch, positions, gaps, historical)
            took = True
            if self._stopping:
                return took
            self._keep_up()
        return self._read_journal() or took

    def _read_journal(self) -> bool:
        if self._journal is None:
            return False
        batch = self._journal.read(self._writer.next_sequence)
        if batch is None:
            return False
        historical = self._journal.is_first_look
        result = self._engine.process(batch, historical=historical)
        self._journal.committed(batch)
        self._commit(result, batch, [self._journal.position], [], historical)
        return True

    def _start_journal_thread(self) -> threading.Thread | None:
        """A thread that only waits for journalctl's output and wakes the reader."""
        if self._journal is None:
            return None
        journal = self._journal

        def wait_for_entries() -> None:
            while not self._stopping:
                fd = journal.fd
                if fd is None:
                    time.sleep(_JOURNAL_WAIT_S)
                    continue
                try:
                    ready, _, _ = select.select([fd], [], [], _JOURNAL_WAIT_S)
                except (OSError, ValueError):  # closed between the two lines
                    continue
                if ready:
                    self._watcher.note("journald")
                    time.sleep(_JOURNAL_PAUSE_S)

        thread = threading.Thread(target=wait_for_entries, name="journal", daemon=True)
        thread.start()
        return thread

    # Commits ----------------------------------------------------------------------------------------------------------

    def _commit(
        self,
        result: BatchResult,
        batch: RawBatch,
        positions: Sequence[StreamPosition],
        gaps: Sequence[Gap],
        historical: bool,
    ) -> None:
        result.recent = self._engine.recent.drain()
        commit = Commit(
            result=result,
            streams=positions,
            batch=batch,
            historical=historical,
            gaps=gaps,
            next_sequence=self._writer.next_sequence + len(batch),
        )
        done = self._commit_until_done(commit)
        self._close_ended(positions)
        if not done:
            self._unsaved = False  # the engine is ahead of the store now: its state must not be saved
            return
        self._unsaved = True
        self._last_commit_us = now_us()
        if not historical:
            self._alerts.show(result.anomalies)

    def _close_ended(self, positions: Sequence[StreamPosition]) -> None:
        for position in positions:
            if position.state in ("drained", "truncated"):
                self._engine.close_stream(position.stream_id)

    def _commit_until_done(self, commit: Commit) -> bool:
        """Try a commit until it succeeds; False where the daemon was stopped meanwhile."""
        complained = False
        while True:
            try:
                self._writer.commit(commit)
            except (OperationalError, OSError) as error:
                reason = getattr(error, "orig", error)
                if not complained:
                    _log.error("%s: cannot be written (%s); trying again each second", self._writer.path, reason)
                    complained = True
                if self._stopping:
                    return False
                self._watcher.wait(_COMMIT_RETRY_S)
            else:
                if complained:
                    _log.info("%s: written again", self._writer.path)
                return True

    def _commit_positions(self) -> None:
        """Streams that appeared, rotated or failed without a batch."""
        positions, gaps = self._files.take_changes()
        if positions or gaps:
            self._close_ended(positions)
            self._commit_until_done(Commit(streams=positions, gaps=gaps, next_sequence=self._writer.next_sequence))

    def _save(self) -> None:
        """Store the state that changed and empty the journal."""
        self._snapshot_at = time.monotonic() + self._settings.snapshot_interval_s
        commit = Commit(snapshots=self._engine.snapshot(), next_sequence=self._writer.next_sequence)
        if self._commit_until_done(commit):
            self._unsaved = False

    def _beat(self, *, stopped: bool = False) -> None:
        health = {
            "pid": os.getpid(),
            "version": __version__,
            "started_us": self._started_us,
            "beat_us": now_us(),
            "watcher": self._watcher.state,
            "sources": len(self._known_paths) + (self._journal is not None),
            "last_commit_us": self._last_commit_us,
            "stopped": stopped,
        }
        try:
            self._writer.put_health({"daemon": health})
        except OperationalError as error:
            _log.warning("%s: health not written: %s", self._writer.path, error.orig)
