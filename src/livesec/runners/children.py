"""Keeps child processes running: starts them in order, restarts what dies, ends them together."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from livesec.bootstrap.guardian import Guardian, end_groups
from livesec.core.errors import LiveSecError

LOG_LIMIT_BYTES = 5_000_000  # a child's log is then moved aside; the one moved before it goes
REASON_BYTES = 4_096  # how much of a log's end is looked at for its last line
REASON_CHARACTERS = 160


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a dead child is started again: `first_s`, doubled each time, at most `most_s`.

    A child that ran for `healthy_s` starts over at `first_s`.

    >>> [Backoff().delay_s(deaths) for deaths in (1, 2, 3, 20)]
    [1.0, 2.0, 4.0, 60.0]
    """

    first_s: float = 1.0
    most_s: float = 60.0
    healthy_s: float = 60.0

    def delay_s(self, deaths: int) -> float:
        """Seconds to wait after the `deaths`-th death in a row (1 is the first)."""
        return min(self.first_s * 2.0 ** min(deaths - 1, 30), self.most_s)


@dataclass(frozen=True)
class ChildPlan:
    """One child: a `name` for people and for its log file, and how it is started.

    `once` children do one piece of work and end; if one fails, there is no point in going on. Others run
    until stopped and are restarted. A child starts when the `once` child named in `after` has ended well.
    """

    name: str
    command: Sequence[str]
    once: bool = False
    after: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Child:
    plan: ChildPlan
    log: Path
    due: float = 0.0  # monotonic time of the next start
    deaths: int = 0
    started: float = 0.0
    done: bool = False
    process: subprocess.Popen[bytes] | None = None


class Supervisor:
    """Runs `plans` with their output in `logs_folder`.

    Args:
        plans: in the order they are to start.
        folder: the children's working directory.
        logs_folder: gets one log per child.
        guardian: ends the children should this process be killed.
        say: prints one line.
        backoff: when to restart what died.
    """

    def __init__(
        self,
        plans: Sequence[ChildPlan],
        folder: Path,
        logs_folder: Path,
        guardian: Guardian,
        say: Callable[[str], None],
        backoff: Backoff,
    ) -> None:
        logs_folder.mkdir(parents=True, exist_ok=True)
        self._children = [_Child(plan, logs_folder / f"{plan.name}.log") for plan in plans]
        self._folder = folder
        self._guardian = guardian
        self._say = say
        self._backoff = backoff

    def step(self) -> float:
        """See to what ended and start what is due.

        Returns:
            Seconds until something is due again, at most 60.

        Raises:
            LiveSecError: a child cannot be started, or one whose work the others need has failed.
        """
        now = time.monotonic()
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child, child.process, now)
            keep_small(child.log)
        done = {child.plan.name for child in self._children if child.done}
        waits = [60.0]
        for child in self._children:
            if child.process is None and not child.done and (not child.plan.after or child.plan.after in done):
                if child.due <= now:
                    self._start(child, now)
                else:
                    waits.append(child.due - now)
        return min(waits)

    def stop(self, grace_s: float) -> None:
        """End every child and all that it started: SIGTERM, after `grace_s` SIGKILL."""
        running = [child.process for child in self._children if child.process is not None]
        groups = {process.pid for process in running}
        killed = end_groups(groups, grace_s, reap=lambda: [process.poll() for process in running])
        for process in running:
            process.wait()
            self._guardian.forget(process.pid)
        for child in self._children:
            if child.process is not None and child.process.pid in killed:
                self._say(f"{child.plan.name} did not end when asked and was killed")
            child.process = None

    def _start(self, child: _Child, now: float) -> None:
        # Unbuffered, so that the log shows what happens when it happens.
        environment = {"PYTHONUNBUFFERED": "1", **child.plan.environment}
        with child.log.open("ab") as log:  # appending: the file may be cut while the child writes
            try:
                process = self._guardian.start(child.plan.command, self._folder, log, environment)
            except OSError as error:
                raise LiveSecError(f"{child.plan.name} cannot be started: {error}") from error
        child.process, child.started = process, now

    def _bury(self, child: _Child, process: subprocess.Popen[bytes], now: float) -> None:
        end_groups({process.pid}, 0.0)  # what it left behind would hold its files and its store
        self._guardian.forget(process.pid)
        child.process = None
        ended = f"{child.plan.name} {describe_end(process.returncode)}"
        if process.returncode > 0 and (reason := last_line(child.log)):
            ended += f" ({reason})"
        if child.plan.once:
            child.done = process.returncode == 0
            if not child.done:
                raise LiveSecError(f"{ended}: see {child.log}")
            return
        child.deaths = 1 if now - child.started >= self._backoff.healthy_s else child.deaths + 1
        delay_s = self._backoff.delay_s(child.deaths)
        child.due = now + delay_s
        self._say(f"{ended}; it starts again in {delay_s:g} s; log: {child.log}")


def describe_end(code: int) -> str:
    """How a process ended, in words.

    >>> describe_end(3), describe_end(-9)
    ('ended with exit code 3', 'was ended by SIGKILL')
    """
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def last_line(log: Path) -> str:
    """The last line of a log that says anything, short and made harmless for a terminal; else empty."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - REASON_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    line = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return "".join(c if c.isprintable() else "?" for c in line)[:REASON_CHARACTERS]


def keep_small(log: Path) -> None:
    """Move an overlong log to `NAME.1` and empty it in place, for a child may be writing to it."""
    try:
        if log.stat().st_size <= LOG_LIMIT_BYTES:
            return
    except FileNotFoundError:
        return
    shutil.copyfile(log, log.with_name(log.name + ".1"))
    os.truncate(log, 0)
