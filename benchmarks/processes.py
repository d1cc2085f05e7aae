"""Runs the real command line in fresh processes on chosen cores."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

CHECKOUT = Path(__file__).parents[1]
COMMAND = (sys.executable, "-m", "livesec.cli.main")
SAMPLE_S = 0.25


def environment(**more: str) -> dict[str, str]:
    """This checkout's code; none of the caller's LIVESEC_ settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIVESEC_")}
    return inherited | {"PYTHONPATH": str(CHECKOUT / "src"), "NO_COLOR": "1"} | more


def one_core() -> int:
    """The core to measure on: the last one, since the first takes most interrupts."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def pin(pid: int, core: int) -> None:
    """Keep a process on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {core})


def start_on_one_core(command: Sequence[str], **more: str) -> subprocess.Popen[str]:
    """Start a program pinned to `one_core`, one thread each in the libraries that have pools."""
    single = {name: "1" for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    core = one_core()
    return subprocess.Popen(
        command,
        env=environment(**single, **more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: pin(0, core),  # noqa: PLW1509 - no thread of this process holds a lock then
    )


def finished(process: subprocess.Popen[str]) -> str:
    """What it printed. Raises RuntimeError with its last words where it failed."""
    out, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{process.args!r} ended with {process.returncode}: {errors[-2000:]}")
    return out


def replay(db: Path, *paths: Path) -> Mapping[str, Any]:
    """`livesec replay --json` in a fresh process on one core; its report."""
    words = [*COMMAND, "replay", *map(str, paths), "--db", str(db), "--json"]
    report: dict[str, Any] = json.loads(finished(start_on_one_core(words)))
    return report


def compile_kernels() -> None:
    """What the set-up does once, so that no measurement contains a compiler."""
    finished(start_on_one_core([sys.executable, "-m", "livesec.runners.warmup"]))


class MemorySamples(threading.Thread):
    """The resident memory of a process over its life, in MB, every SAMPLE_S seconds."""

    def __init__(self, pid: int) -> None:
        super().__init__(name="memory samples")
        self._process = psutil.Process(pid)
        self.mb: list[float] = []

    def run(self) -> None:
        """Sample until the process ends."""
        while True:
            try:
                self.mb.append(self._process.memory_info().rss / 1024**2)
            except psutil.Error:
                return
            if self.mb[-1] == 0:  # ended, but not yet waited for
                self.mb.pop()
                return
            time.sleep(SAMPLE_S)
