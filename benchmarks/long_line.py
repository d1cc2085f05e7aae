"""What a line of a gigabyte costs the daemon, and whether the line behind it is read."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.live_daemon import LiveDaemon
from benchmarks.measurement import Bench

LINE_MB = 1024
READ_S = 300.0
SETTLE_S = 5
_LINE = b"Mar  2 00:00:00 gate01 sshd[1]: Accepted publickey for ann from 192.0.2.7 port 40000 ssh2\n"


def measure(bench: Bench) -> list[Figure]:
    """The most memory that the daemon held while the line came and went, against what it held before."""
    size_mb = bench.size(LINE_MB, 32)
    log = bench.folder / "long_line.log"
    log.write_bytes(_LINE)
    with LiveDaemon([log], bench.folder / "long" / "livesec.db") as daemon:
        daemon.wait_for_lines(1, READ_S)
        time.sleep(SETTLE_S)
        before_mb = daemon.memory_mb()
        started = time.perf_counter()
        _append(log, size_mb)
        daemon.wait_for_lines(3, READ_S)
        seconds = time.perf_counter() - started
        most_mb = daemon.peak_memory_mb()
    log.unlink()
    bench.say(f"a line of {size_mb} MB: {most_mb - before_mb:.0f} MB more, through after {seconds:.1f} s")
    note = f"one line of {size_mb} MB written in pieces, {seconds:.0f} s until the line behind it was stored"
    return [Figure("memory for a line of 1 GB, above idle", most_mb - before_mb, "MB", at_most=100, note=note)]


def _append(log: Path, size_mb: int) -> None:
    with log.open("ab") as file:
        for _ in range(size_mb):
            file.write(b"x" * (1 << 20))
        file.write(b"\n" + _LINE)
