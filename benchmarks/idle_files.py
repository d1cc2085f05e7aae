"""What 10,000 watched files cost the daemon while nothing happens to them."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.live_daemon import LiveDaemon
from benchmarks.measurement import Bench

FILES = 10_000
FILES_PER_DIRECTORY = 100
READ_S = 600.0
SETTLE_S = 20
SECONDS = 60
_LINE = b"Mar  2 00:00:%02d gate01 sshd[%d]: Accepted publickey for ann from 192.0.2.7 port 40000 ssh2\n"


def measure(bench: Bench) -> list[Figure]:
    """Processor time, memory and handles over SECONDS with files that were read, against a daemon with one."""
    files = bench.size(FILES, 500)
    one = _make(bench.folder / "one_file", 1)
    many = _make(bench.folder / "idle_files", files)
    with LiveDaemon([one], bench.folder / "one" / "livesec.db") as daemon:
        daemon.wait_for_lines(1, READ_S)
        time.sleep(bench.size(SETTLE_S, 3))
        alone_mb = daemon.memory_mb()
    with LiveDaemon([many], bench.folder / "many" / "livesec.db") as daemon:
        daemon.wait_for_lines(files, READ_S)
        time.sleep(SETTLE_S)  # comes to rest
        before_s, started = daemon.cpu_seconds(), time.perf_counter()
        time.sleep(bench.size(SECONDS, 10))
        share = (daemon.cpu_seconds() - before_s) / (time.perf_counter() - started)
        memory_mb, handles = daemon.memory_mb(), daemon.handles()
    bench.say(f"{files:,} idle files: {share:.2%} of a core, {memory_mb - alone_mb:.0f} MB, {handles} handles")
    note = f"{files:,} files of one line in {files // FILES_PER_DIRECTORY} directories, all read before"
    return [
        Figure("CPU with 10,000 idle files", share * 100, "% of a core", at_most=2.0, note=note),
        Figure("  memory above a daemon with one file", memory_mb - alone_mb, "MB", at_most=100),
        Figure("  open handles", handles, "handles", at_most=600),
    ]


def _make(folder: Path, files: int) -> Path:
    """`files` files of one line each below `folder`; the pattern that names them."""
    for number in range(files):
        directory = folder / f"d{number // FILES_PER_DIRECTORY:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"app{number}.log").write_bytes(_LINE % (number % 60, number))
    return folder / "*" / "*.log"
