"""Resident memory over a replay of ten million sshd lines: its peak, and whether it stays flat."""

from __future__ import annotations

import json
import shutil

from benchmarks.figure import Figure
from benchmarks.logs import sshd_log
from benchmarks.measurement import Bench
from benchmarks.processes import COMMAND, MemorySamples, finished, start_on_one_core

LINES = 10_000_000


def measure(bench: Bench) -> list[Figure]:
    """One replay, sampled from outside."""
    log = sshd_log(bench.folder, bench.size(LINES, 200_000))
    db = bench.folder / "memory" / "livesec.db"
    process = start_on_one_core([*COMMAND, "replay", str(log), "--db", str(db), "--json"])
    samples = MemorySamples(process.pid)
    samples.start()
    report = json.loads(finished(process))
    samples.join()
    shutil.rmtree(db.parent)
    quarter = max(1, len(samples.mb) // 4)
    second, last = samples.mb[quarter : 2 * quarter] or samples.mb, samples.mb[-quarter:]
    growth = sum(last) / len(last) - sum(second) / len(second)
    bench.say(f"memory: peak {max(samples.mb):,.0f} MB over {report['lines']:,} lines")
    note = f"{report['lines']:,} lines in {report['seconds']:.0f} s, {report['lines_per_s']:,.0f} lines/s"
    return [
        Figure("peak memory of a long replay", report["peak_rss_mb"], "MB", at_most=450, note=note),
        Figure("  last quarter against second", growth, "MB", at_most=25, note="flat, means of resident memory"),
    ]
