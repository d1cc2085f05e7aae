"""The soak's daemon: a real `livesec run` that is killed at random and started again on the same store."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.processes import COMMAND, environment

LIVES_S = (4.0, 30.0)
SNAPSHOT_S = 5  # so that saves fall into most lives
DOWN_S = (0.0, 2.0)
START_S = 60.0
STOP_S = 30.0


class MortalDaemon:
    """`livesec run` over a glob. `step` kills and starts it when that is due; what it says goes to one file."""

    def __init__(self, pattern: str, db: Path, seed: int) -> None:
        saves = f"snapshot_interval_s={SNAPSHOT_S}"
        self._words = [*COMMAND, "run", "--logs", pattern, "--db", str(db), "--from", "start", "--set", saves]
        self._db = db
        self._chance = random.Random(f"{seed}/kills")  # noqa: S311 - a soak, no secret
        self.output = db.with_suffix(".daemon.txt")
        self.kills = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._next_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def step(self) -> None:
        """Start it, kill it, or leave it be. Raises RuntimeError where it ended by itself."""
        now = time.monotonic()
        if self._process is not None:
            self.require_running()
        if now < self._next_at:
            return
        if self._process is None:
            self.start()
            self._next_at = now + self._chance.uniform(*LIVES_S)
        else:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1
            self._next_at = now + self._chance.uniform(*DOWN_S)

    def wait_for_first_look(self) -> None:
        """Start it and return when it has made its store and written a heartbeat.

        What is written and rotated away before any look is not promised.
        """
        self.start()
        self._next_at = time.monotonic() + LIVES_S[0]
        deadline = time.monotonic() + START_S
        while self._one("SELECT value FROM health WHERE key = 'daemon'") is None:
            self.require_running()
            if time.monotonic() > deadline:
                raise RuntimeError(f"no heartbeat within {START_S:g} s: {self.output}")
            time.sleep(0.1)

    def require_running(self) -> None:
        """Raises RuntimeError with its last words where it ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            said = self.output.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"the daemon ended with {self._process.returncode}: {said}")

    def start(self) -> None:
        """Start it unless it runs."""
        if self._process is None:
            with self.output.open("ab") as output:
                self._process = subprocess.Popen(
                    self._words, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
                )

    def stop(self) -> int:
        """SIGTERM; its exit code. Killed after STOP_S, which is -9."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self._process.kill()
        return self._process.wait()

    def stored_lines(self) -> int:
        """Lines that the store says it has taken."""
        return int(self._one("SELECT value FROM totals WHERE name = 'lines'") or 0)

    def _one(self, query: str) -> str | int | None:
        """The first value of the first row; None where there is none, or no store yet."""
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self._db}?mode=ro", uri=True)) as connection:
                row = connection.execute(query).fetchone()
        except sqlite3.OperationalError:
            return None
        return row[0] if row else None
