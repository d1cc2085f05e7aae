"""What the daemon costs while nothing happens."""

from __future__ import annotations

import time

from benchmarks.figure import Figure
from benchmarks.live_daemon import LiveDaemon
from benchmarks.logs import network_log, sshd_log
from benchmarks.measurement import Bench

SETTLE_S = 20
SECONDS = 60
HISTORY_LINES = 100_000


def measure(bench: Bench) -> list[Figure]:
    """Processor time of all threads over SECONDS, with two logs that were read and do not grow."""
    lines = bench.size(HISTORY_LINES, 10_000)
    logs = [sshd_log(bench.folder, lines), network_log(bench.folder, lines)]
    with LiveDaemon(logs, bench.folder / "idle" / "livesec.db") as daemon:
        time.sleep(SETTLE_S)  # reads its history, then comes to rest
        before_s, started = daemon.cpu_seconds(), time.perf_counter()
        time.sleep(bench.size(SECONDS, 10))
        share = (daemon.cpu_seconds() - before_s) / (time.perf_counter() - started)
        memory_mb = daemon.memory_mb()
    bench.say(f"idle: {share:.2%} of a core")
    return [
        Figure("idle CPU of the daemon", share * 100, "% of a core", at_most=1.0),
        Figure("  its memory", memory_mb, "MB", at_most=450),
    ]
