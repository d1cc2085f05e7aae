"""What writers and rotations do to a log, and what of it the store has."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.tailing.tailer import Tailer


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def append_text(path: Path, text: str) -> None:
    append(path, text.encode())


def numbered(first: int, count: int, size: int = 40) -> bytes:
    """Lines that say their number, each of `size` bytes."""
    lines = (b"line %07d" % number for number in range(first, first + count))
    return b"".join(line.ljust(size - 1, b".") + b"\n" for line in lines)


def joined(tailer: Tailer) -> bytes:
    return b"".join(text + b"\n" for text in tailer.texts())


def ranges(tailer: Tailer) -> list[tuple[int | None, int | None, str]]:
    return [(gap.start_offset, gap.end_offset, gap.reason) for gap in tailer.gaps()]


def copytruncate(log: Path, copy: Path) -> None:
    shutil.copyfile(log, copy)
    os.truncate(log, 0)
