"""An append-only file between a collector, which asks an API or a database, and the daemon, which tails it.

What is in the file was collected, and nothing else was: the collector goes on from its last line, so that nothing is
collected twice or lost whenever either process is killed. A file over `max_bytes` becomes `<name>.1` and so on, as
logrotate does it, and the daemon follows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

MAX_BYTES = 64 << 20
KEPT = 4  # rotated files
_TAIL_BYTES = 1 << 20


class Spool:
    """The file `path`, whose folder is made where it is missing. Raises OSError where it cannot be written."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES, kept: int = KEPT) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._kept = kept
        path.parent.mkdir(parents=True, exist_ok=True)
        self._drop_torn_line()

    def _drop_torn_line(self) -> None:
        """Cut off what a kill left of a line; the daemon has not read it, for it reads whole lines."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            while size:
                start = max(0, size - _TAIL_BYTES)
                file.seek(start)
                found = file.read(size - start).rfind(b"\n")
                size = start + found + 1 if found >= 0 else start
                if found >= 0:
                    break
            file.truncate(size)

    def last_line(self) -> bytes | None:
        """The last line collected, without its line break; None before the first."""
        for path in (self.path, self._rotated(1)):
            if path.exists() and (size := path.stat().st_size):
                with path.open("rb") as file:
                    reach = _TAIL_BYTES
                    while True:
                        file.seek(max(0, size - reach))
                        lines = file.read().rstrip(b"\n").split(b"\n")
                        if len(lines) > 1 or reach >= size:
                            return lines[-1]
                        reach *= 2
        return None

    def append(self, lines: Sequence[bytes]) -> None:
        """Add whole `lines`, which hold no line breaks, and see them on the disk."""
        if not lines:
            return
        if self.path.exists() and self.path.stat().st_size >= self._max_bytes:
            self._rotate()
        with self.path.open("ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def _rotated(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _rotate(self) -> None:
        for number in range(self._kept - 1, 0, -1):
            if self._rotated(number).exists():
                self._rotated(number).replace(self._rotated(number + 1))
        self.path.replace(self._rotated(1))
