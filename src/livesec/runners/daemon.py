"""The daemon: wakes on file events, reads what is new, detects, commits, and never loses its place."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from typing import TextIO

from livesec.alerts.console import ConsoleAlerts
from livesec.core.anomaly import StreamPosition
from livesec.core.clock import now_us
from livesec.core.errors import LiveSecError
from livesec.core.fault_points import reach
from livesec.core.settings import Settings
from livesec.core.severity import Severity
from livesec.pipeline.assembly import all_formats
from livesec.runners.alert_delivery import AlertDelivery
from livesec.runners.commits import Commits
from livesec.runners.explainer_process import ExplainerProcess
from livesec.runners.garbage import settle_garbage_collection
from livesec.runners.heartbeat import Heartbeat
from livesec.runners.journal_thread import JournalThread
from livesec.runners.lookout import Lookout
from livesec.runners.recovery import recovered_engine, replay_journal
from livesec.runners.run_plan import Replan, RunPlan, left_for_next_start, taken_over
from livesec.runners.signals import Signals
from livesec.runners.wiring import make_engine
from livesec.sources.file_source import FileSource
from livesec.sources.journald import JOURNAL_PATH, JournalSource
from livesec.sources.outages import Outages
from livesec.sources.watch import Watcher
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)
_SAVE_AFTER_BYTES = 64 << 20
"""State is saved after so many bytes of lines at the latest: a recovery goes through no more, in about two seconds."""
_STORE_FILES = ("", "-wal", "-shm", "-journal", ".lock", ".explain-lock")


class Daemon:
    """Watches what `plan` says until stopped.

    Parameters
    ----------
    writer : the store of the plan
    replan : reads the settings again, for SIGHUP
    console : where alerts are printed
    outages : of the feed whose spool is watched, if it is one
    """

    def __init__(
        self,
        plan: RunPlan,
        writer: StoreWriter,
        *,
        replan: Replan,
        console: TextIO,
        signals: Signals,
        outages: Outages | None = None,
    ) -> None:
        self._plan = self._first_plan = plan
        self._replan = replan
        self._writer = writer
        self._console = console
        self._signals = signals
        self._outages = outages
        settings = plan.settings
        known = writer.streams()
        self._files = FileSource(plan.patterns, known, history=settings.history, zone_of=settings.zone_of, clock=now_us)
        self._engine = make_engine(settings, self._line_at)  # a bad setting is said before anything is begun
        self._journal = self._make_journal(known, settings) if plan.journal else None
        store = os.path.abspath(writer.path)
        self._own_files = frozenset([*(store + end for end in _STORE_FILES), str(writer.mirror_path)])
        self._watcher = Watcher(self._own_files.__contains__)  # a commit must not wake the daemon that makes it
        self._lookout = Lookout(self._files, self._watcher, settings)
        self._alerts = AlertDelivery(writer, self._make_alerts(plan))
        self._commits = Commits(writer, self._engine, self._alerts, signals, self._beat_meanwhile)
        self._heartbeat = Heartbeat(writer, self._watcher, self._files, self._commits, journal=plan.journal)
        self._explainer = ExplainerProcess(writer.path, settings)
        self._save_at = 0.0

    @staticmethod
    def _make_journal(known: Sequence[StreamPosition], settings: Settings) -> JournalSource:
        position = next((item for item in known if item.kind == "journal"), None)
        # files number their streams upwards from 1, the journal has a number of its own
        formats = all_formats(settings.format_files)
        programs = sorted({program for form in formats for program in form.journal_programs})
        return JournalSource(position, stream_id=0, history=settings.history, programs=programs, clock=now_us)

    def _make_alerts(self, plan: RunPlan) -> ConsoleAlerts:
        return ConsoleAlerts(self._console, Severity(plan.settings.console_alerts_from))

    def _line_at(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """An earlier line, from its file or from the journal where the file has gone."""
        return self._files.line_at(stream_id, offset) or self._writer.journalled_line(stream_id, offset)

    def _beat_meanwhile(self) -> None:
        self._heartbeat.beat_if_due()

    def run(self) -> None:
        """Recover, then read until asked to stop. Raises StoreDamagedError and other LiveSecErrors that end it."""
        thread = None
        with self._signals:
            self._signals.wake_with(self._watcher.wake)
            try:
                if not self._recover():
                    return
                if self._journal is not None:
                    thread = JournalThread(self._journal, lambda: self._watcher.note(JOURNAL_PATH))
                settle_garbage_collection()
                self._lookout.look()  # before the first sign of life, which says how it watches
                self._heartbeat.beat()
                self._loop()
            finally:
                self._explainer.stop()
                self._commits.save_at_the_end()
                self._heartbeat.beat(stopped=True)
                if thread is not None:
                    thread.stop()
                self._watcher.close()
                self._files.close()
                if self._journal is not None:
                    self._journal.close()

    def _recover(self) -> bool:
        """The engine as the last commit left it; False where the daemon was stopped meanwhile."""
        self._engine = recovered_engine(self._plan.settings, self._writer, self._line_at)
        self._commits.engine = self._engine
        replayed = replay_journal(self._engine, self._writer, lambda: self._signals.stop_wanted)
        self._commits.has_unsaved = replayed is not None and replayed.batches > 0
        self._save_at = time.monotonic() + self._plan.settings.snapshot_interval_s
        if replayed is None or (replayed.gaps and not self._commits.save(replayed.gaps)):
            return False
        self._alerts.show_waiting()
        return True

    # The loop ---------------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while not self._signals.stop_wanted:
            if self._signals.take_reload():
                self._reload()
            self._lookout.look()
            if self._read_all():
                self._lookout.took_lines()
            positions, gaps = self._files.take_changes()
            if self._outages is not None:
                gaps += self._outages.take(self._files.positions)
            self._lookout.found(position.path for position in positions)
            self._commits.positions(positions, gaps)
            self._keep_up()
            until = min(self._lookout.due, self._heartbeat.due)
            wake = self._watcher.wait(max(0.0, until - time.monotonic()))
            if self._lookout.heard(wake) and not self._signals.stop_wanted:
                time.sleep(self._plan.settings.batch_interval_s)  # let a burst arrive as one batch

    def _keep_up(self) -> None:
        """What is due whether or not there is anything to read: heartbeat, saving of state, a worker that died."""
        self._heartbeat.beat_if_due()
        self._explainer.keep()
        self._commits.show_recent()
        is_due = time.monotonic() >= self._save_at or self._commits.unsaved_bytes >= _SAVE_AFTER_BYTES
        if self._commits.has_unsaved and is_due:
            self._save()

    def _save(self) -> bool:
        self._save_at = time.monotonic() + self._plan.settings.snapshot_interval_s
        return self._commits.save()

    def _read_all(self) -> bool:
        """Take what can be read, until the next look at everything is due; whether there was anything."""
        took = False
        for batch in self._files.read(self._writer.next_sequence):
            reach("batch.read")
            historical = self._files.is_historical(batch)
            result = self._engine.process(batch, historical=historical)
            self._files.committed(batch, max(result.formats, key=lambda name: result.formats[name], default=None))
            positions, gaps = self._files.take_changes()
            self._lookout.found(position.path for position in positions)
            self._commits.batch(result, batch, positions, gaps, historical)
            took = True
            if self._signals.stop_wanted or self._signals.reload_wanted:
                return took
            self._keep_up()
            if time.monotonic() >= self._lookout.due:
                break  # a long backlog must not hide new files and rotations; the rest of it waits in the queue
        return self._read_journal() or took

    def _read_journal(self) -> bool:
        if self._journal is None:
            return False
        batch = self._journal.read(self._writer.next_sequence)
        if batch is None:
            return False
        reach("batch.read")
        historical = self._journal.is_first_look
        result = self._engine.process(batch, historical=historical)
        self._journal.committed(batch)
        self._commits.batch(result, batch, [self._journal.position], [], historical)
        return True

    # SIGHUP -----------------------------------------------------------------------------------------------------------

    def _reload(self) -> None:
        """Take over settings and patterns; where something is wrong with them, say so and go on with the old ones."""
        try:
            plan = self._replan()
            make_engine(plan.settings, self._line_at)
        except LiveSecError as error:
            _log.error("settings not taken over, the old ones stay: %s", error)
            self._heartbeat.settings_problem = f"not taken over: {error}"
            self._heartbeat.beat()
            return
        # Everything before is saved under the old settings: what a recovery replays was read under the new ones.
        if not self._save():
            return
        changes = list(taken_over(self._plan, plan))
        waiting = list(left_for_next_start(self._first_plan, plan))
        self._engine = recovered_engine(plan.settings, self._writer, self._line_at)
        self._commits.engine = self._engine
        self._alerts.console = self._make_alerts(plan)
        self._alerts.show_waiting()
        self._lookout.settings = plan.settings
        self._explainer.take_over(plan.settings)
        if plan.patterns != self._plan.patterns:
            self._files.watch_patterns(plan.patterns)
        self._lookout.start_over()
        _log.info("settings read again: %s", "; ".join(changes) or "nothing changed")
        if waiting:
            _log.warning("only the next start takes over: %s", ", ".join(waiting))
        self._heartbeat.settings_problem = f"next start takes over: {', '.join(waiting)}" if waiting else None
        self._plan = plan
        self._heartbeat.beat()
