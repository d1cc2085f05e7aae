"""One life of the daemon, without the command line: what a process of `daemon_server` does."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from livesec.core.fault_points import arm
from livesec.core.settings import load_settings
from livesec.runners import recovery
from livesec.runners.daemon import Daemon
from livesec.runners.run_plan import RunPlan
from livesec.runners.signals import Signals
from livesec.sources import tail_file
from livesec.store.writer import StoreWriter

SETTLE_S = 0.1
"""How long a daemon that has read everything goes on: what it does after its last batch happens within it."""
_LOCK_WAIT_MS = 500


@dataclass(frozen=True)
class Life:
    """What a daemon is started with."""

    db: str
    logs: Sequence[str]
    lines: int
    """It stops when the store has taken so many."""
    fault: str | None = None
    """Where it is killed, see core/fault_points.py."""
    settings: Sequence[str] = ()
    chunk_bytes: int = 1 << 14
    """Read at once, so that a small log is many batches."""
    alarm_s: int = 60
    """It is killed where it neither stops nor dies in this time."""


class _StopsWhenRead(Signals):
    """Asks to stop when the store has taken enough lines."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._asked = False
        self._read_at: float | None = None
        super().__init__()

    @property
    def stop_wanted(self) -> bool:
        if not self._asked and self._has_read():
            self._read_at = self._read_at or time.monotonic()
            self._asked = time.monotonic() > self._read_at + SETTLE_S
        return self._asked

    @stop_wanted.setter
    def stop_wanted(self, value: bool) -> None:
        self._asked = value

    def _has_read(self) -> bool:
        return self._read_at is not None or total_lines(self._life.db) >= self._life.lines


def total_lines(db: str) -> int:
    """Lines that the store has taken, 0 where there is no store yet."""
    try:
        connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT value FROM totals WHERE name = 'lines'").fetchone()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0
    return int(row[0]) if row else 0


def output_of(log: str) -> Path:
    """Everything that the daemons of a log (the first pattern) printed; the disk of the store may be full."""
    return Path(log).with_name("daemon.txt")


def live(life: Life) -> None:
    """Run the daemon in this process until it stops."""
    signal.alarm(life.alarm_s)
    output = os.open(output_of(life.logs[0]), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s", force=True)
    arm(life.fault)
    tail_file.CHUNK_BYTES = life.chunk_bytes
    recovery._GROUP_BATCHES = 2  # a few batches are several groups
    timing = ["rescan_interval_s=0.05", "batch_interval_s=0.0"]
    settings = load_settings(assignments=[*timing, *life.settings, "history=start"], environ={"": ""})
    plan = RunPlan(settings, tuple(life.logs), False, life.db, False)
    writer = StoreWriter(plan.store, lock_wait_ms=_LOCK_WAIT_MS)
    try:
        Daemon(plan, writer, replan=lambda: plan, console=sys.stdout, signals=_StopsWhenRead(life)).run()
    finally:
        writer.close()
