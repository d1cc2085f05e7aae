"""Brings alerts from the store's outbox to people, at least once each: shown first, marked as delivered afterwards.

A crash between the two shows them again, with the same ids.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from livesec.alerts.console import ConsoleAlerts
from livesec.core.anomaly import Anomaly
from livesec.core.clock import US_PER_S, now_us
from livesec.core.fault_points import reach
from livesec.store.writer import StoreWriter

_log = logging.getLogger(__name__)

MOST_WAITING = 100
"""Alerts from before the start that are shown; a long standstill must not end in a flood."""
OLDEST_WAITING_S = 3600
"""Older ones are left to the desk."""


class AlertDelivery:
    """Shows alerts on `console`; the store's next transaction, of whatever, marks them.

    What the console cannot take (its terminal has gone) stays in the outbox for the next start.
    """

    def __init__(self, writer: StoreWriter, console: ConsoleAlerts) -> None:
        self._writer = writer
        self.console = console
        """May be replaced."""

    def show(self, anomalies: Sequence[Anomaly]) -> None:
        """Show anomalies that were stored just now."""
        if anomalies and self.console.show(anomalies):
            reach("alerts.shown")
            self._writer.note_alerts_shown()

    def show_waiting(self) -> None:
        """Show what was stored but not marked before; call it when nothing is on its way to `show`."""
        since_us = now_us() - OLDEST_WAITING_S * US_PER_S
        waiting = self._writer.waiting_alerts(self.console.severities, since_us=since_us, at_most=MOST_WAITING)
        if waiting.passed_over:
            _log.warning(
                "%d alerts from before are not shown: older than an hour, or more than %d; the desk has them",
                waiting.passed_over,
                MOST_WAITING,
            )
        if self.console.show(waiting.to_show, at_once=MOST_WAITING):
            if waiting.to_show:
                reach("alerts.shown")
            self._writer.note_alerts_shown()
