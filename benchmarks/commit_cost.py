"""What a batch's commit costs on the daemon: from the finished batch to the transaction on disk, at two rates."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.figure import Figure, median, quantile
from benchmarks.live_daemon import LiveDaemon
from benchmarks.logs import sshd_log
from benchmarks.measurement import Bench

RATES = (1_000, 20_000)
SECONDS = 40  # so that saving state every 30 s falls into it
WRITES_PER_S = 100
GRACE_S = 30.0
MOST_MS = 5.0


class TimedDaemon(LiveDaemon):
    """A daemon over `log` that leaves the times of its commits in the file `times` when it is stopped."""

    def __init__(self, log: Path, db: Path, times: Path) -> None:
        super().__init__([log], db)
        self._words = [sys.executable, "-m", "benchmarks.timed_daemon", str(log), str(db), str(times)]


def measure(bench: Bench) -> list[Figure]:
    """One daemon per rate, over sshd lines of which four of five sessions are attacks."""
    seconds = bench.size(SECONDS, 3)
    content = sshd_log(bench.folder, max(RATES) * seconds).read_bytes().splitlines(keepends=True)
    return [figure for rate in RATES for figure in _at(bench, content[: rate * seconds], rate)]


def _at(bench: Bench, lines: list[bytes], rate: int) -> list[Figure]:
    folder = bench.folder / f"commit_{rate}"
    folder.mkdir()
    log, db, times = folder / "auth.log", folder / "store" / "livesec.db", folder / "times.json"
    log.touch()
    with TimedDaemon(log, db, times) as daemon:
        _write(log, lines, rate)
        daemon.wait_for_lines(len(lines), GRACE_S)
    commits: list[tuple[int, float]] = json.loads(times.read_text())
    batches_ms = [seconds * 1000 for lines, seconds in commits if lines]
    saves_ms = [seconds * 1000 for lines, seconds in commits if not lines]
    lines_each = len(lines) / len(batches_ms)
    bench.say(f"commit: {len(batches_ms)} batches of {lines_each:.0f} lines at {rate:,} lines/s")
    note = f"{len(batches_ms)} batches of {lines_each:.0f} lines; FULL sync; the journal's compression is inside"
    return [
        Figure(f"commit at {rate:,} lines/s, median", median(batches_ms), "ms", at_most=MOST_MS, note=note),
        Figure(f"commit at {rate:,} lines/s, p99", quantile(batches_ms, 0.99), "ms"),
        Figure(f"largest save of state at {rate:,} lines/s", max(saves_ms), "ms", note="a transaction of its own"),
    ]


def _write(log: Path, lines: list[bytes], rate: int) -> None:
    per_tick = rate // WRITES_PER_S
    started_s = time.perf_counter()
    with log.open("ab", buffering=0) as file:
        for tick, first in enumerate(range(0, len(lines), per_tick)):
            time.sleep(max(0.0, started_s + tick / WRITES_PER_S - time.perf_counter()))
            file.write(b"".join(lines[first : first + per_tick]))
