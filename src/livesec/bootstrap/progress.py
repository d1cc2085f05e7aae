"""What a person sees while something long is done: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

BAR_CELLS = 24
REDRAW_S = 0.1  # a terminal is drawn at most this often
LINE_EVERY_S = 5.0  # a file or pipe gets a line at most this often


def is_terminal(stream: TextIO) -> bool:
    """Whether `stream` can redraw a line: a terminal that is not a dumb one."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Progress:
    """Counts `done` of `total` steps of one piece of work. Use as a context manager, which ends the line.

    >>> import io
    >>> out = io.StringIO()
    >>> with Progress("packages", total=4, stream=out) as progress:
    ...     progress.update(2, "numpy")
    >>> print(out.getvalue(), end="")
    packages: 2 of 4, numpy
    packages: 4 of 4, 0 s
    """

    def __init__(self, label: str, total: int, stream: TextIO | None = None) -> None:
        self.label = label
        self.total = total
        self._stream = stream or sys.stdout
        self._terminal = is_terminal(self._stream)
        self._began = time.monotonic()
        self._drawn = -1e9  # monotonic time of the last line
        self._width = 0

    def __enter__(self) -> Progress:
        """Start the clock."""
        self._began = time.monotonic()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Say how long it took, or leave the line as it stood where the work failed."""
        took = time.monotonic() - self._began
        if self._terminal:
            self._draw(f"{self.label}: {'done' if error is None else 'stopped'}, {took:.0f} s")
            self._stream.write("\n")
        elif error is None:
            self._stream.write(f"{self.label}: {self.total} of {self.total}, {took:.0f} s\n")
        self._stream.flush()

    def update(self, done: int, what: str) -> None:
        """Show that `done` steps are through and what is being worked on."""
        now = time.monotonic()
        if now - self._drawn < (REDRAW_S if self._terminal else LINE_EVERY_S):
            return
        self._drawn = now
        if self._terminal:
            filled = BAR_CELLS * min(done, self.total) // max(self.total, 1)
            bar = "#" * filled + "-" * (BAR_CELLS - filled)
            self._draw(f"{self.label}: [{bar}] {done} of {self.total}  {now - self._began:.0f} s  {what}")
        else:
            self._stream.write(f"{self.label}: {done} of {self.total}, {what}\n")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        text = text[: max(shutil.get_terminal_size().columns - 1, 20)]
        self._stream.write("\r" + text.ljust(self._width))
        self._stream.flush()
        self._width = len(text)
