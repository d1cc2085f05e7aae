"""Rows of the network CSV, read to committed on one core, against the way the livesec seed goes through them.

The target is ten times what the seed itself did on a quiet machine of two cores. Its restatement here does so little
per row that it is several times faster than the seed was; the ratio to it is printed, not held against a target.
"""

from __future__ import annotations

import json
import shutil
import sys

from benchmarks.figure import Figure, median
from benchmarks.logs import network_log
from benchmarks.measurement import Bench
from benchmarks.processes import finished, replay, start_on_one_core

ROWS = 1_000_000
RUNS = 3


def measure(bench: Bench) -> list[Figure]:
    """Median of RUNS runs of each, taken in turns."""
    log = network_log(bench.folder, bench.size(ROWS, 50_000))
    ours: list[float] = []
    theirs: list[float] = []
    report, seed = {}, {}
    for run in range(RUNS):
        db = bench.folder / f"network_{run}" / "livesec.db"
        report = dict(replay(db, log))
        ours.append(report["lines_per_s"])
        shutil.rmtree(db.parent)
        seed = json.loads(finished(start_on_one_core([sys.executable, "-m", "benchmarks.seed_reference", str(log)])))
        theirs.append(seed["rows"] / seed["seconds"])
        bench.say(f"network: {ours[-1]:,.0f} rows/s, the seed's way {theirs[-1]:,.0f}")
    rate, peer = median(ours), median(theirs)
    found = f"{report['events']:,} events, {report['anomalies']:,} anomalies stored"
    return [
        Figure("network CSV, read to committed", rate, "rows/s", at_least=1_080_000, note=f"one core; {found}"),
        Figure("  peak memory of that", report["peak_rss_mb"], "MB", at_most=450),
        Figure("  the seed's way", peer, "rows/s", note=f"a bare loop, nothing stored; {seed['alerts']:,} alerts"),
        Figure("  against the seed's way", rate / peer, "times", note="the seed itself did 108,000 rows/s"),
    ]
