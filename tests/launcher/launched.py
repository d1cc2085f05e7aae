"""A launcher in a process of its own, as the tests see it from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
WAIT_S = 20.0

Child = Mapping[str, object]


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def child(what: str, folder: Path, *more: str, **fields: object) -> Child:
    """A stand-in child's plan; `what` is also its name."""
    command = [sys.executable, str(HERE / "stand_in_child.py"), what, str(folder), *more]
    return {"name": what, "command": command, **fields}


def processes_of(folder: Path) -> list[str]:
    """The command lines of every live process that names `folder`."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            if str(folder) in line and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(line))
        except psutil.Error:
            continue
    return found


def wait_until_gone(folder: Path, seconds: float) -> float:
    """Seconds until no process names `folder`; fails after `seconds`."""
    began = time.monotonic()
    while left := processes_of(folder):
        assert time.monotonic() - began < seconds, left
        time.sleep(0.02)
    return time.monotonic() - began


class Launched:
    """A launcher over stand-in children in `folder`; a context manager that leaves nothing running."""

    def __init__(self, folder: Path, children: Sequence[Child] | None = None, minutes: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        plans = [child("dashboard", folder, str(self.port)), *(children or [])]
        self.log = folder / f"launcher-{self.port}.log"
        environment = {**os.environ, "PYTHONPATH": str(SOURCES), "SSH_CONNECTION": "", "DISPLAY": ""}
        command = [sys.executable, str(HERE / "stand_in_launch.py"), str(folder), str(self.port)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [*command, json.dumps(plans), minutes], stdout=output, stderr=output, env=environment
            )

    def __enter__(self) -> Launched:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(WAIT_S)
        wait_until_gone(self.folder, WAIT_S)

    def text(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> str:
        """What it printed, as soon as `words` are in it."""
        deadline = time.monotonic() + WAIT_S
        while words not in self.text():
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)
        return self.text()

    def starts(self, what: str) -> list[float]:
        """When the stand-in child `what` was started, each time (monotonic seconds)."""
        path = self.folder / f"{what}.starts"
        return [float(line) for line in path.read_text().split()] if path.exists() else []

    def wait_for_starts(self, what: str, count: int) -> list[float]:
        """Those times, once there are `count`."""
        deadline = time.monotonic() + WAIT_S
        while len(starts := self.starts(what)) < count:
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.02)
        return starts
