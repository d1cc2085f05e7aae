"""Starts processes that end when this one does, however that comes about (SIGKILL and crashes included).

The guardian is a process of its own at the other end of a pipe. This process writes `+GROUP` when it has
started a process group and `-GROUP` when it has seen it end; when the pipe closes, the groups still named are
ended. A pipe works on every system and for grandchildren, where Linux's PR_SET_PDEATHSIG reaches children
only. Not covered: the millisecond between a start and its `+`.

It is started as a plain file with `python -I -S`, so it costs 10 ms and imports the standard library alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

GRACE_S = 2.0  # between SIGTERM and SIGKILL
POLL_S = 0.02


class Guardian:
    """This process's end of the pipe.

    Args:
        lock_fd: a lock that stays held until the guardian has done its work; -1 for none.
    """

    def __init__(self, lock_fd: int = -1) -> None:
        self._lock_fd = lock_fd
        self._groups: set[int] = set()
        self._process = self._start_guard()

    def start(
        self,
        command: Sequence[str],
        folder: Path,
        output: BinaryIO,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start `command` as a process group of its own, to be ended if this process ends before `forget`.

        Args:
            command: the program and its words.
            folder: its working directory.
            output: where it writes, errors too; it reads nothing.
            environment: variables that differ from this process's.

        Raises:
            OSError: it cannot be started.
        """
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,  # Ctrl-C is for this process, which then ends the group in order
        )
        self._groups.add(process.pid)
        self._send(f"+{process.pid}\n")
        return process

    def forget(self, group: int) -> None:
        """`group` has ended; its number may soon belong to something else."""
        self._groups.discard(group)
        self._send(f"-{group}\n")

    def close(self) -> None:
        """Let the guardian go; what it still watches is ended."""
        pipe = self._process.stdin
        if pipe is not None:
            pipe.close()
        self._process.wait(GRACE_S + 1.0)

    def _start_guard(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", os.path.abspath(__file__)],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
            pass_fds=() if self._lock_fd < 0 else (self._lock_fd,),
        )

    def _send(self, line: str) -> None:
        pipe = self._process.stdin
        try:
            if pipe is not None and self._process.poll() is None:
                pipe.write(line.encode())
                return
        except BrokenPipeError:
            pass  # it was killed: the next lines start another
        self._process.wait()
        self._process = self._start_guard()
        if self._process.stdin is not None:
            self._process.stdin.write("".join(f"+{group}\n" for group in self._groups).encode())


def end_groups(groups: Iterable[int], grace_s: float, reap: Callable[[], object] = tuple) -> set[int]:
    """End process groups: SIGTERM to each, SIGKILL to those still there after `grace_s`.

    Args:
        groups: their numbers; one that is gone already is no error.
        grace_s: how long they have to end by themselves.
        reap: collects ended children of this process, which otherwise count as still there.

    Returns:
        The groups that had to be killed.
    """
    alive = {group for group in groups if _signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace_s
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_S)
        reap()
        alive = {group for group in alive if _signal_group(group, 0)}
    return {group for group in alive if _signal_group(group, signal.SIGKILL)}


def _signal_group(group: int, number: int) -> bool:
    """Signal a group; False if nothing of it is left."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        return False
    return True


def _guard() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the pipe tells when to act
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line.startswith("+") else groups.discard)(int(line[1:]))
    end_groups(groups, GRACE_S)


if __name__ == "__main__":
    _guard()
