"""What an event costs from the first million to the tenth, or with --long the hundredth: always the same."""

from __future__ import annotations

import json
import shutil
import sys

from benchmarks.figure import Figure
from benchmarks.flat_process import CHUNK_LINES
from benchmarks.measurement import Bench
from benchmarks.processes import finished, start_on_one_core

MILLIONS, LONG_MILLIONS = 10, 100
MOST_GROWTH = 1.1
"""Of the last part's cost against the first's: more is not flat."""


def measure(bench: Bench) -> list[Figure]:
    """One process over all; CPU seconds of each million events, so that what else the machine does counts little."""
    parts = LONG_MILLIONS if bench.is_long else MILLIONS
    lines = bench.size(CHUNK_LINES, 10_000)
    folder = bench.folder / "flat"
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.flat_process", str(parts), str(lines), str(folder)]
    records = [json.loads(line) for line in finished(start_on_one_core(command)).splitlines()]
    shutil.rmtree(folder)
    rates = [record["events"] / record["cpu_s"] for record in records]
    events = 0
    figures: list[Figure] = []
    for number, (record, rate) in enumerate(zip(records, rates, strict=True), 1):
        events += record["events"]
        bench.say(f"flat: {events:,} events: {rate:,.0f} a CPU second")
        if number in _shown(parts):
            note = f"events {events - record['events']:,} to {events:,}, of {record['lines']:,} sshd lines"
            figures.append(Figure(f"events a CPU second, {_ordinal(number)} million", rate, "events/s", note=note))
    growth = (rates[0] + rates[1]) / (rates[-1] + rates[-2])
    note = f"{events:,} events; the first two millions against the last two"
    return [*figures, Figure("  cost at the end against the start", growth, "times", at_most=MOST_GROWTH, note=note)]


def _shown(parts: int) -> set[int]:
    """The parts that stand in the table: 1, 2, 5, 10, 20, 50 ..."""
    return {step * 10**power for power in range(3) for step in (1, 2, 5)} & set(range(1, parts + 1))


def _ordinal(number: int) -> str:
    """In words that sort by eye.

    >>> _ordinal(1), _ordinal(2), _ordinal(10)
    ('1st', '2nd', '10th')
    """
    return f"{number}{ {1: 'st', 2: 'nd'}.get(number, 'th') }"
