"""Memory with a million distinct keys: failed logins from a million addresses, traffic of a million pairs.

Each detector keeps at most so many keys as it says (`max_keys`); the million is what the log holds. The target is for
what the keys take; what the process is without them stands beside it.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.key_logs import pairs_log, strangers_log
from benchmarks.measurement import Bench
from benchmarks.processes import finished, start_on_one_core

KEYS = 1_000_000
MOST_MB = 500
_WARM = 20_000


def measure(bench: Bench) -> list[Figure]:
    """Each log in a process of its own."""
    keys = bench.size(KEYS, 20_000)
    logins = _measured(
        bench, "a million addresses", strangers_log(bench.folder, keys), strangers_log(bench.folder, _WARM)
    )
    pairs = _measured(bench, "a million pairs", pairs_log(bench.folder, keys), pairs_log(bench.folder, _WARM))
    return [*logins, *pairs]


def _measured(bench: Bench, what: str, log: Path, warm_log: Path) -> list[Figure]:
    db = bench.folder / "keys" / "livesec.db"
    db.parent.mkdir()
    command = [sys.executable, "-m", "benchmarks.key_process", str(log), str(warm_log), str(db)]
    record = json.loads(finished(start_on_one_core(command)))
    shutil.rmtree(db.parent)
    largest = ", ".join(f"{name} {keys:,} in {mb:g} MB" for name, (keys, mb) in record["largest"].items())
    bench.say(f"keys: {what}: {largest}")
    note = f"{record['keys']:,} keys over all detectors; {record['cpu_s']:.1f} CPU seconds"
    before = f"{record['before_mb']:.0f} MB before them: libraries, kernels, tables of places"
    return [
        Figure(f"memory that {what} take", record["rss_mb"] - record["before_mb"], "MB", at_most=MOST_MB, note=note),
        Figure("  the whole process", record["rss_mb"], "MB", note=before),
        Figure("  its peak", record["peak_mb"], "MB"),
        Figure("  of it state", record["state_mb"], "MB", note=f"largest: {largest}"),
    ]
