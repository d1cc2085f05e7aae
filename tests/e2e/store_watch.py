"""Looks into a store that a daemon is writing, read-only, and says what appears in it when."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from livesec.store.evidence import unpack_evidence

_POLL_S = 0.005


@contextlib.contextmanager
def reading(db: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection. Raises sqlite3.OperationalError where there is no store yet."""
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=5)
    try:
        yield connection
    finally:
        connection.close()


def daemon_pid(db: Path) -> int | None:
    """The process whose heartbeat the store holds, or None."""
    with contextlib.suppress(sqlite3.OperationalError), reading(db) as connection:
        row = connection.execute("SELECT value FROM health WHERE key = 'daemon'").fetchone()
        if row is not None:
            return int(json.loads(row[0])["pid"])
    return None


def total(db: Path, name: str) -> int:
    """A running total of the store: lines, consumed, skipped, rejects, events or anomalies; 0 before the first."""
    with contextlib.suppress(sqlite3.OperationalError), reading(db) as connection:
        row = connection.execute("SELECT value FROM totals WHERE name = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])
    return 0


def wait_for_total(db: Path, name: str, value: int, seconds: float, *, alive: Callable[[], bool]) -> None:
    """Return when a total has reached `value`. AssertionError where it does not in time or `alive` turns false."""
    deadline = time.monotonic() + seconds
    while (now := total(db, name)) < value:
        assert alive(), f"the daemon ended at {now} of {value} {name}"
        assert time.monotonic() < deadline, f"{now} of {value} {name} after {seconds:g} s"
        time.sleep(0.02)


@dataclass
class Arrivals:
    """When each line of a growing file was first seen: offset to monotonic seconds."""

    path: Path
    seen_s: dict[int, float] = field(default_factory=dict)
    _next_offset: int = 0

    def look(self) -> None:
        """Note the lines that have come since the last look."""
        with contextlib.suppress(FileNotFoundError), self.path.open("rb") as file:
            now_s = time.monotonic()
            file.seek(self._next_offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self.seen_s[self._next_offset] = now_s
                self._next_offset += len(line)


@dataclass(frozen=True)
class Found:
    """An anomaly as it appeared: its id, the offset of the line that raised it, and when it was visible."""

    id: str
    type: str
    offset: int
    visible_s: float


_FIRST = """
SELECT id, type, evidence FROM anomalies WHERE type IN ({types}) AND src_ip = ? ORDER BY number LIMIT 1
"""


def wait_for_anomaly(
    db: Path, types: set[str], src_ip: str, seconds: float, meanwhile: Callable[[], object] = lambda: None
) -> Found:
    """The first anomaly of one of `types` about `src_ip`. AssertionError where none is stored in time.

    `meanwhile` is called at each look, some hundred times a second.
    """
    query = _FIRST.format(types=",".join("?" * len(types)))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        meanwhile()
        with contextlib.suppress(sqlite3.OperationalError), reading(db) as connection:
            row = connection.execute(query, (*sorted(types), src_ip)).fetchone()
            if row is not None:
                return Found(row[0], row[1], unpack_evidence(row[2])[-1].offset, time.monotonic())
        time.sleep(_POLL_S)
    raise AssertionError(f"no {' or '.join(sorted(types))} about {src_ip} within {seconds:g} s")
