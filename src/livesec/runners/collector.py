"""Asks an API or a database again and again, and spools what is new for the daemon to tail."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from livesec.core.errors import InputUnreadableError
from livesec.runners.signals import Signals
from livesec.sources.back_off import BackOff
from livesec.sources.cursor import Cursor, cursor_in_line
from livesec.sources.http_poll import TooManyRequestsError
from livesec.sources.spool import Spool

_log = logging.getLogger(__name__)
_NAP_S = 0.2  # how soon a stop is noticed

Poll = Callable[[Cursor | None], list[bytes]]
"""Gives the lines behind a cursor. Raises InputUnreadableError."""


@dataclass
class Collector:
    """Polls every `every_s` seconds until stopped; after a failure later and later, at most every five minutes.

    Parameters
    ----------
    cursor_path : where a record has its cursor
    """

    poll: Poll
    spool: Spool
    cursor_path: str
    every_s: float

    def run(self, signals: Signals) -> int:
        """Collect until asked to stop; how many lines. Raises OSError where the spool cannot be written."""
        collected, back_off, due = 0, BackOff(), 0.0
        while not signals.stop_wanted:
            if time.monotonic() < due:
                time.sleep(_NAP_S)
                continue
            now = time.monotonic()
            try:
                collected += self.collect()
                due = now + self.every_s
            except InputUnreadableError as error:
                _log.warning("%s", error)
                back_off.failed(now)
                wait_s = error.retry_after_s if isinstance(error, TooManyRequestsError) else self.every_s
                due = max(back_off.due, now + wait_s)
        return collected

    def collect(self) -> int:
        """Poll once; how many lines were new. Raises InputUnreadableError, OSError."""
        last = self.spool.last_line()
        lines = self.poll(None if last is None else cursor_in_line(last, self.cursor_path))
        self.spool.append(lines)
        return len(lines)
