"""`python -m benchmarks [NAME...]`: runs measurements one after the other and prints a table of them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    commit_cost,
    explanations,
    flat_cost,
    idle_cpu,
    idle_files,
    live_latency,
    long_line,
    many_keys,
    model_calls,
    network_replay,
    peak_memory,
    recovery,
    sshd_replay,
    transfer_replay,
)
from benchmarks.figure import Figure, number
from benchmarks.measurement import Bench, Measurement
from benchmarks.page import page_of
from benchmarks.processes import CHECKOUT, compile_kernels

MEASUREMENTS: dict[str, Measurement] = {
    "sshd": sshd_replay.measure,
    "network": network_replay.measure,
    "transfers": transfer_replay.measure,
    "latency": live_latency.measure,
    "commit": commit_cost.measure,
    "recovery": recovery.measure,
    "idle": idle_cpu.measure,
    "files": idle_files.measure,
    "line": long_line.measure,
    "memory": peak_memory.measure,
    "keys": many_keys.measure,
    "flat": flat_cost.measure,
    "explanations": explanations.measure,
    "model": model_calls.measure,
}
PAGE = CHECKOUT / "docs" / "benchmarks.md"
QUICK_SHARE = 0.05
BUSY_LOAD = 0.5  # per core, before anything was started


def main(argv: Sequence[str] | None = None) -> int:
    """Run the named measurements, all without a name; 0 when every target was reached, 1 when one was not."""
    parser = _parser()
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"{unknown[0]}: no such measurement; there are {', '.join(MEASUREMENTS)}")
    console = Console(stderr=True, highlight=False)
    if os.getloadavg()[0] > BUSY_LOAD * (os.cpu_count() or 1):
        console.print(f"[yellow]This machine is busy (load {os.getloadavg()[0]:.1f}): the figures will be too low.")
    with tempfile.TemporaryDirectory(prefix="livesec-bench-", dir=options.folder) as name:
        bench = Bench(Path(name), QUICK_SHARE if options.quick else 1.0, console.print, is_long=options.long)
        bench.say("compiling kernels, as the set-up does")
        compile_kernels()
        figures: list[Figure] = []
        for chosen in options.names or MEASUREMENTS:
            bench.say(f"[bold]{chosen}[/bold]: {MEASUREMENTS[chosen].__module__.removeprefix('benchmarks.')}")
            figures.extend(MEASUREMENTS[chosen](bench))
    machine = _machine()
    if options.json:
        records = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
        print(json.dumps({"machine": machine, "figures": records}))
    else:
        Console().print(_table(figures, machine))
    if options.write:
        PAGE.write_text(page_of(figures, machine, datetime.now(UTC).date()))
        bench.say(f"written: {PAGE}")
    return 0 if all(figure.is_met is not False for figure in figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures LiveSec on this machine, and its peers in the same run where they are installed.",
        epilog="Example: python -m benchmarks sshd network --json. The whole takes some ten minutes; keep it quiet.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, no figures to quote")
    parser.add_argument("--long", action="store_true", help="flat: 100 million events in place of 10, an hour")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md too")
    parser.add_argument("--folder", help="where the logs are made: 2 GB for the whole [default: the system's]")
    return parser


def _machine() -> str:
    """Processor, cores, memory, system and Python, in one line."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
        memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    except (OSError, ValueError):
        return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    return (
        f"{model}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, Python {platform.python_version()}"
    )


def _table(figures: Sequence[Figure], machine: str) -> Table:
    table = Table(title=f"LiveSec on {machine}", title_justify="left")
    for heading in ("measured", "value", "unit", "target", "", "how"):
        table.add_column(heading, justify="right" if heading == "value" else "left")
    for figure in figures:
        word = {True: "[green]met", False: "[red]missed", None: ""}[figure.is_met]
        table.add_row(figure.name, number(figure.value), figure.unit, figure.target(), word, figure.note)
    return table


if __name__ == "__main__":
    sys.exit(main())
