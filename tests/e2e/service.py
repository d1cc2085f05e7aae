"""A real service in the foreground, ended with the test that started it, however the test ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
from tests.e2e.requirements import program

START_S = 15.0
END_S = 5.0


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether something listens on a TCP port, without a connection that the service would log."""
    return any(
        item.status == psutil.CONN_LISTEN and item.laddr and item.laddr.port == port
        for item in psutil.net_connections("tcp4")
    )


def wait_until(condition: Callable[[], bool], seconds: float, what: str, pause_s: float = 0.02) -> None:
    """Poll `condition`; AssertionError naming `what` where it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(pause_s)


class Service:
    """A program run in the foreground until the end of a `with` block; it also dies with the test process."""

    def __init__(self, command: Sequence[str], folder: Path, is_ready: Callable[[], bool]) -> None:
        self._command = command
        self._output = folder / f"{Path(command[0]).name}.out"
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        bound_to_us = [program("setpriv", "util-linux"), "--pdeathsig", "TERM", "--", *self._command]
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                bound_to_us, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        with ExitStack() as on_failure:
            on_failure.callback(self._end)
            wait_until(self._is_up, START_S, f"{self._command[0]} ready")
            on_failure.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _is_up(self) -> bool:
        assert self._process is not None
        code = self._process.poll()
        assert code is None, f"{self._command} ended with {code}: {self._output.read_text(errors='replace')}"
        return self._is_ready()

    def _end(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
