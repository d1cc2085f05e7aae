"""Rows of the transfer CSV, read to committed on one core."""

from __future__ import annotations

import shutil

from benchmarks.figure import Figure, median
from benchmarks.logs import transfer_log
from benchmarks.measurement import Bench
from benchmarks.processes import replay

ROWS = 1_000_000
RUNS = 3


def measure(bench: Bench) -> list[Figure]:
    """Median of RUNS runs."""
    log = transfer_log(bench.folder, bench.size(ROWS, 50_000))
    rates: list[float] = []
    report = {}
    for run in range(RUNS):
        db = bench.folder / f"transfers_{run}" / "livesec.db"
        report = dict(replay(db, log))
        rates.append(report["lines_per_s"])
        shutil.rmtree(db.parent)
        bench.say(f"transfers: {rates[-1]:,.0f} rows/s")
    found = f"{report['events']:,} events, {report['anomalies']:,} anomalies stored"
    return [
        Figure("transfer CSV, read to committed", median(rates), "rows/s", at_least=400_000, note=f"one core; {found}"),
        Figure("  peak memory of that", report["peak_rss_mb"], "MB", at_most=450),
    ]
