"""The worker's loop: fills the queue from what was found, and words one item after the other."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import OperationalError

from livesec.core.clock import now_us
from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.explain.endpoint import Endpoint
from livesec.runners.explaining import Explaining
from livesec.store.explanation_queue import begin_work, next_due, take_up_again
from livesec.store.queue_filling import fill_queue
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import severity_rank

_log = logging.getLogger("livesec.explainer")
LOOK_EVERY_S = 1.0
"""For new anomalies and requests while there is nothing to do."""
_LET_IN_S = 0.005  # between transactions in a row: the daemon gets its turn
_ROWS_AT_ONCE = 500


class Worker:
    """Fills the queue and works it off, until `stop` is called."""

    def __init__(self, store: SecondWriter, endpoint: Endpoint, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._explaining = Explaining(store, endpoint, settings)
        self._ended = threading.Event()
        self._last_problem = ""

    def stop(self) -> None:
        """End after the item in hand."""
        self._ended.set()

    def run(self) -> None:
        """Work until stopped. Raises LiveSecError where the store cannot be used any more."""
        while not self._ended.is_set() and self._begin_again():
            self._ended.wait(_LET_IN_S)
        while not self._ended.is_set():
            try:
                is_idle = not self._step()
            except OperationalError as error:  # locked for long, or the disk is full
                self._say_problem(f"the store cannot be written now: {error.orig}")
                is_idle = True
            self._ended.wait(LOOK_EVERY_S if is_idle else _LET_IN_S)

    def _begin_again(self) -> bool:
        with self._store.writing() as connection:
            return take_up_again(connection, _ROWS_AT_ONCE)

    def _step(self) -> bool:
        """Look for what is new, word one item; False where there was nothing to do."""
        settings = self._settings
        lowest = severity_rank(settings.explain_from)
        is_new = fill_queue(self._store, settings.explain_view, lowest, settings.explain_queue)
        while is_new and fill_queue(self._store, settings.explain_view, lowest, settings.explain_queue):
            if self._ended.wait(_LET_IN_S):
                return True
        with self._store.reading() as connection:
            item = next_due(connection, now_us())
        if item is None:
            return is_new
        with self._store.writing() as connection:
            begin_work(connection, item)
        outcome = self._explaining.work(item)
        if outcome.explanation is None:
            self._say_problem(outcome.reason)
        elif self._last_problem:
            self._last_problem = ""
            _log.info("the model words explanations again")
        return True

    def _say_problem(self, reason: str) -> None:
        """Once, not for each item that it keeps waiting."""
        reason = shown(reason, 300)
        kind = reason.partition(":")[0]
        if kind != self._last_problem:
            self._last_problem = kind
            _log.warning("deterministic texts stay for now: %s", reason)
