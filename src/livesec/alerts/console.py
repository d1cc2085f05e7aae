"""Alerts on the console, in the layout of the livesec seed: icon and severity, Time, Type, Alert, Analysis.

Below them the anomaly's id: an alert may be shown twice around a crash, and this is how that is known.
Colour where the terminal has it and NO_COLOR is unset; text from logs is made safe to show.
"""

from __future__ import annotations

import errno
import logging
import os
import textwrap
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from livesec.core.anomaly import Anomaly
from livesec.core.clock import seed_time
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown

_log = logging.getLogger(__name__)
_LOOK: dict[Severity, tuple[str, str]] = {  # icon, colour
    Severity.CRITICAL: ("🔥", "bold bright_red"),
    Severity.HIGH: ("🚨", "bold red"),
    Severity.MEDIUM: ("⚠️ ", "bold yellow"),
    Severity.LOW: ("🔵", "cyan"),
}
_WIDTH = 96
_LABEL = "   Analysis: "


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Say so to who prints; rich would end the process, and with it the detection, for a reader that has left."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class ConsoleAlerts:
    """Prints anomalies from a severity on.

    Parameters
    ----------
    stream : where to; standard output of the daemon
    lowest : severities below it are not printed
    at_once : print at most this many of one batch, then say how many more there are
    """

    def __init__(self, stream: TextIO, lowest: Severity, at_once: int = 20) -> None:
        self._console = _Console(file=stream, highlight=False, emoji=False, soft_wrap=True)
        self.severities = tuple(SEVERITIES[SEVERITIES.index(lowest) :])
        """Those that are printed."""
        self._at_once = at_once
        self._closed = False

    def show(self, anomalies: Iterable[Anomaly], *, at_once: int | None = None) -> bool:
        """Print those of `anomalies` that are severe enough, at most `at_once` where given.

        False where they cannot be printed, now or any more.
        """
        if self._closed:
            return False
        try:
            self._show([item for item in anomalies if item.severity in self.severities], at_once or self._at_once)
        except OSError as error:  # the terminal or pipe has gone; alerts are in the store all the same
            self._closed = True
            _log.warning("alerts are no longer printed: standard output is closed (%s)", error.strerror)
        return not self._closed

    def _show(self, wanted: list[Anomaly], at_once: int) -> None:
        for anomaly in wanted[:at_once]:
            self._one(anomaly)
        if len(wanted) > at_once:
            self._console.print(Text(f"   ... and {len(wanted) - at_once} more anomalies, see the desk"))

    def _one(self, anomaly: Anomaly) -> None:
        icon, style = _LOOK[anomaly.severity]
        wrapped = textwrap.wrap(anomaly.explanation.meaning, _WIDTH - len(_LABEL)) or [""]
        lines = [
            f"   Time: {seed_time(anomaly.time_us)}",
            f"   Type: {anomaly.type}",
            f"   Alert: {shown(anomaly.description)}",
            _LABEL + ("\n" + " " * len(_LABEL)).join(wrapped),
            f"   Id: {anomaly.id}",
        ]
        self._console.print(Text(f"{icon} {anomaly.severity.upper()} SEVERITY ANOMALY", style=style))
        self._console.print(Text("\n".join(lines) + "\n"))
