"""What the daemon stores: each step is one transaction, tried until it succeeds. Waiting is the back-pressure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import OperationalError

from livesec.core.anomaly import BatchResult, Commit, Gap, RecentEvent, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.clock import now_us
from livesec.core.errors import StoreDamagedError
from livesec.core.fault_points import reach
from livesec.pipeline.engine import Engine
from livesec.runners.alert_delivery import AlertDelivery
from livesec.runners.recovery import close_ended
from livesec.runners.signals import Signals
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)
_RETRY_S = 1.0
_RECENT_EVERY_S = 0.5
_STEP_S = 0.05  # a signal is noticed within this
QUICK_SAVE_S = 0.7
"""When stopping, state that takes longer to save is left to the journal: the process must be gone within 2 s."""


class Commits:
    """The transactions of one daemon.

    Parameters
    ----------
    engine : whose results and state are stored; replaced when settings change
    meanwhile : called while a transaction is tried again, so that health is given then too
    """

    def __init__(
        self,
        writer: StoreWriter,
        engine: Engine,
        alerts: AlertDelivery,
        signals: Signals,
        meanwhile: Callable[[], None],
    ) -> None:
        self._writer = writer
        self.engine = engine
        self.alerts = alerts
        self._signals = signals
        self._meanwhile = meanwhile
        self._save_s = 0.0
        self._recent_at = 0.0
        self._given_up = False  # a batch was not stored: what comes behind it must not be either
        self.has_unsaved = False
        """Whether the engine is ahead of its saved state, and level with the store."""
        self.unsaved_bytes = 0
        """Journalled since the last save: what a recovery would have to run through the engine again."""
        self.last_commit_us: int | None = None
        self.problem: str | None = None
        """Why the store cannot be written at the moment."""

    def batch(
        self,
        result: BatchResult,
        batch: RawBatch,
        positions: Sequence[StreamPosition],
        gaps: Sequence[Gap],
        historical: bool,
    ) -> None:
        """A batch with its results, and the positions that it moved."""
        reach("batch.processed")
        result.recent = self._recent_events()
        done = self._until_done(
            Commit(
                result=result,
                streams=positions,
                batch=batch,
                historical=historical,
                gaps=gaps,
                next_sequence=self._writer.next_sequence + len(batch),
            )
        )
        self._close_ended(positions)
        if not done:
            self.has_unsaved = False  # the engine is ahead of the store now: its state must not be saved
            self._given_up = True
            return
        self.has_unsaved = True
        self.unsaved_bytes += len(batch.data)
        self.last_commit_us = now_us()
        if not historical:
            self.alerts.show(result.anomalies)

    def _recent_events(self) -> list[RecentEvent]:
        """What the desk shows next, now and then: nobody reads hundreds of lines ten times a second."""
        now = time.monotonic()
        if now - self._recent_at < _RECENT_EVERY_S:
            return []
        self._recent_at = now
        return self.engine.recent.drain()

    def show_recent(self) -> None:
        """Store the events for the desk that no batch has taken along."""
        if self.engine.recent.is_waiting and not self._given_up and (recent := self._recent_events()):
            self._until_done(Commit(BatchResult(recent=recent), next_sequence=self._writer.next_sequence))

    def positions(self, positions: Sequence[StreamPosition], gaps: Sequence[Gap]) -> None:
        """Streams that appeared, rotated or failed without a batch."""
        if (positions or gaps) and not self._given_up:
            self._close_ended(positions)
            reach("positions.ready")
            self._until_done(Commit(streams=positions, gaps=gaps, next_sequence=self._writer.next_sequence))
            reach("positions.stored")

    def save(self, gaps: Sequence[Gap] = ()) -> bool:
        """Store the state that changed, and `gaps`, and pass the journal; False where it was stopped meanwhile."""
        started = time.monotonic()
        commit = Commit(
            BatchResult(recent=self.engine.recent.drain()),
            snapshot=self.engine.snapshot(),
            gaps=gaps,
            next_sequence=self._writer.next_sequence,
        )
        reach("snapshot.taken")
        if not self._until_done(commit):
            return False
        reach("snapshot.stored")
        self._save_s = time.monotonic() - started
        self.has_unsaved = False
        self.unsaved_bytes = 0
        return True

    def save_at_the_end(self) -> None:
        """Save where that is quick; else the next start runs the journal through the engine again."""
        reach("shutdown.begun")
        if self.has_unsaved and self.problem is None and self._save_s < QUICK_SAVE_S:
            self.save()
        reach("shutdown.saved")

    def _close_ended(self, positions: Sequence[StreamPosition]) -> None:
        for position in positions:
            close_ended(self.engine, position)

    def _until_done(self, commit: Commit) -> bool:
        """Try a commit until it succeeds; False where the daemon was stopped meanwhile. Raises StoreDamagedError."""
        while True:
            try:
                self._writer.commit(commit)
            except StoreDamagedError as error:
                self.problem, self.has_unsaved = str(error), False
                raise
            except (OperationalError, OSError) as error:
                reason = str(getattr(error, "orig", error))
                if self.problem is None:
                    _log.error("%s: cannot be written (%s); trying again each second", self._writer.path, reason)
                self.problem = reason
            else:
                if self.problem is not None:
                    _log.info("%s: written again", self._writer.path)
                self.problem = None
                return True
            if not self._pause():
                return False

    def _pause(self) -> bool:
        """Wait before the next try, deaf to file events; False where the daemon was stopped."""
        again_at = time.monotonic() + _RETRY_S
        while time.monotonic() < again_at and not self._signals.stop_wanted:
            time.sleep(_STEP_S)
        if not self._signals.stop_wanted:
            self._meanwhile()
        return not self._signals.stop_wanted
