"""What the daemon is asked by signals. A handler only notes it and wakes the reader: it takes no lock."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self


class Signals:
    """SIGTERM and SIGINT ask to stop, SIGHUP to read the settings again.

    SIGHUP is noted from construction on, so that one during the start does not end the process; the others inside
    `with`, where stopping means to finish the work in hand. Make it in the main thread.
    """

    def __init__(self) -> None:
        self.stop_wanted = False
        self.reload_wanted = False
        self._wake: Callable[[], None] = lambda: None
        # nohup means to stay when the terminal closes, and without one there is nothing that could close
        stays = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        self._terminal = None if stays or not sys.stderr.isatty() else sys.stderr.fileno()
        self._before = {signal.SIGHUP: signal.signal(signal.SIGHUP, self._on_hangup)}

    def wake_with(self, wake: Callable[[], None]) -> None:
        """Call `wake` in the handler too; it must not take a lock."""
        self._wake = wake

    def __enter__(self) -> Self:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Ask to stop."""
        self.stop_wanted = True
        self._wake()

    def _on_hangup(self, _signal: int, _frame: FrameType | None) -> None:
        if self._terminal is not None and not os.isatty(self._terminal):
            self.stop_wanted = True  # not a request: the terminal has been closed
        else:
            self.reload_wanted = True
        self._wake()

    def take_reload(self) -> bool:
        """Whether settings are to be read again; asks once per request."""
        wanted, self.reload_wanted = self.reload_wanted, False
        return wanted
