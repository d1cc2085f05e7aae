"""A real daemon for the time of a measurement."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks.processes import COMMAND, environment

START_S = 60.0
STOP_S = 15.0


class LiveDaemon:
    """`livesec run` over `logs` until the end of the `with` block; on entry it has written its first heartbeat."""

    def __init__(self, logs: Sequence[Path], db: Path, settings: Sequence[str] = ()) -> None:
        given = [word for item in settings for word in ("--set", item)]
        self._words = [*COMMAND, "run", "--logs", *map(str, logs), "--db", str(db), "--from", "start", *given]
        self._db = db
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._db.parent.with_suffix(".daemon.txt").open("wb") as output:
            self._process = subprocess.Popen(
                self._words, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        deadline = time.monotonic() + START_S
        while not self._beats():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end()
                raise RuntimeError(f"the daemon did not start: {output.name}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        assert self._process is not None
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Its resident memory now."""
        assert self._process is not None
        return float(psutil.Process(self._process.pid).memory_info().rss / 1024**2)

    def peak_memory_mb(self) -> float:
        """The most resident memory it has held so far (Linux)."""
        assert self._process is not None
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

    def handles(self) -> int:
        """How many file descriptors it has open now."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).num_fds())

    def wait_for_lines(self, lines: int, seconds: float) -> None:
        """Return when it has committed `lines` lines. Raises RuntimeError where it does not in time."""
        assert self._process is not None
        deadline = time.monotonic() + seconds
        while (done := self._lines()) < lines:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the daemon committed {done} of {lines} lines in {seconds:g} s")
            time.sleep(0.2)

    def _lines(self) -> int:
        connection = sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT value FROM totals WHERE name = 'lines'").fetchone()
        finally:
            connection.close()
        return 0 if row is None else int(row[0])

    def _beats(self) -> bool:
        assert self._process is not None
        try:
            connection = sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)
            try:
                row = connection.execute("SELECT value FROM health WHERE key = 'daemon'").fetchone()
            finally:
                connection.close()
        except sqlite3.OperationalError:
            return False
        return row is not None and json.loads(row[0])["pid"] == self._process.pid

    def _end(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
