"""The logs that are measured on: made once per run, the same bytes for the same size."""

from __future__ import annotations

import itertools
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.processes import COMMAND, environment
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.schema import LogType
from livesec.simulate.dayplan import plan_day
from livesec.simulate.folder import csv_bytes
from livesec.simulate.frames import joined
from livesec.simulate.sshd import sshd_lines
from livesec.simulate.transfers import transfers_of_day
from livesec.simulate.world import World

START_US = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * US_PER_S
_PART_LINES = 1_000_000
LINES_PER_S = 0.6  # as sshd_lines spaces them, so that parts follow one another
_DEMO_DAYS = 14
_EVENTS_PER_DAY = 24_000  # of `livesec demo batch` at --rate 1
_TRANSFERS_PER_DAY = 2_500
_NETWORK_SHARE = 0.55  # of those, at least: more are made than wanted


def sshd_log(folder: Path, lines: int) -> Path:
    """An auth.log of `lines` lines of a host that faces the internet, four of five sessions attacks."""
    path = folder / f"sshd_{lines}.log"
    if path.exists():
        return path
    with path.open("wb") as file:
        for part, start in enumerate(range(0, lines, _PART_LINES)):
            start_us = START_US + int(start / LINES_PER_S * US_PER_S)
            file.write(sshd_lines(min(_PART_LINES, lines - start), seed=part + 1, start_us=start_us))
    return path


def network_log(folder: Path, rows: int) -> Path:
    """The demo's network log, `rows` rows and a header."""
    path = folder / f"network_{rows}.csv"
    if path.exists():
        return path
    rate = rows / (_DEMO_DAYS * _EVENTS_PER_DAY * _NETWORK_SHARE)
    demo = folder / "demo"
    words = ["demo", "batch", "--days", str(_DEMO_DAYS), "--rate", f"{rate:.4f}", "--out", str(demo)]
    subprocess.run(
        [*COMMAND, *words, "--end", "2026-03-16 00:00:00"], env=environment(), check=True, capture_output=True
    )
    with (demo / "network_logs.csv").open("rb") as whole, path.open("wb") as file:
        file.writelines(itertools.islice(whole, rows + 1))
    return path


def transfer_log(folder: Path, rows: int) -> Path:
    """Ordinary file transfers as the demo has them, `rows` rows at most and a header."""
    path = folder / f"transfers_{rows}.csv"
    if path.exists():
        return path
    rate = 1.1 * rows / (_DEMO_DAYS * _TRANSFERS_PER_DAY)
    first = START_US // US_PER_DAY
    plans = (plan_day(World(seed=1, users=60), day) for day in range(first, first + _DEMO_DAYS))
    frame = joined(LogType.FILE_TRANSFER, [pl.concat(transfers_of_day(plan, rate)) for plan in plans])
    frame = frame.head(rows).with_columns(pl.col("timestamp").cast(pl.Datetime("us")))
    path.write_bytes(csv_bytes(frame, header=True))
    return path


def first_lines(log: Path, lines: int) -> Path:
    """A file with the first `lines` lines of `log`."""
    path = log.with_name(f"{log.stem}_first_{lines}{log.suffix}")
    with log.open("rb") as whole, path.open("wb") as file:
        file.writelines(itertools.islice(whole, lines))
    return path
