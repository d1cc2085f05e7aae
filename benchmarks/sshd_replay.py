"""sshd lines, from the first byte read to the last commit on one core, against fail2ban-regex on the same lines."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from benchmarks.figure import Figure, median
from benchmarks.logs import first_lines, sshd_log
from benchmarks.measurement import Bench
from benchmarks.processes import finished, replay, start_on_one_core

LINES = 1_000_000
PEER_LINES = 50_000
RUNS = 3
PEER_DATE = "^%b %d %H:%M:%S"  # telling it the date's form makes it some 8 % faster than letting it guess


def measure(bench: Bench) -> list[Figure]:
    """Median of RUNS runs of each, taken in turns."""
    log = sshd_log(bench.folder, bench.size(LINES, 50_000))
    peer_log = first_lines(log, bench.size(PEER_LINES, 5_000))
    ours: list[float] = []
    theirs: list[float] = []
    report = {}
    for run in range(RUNS):
        db = bench.folder / f"sshd_{run}" / "livesec.db"
        report = dict(replay(db, log))
        ours.append(report["lines_per_s"])
        shutil.rmtree(db.parent)
        if shutil.which("fail2ban-regex") is not None:
            theirs.append(_fail2ban_lines_per_s(peer_log))
        bench.say(f"sshd: {ours[-1]:,.0f} lines/s" + (f", fail2ban-regex {theirs[-1]:,.0f}" if theirs else ""))
    rate = median(ours)
    found = f"{report['lines']:,} lines, {report['events']:,} events, {report['anomalies']:,} anomalies stored"
    figures = [
        Figure("sshd lines, read to committed", rate, "lines/s", at_least=400_000, note=f"one core; {found}"),
        Figure("  peak memory of that", report["peak_rss_mb"], "MB", at_most=450),
    ]
    if not theirs:
        return [*figures, Figure("  against fail2ban-regex", 0.0, "times", note="fail2ban is not installed")]
    peer = median(theirs)
    return [
        *figures,
        Figure("  fail2ban-regex, sshd filter", peer, "lines/s", note="same lines, one core, its start taken off"),
        Figure("  against fail2ban-regex", rate / peer, "times", at_least=10),
    ]


def _fail2ban_lines_per_s(log: Path) -> float:
    """Its rate on `log`; what it needs for a single line is its start, which is taken off."""
    lines = sum(1 for _ in log.open("rb"))
    return lines / max(1e-9, _seconds(log) - _seconds(first_lines(log, 1)))


def _seconds(log: Path) -> float:
    words = ["fail2ban-regex", "--usedns=no", "-d", PEER_DATE, "--print-no-missed", "--print-no-ignored"]
    started = time.perf_counter()
    finished(start_on_one_core([*words, str(log), "sshd"]))
    return time.perf_counter() - started
