"""The daemon's hold on its worker: started where an endpoint is set, restarted when it dies, ended with the daemon.

The settings go to it through a pipe, not on its command line, which others can read. The pipe stays open: the system
closes it when the daemon ends, however that comes about, and the worker ends with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import time
from pathlib import Path

from livesec.core.settings import Settings
from livesec.explain.endpoint import endpoint_of
from livesec.runners.children import Backoff, describe_end

_log = logging.getLogger(__name__)
_SOURCES = Path(__file__).parents[2]
_WANTED = ("openai_", "explain_", "format_files")
_GRACE_S = 0.5  # SIGTERM ends it at once; a stop of the daemon must not take longer
_BACKOFF = Backoff()


class ExplainerProcess:
    """The worker of the store at `store`."""

    def __init__(self, store: Path, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._started = self._due = 0.0

    def keep(self) -> None:
        """Start it where it should run and does not. Takes microseconds where there is nothing to do."""
        if self._process is not None and self._process.poll() is not None:
            self._bury(self._process)
        if self._process is None and time.monotonic() >= self._due and endpoint_of(self._settings) is not None:
            self._start()

    def take_over(self, settings: Settings) -> None:
        """Start it anew where the settings that it works by have changed."""
        changed = _given(settings) != _given(self._settings)
        self._settings = settings
        if changed:
            self.stop()
            self._deaths, self._due = 0, 0.0
        self.keep()

    def stop(self) -> None:
        """End it. What it was working on waits in the store."""
        process, self._process = self._process, None
        if process is None:
            return
        _close(process)
        process.terminate()
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> None:
        self._started = time.monotonic()
        # without the working directory on its path, which may hold anything, and with this code's own folder instead
        command = [sys.executable, "-P", "-m", "livesec.runners.explainer", "--db", str(self._store)]
        path = os.pathsep.join(filter(None, [str(_SOURCES), os.environ.get("PYTHONPATH")]))
        try:
            # a session of its own: Ctrl-C is for the daemon, which then ends the worker
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            self._wait_after_death(f"cannot be started: {error}")
            return
        self._process = process
        with contextlib.suppress(BrokenPipeError):  # it ended already: the next look says how
            if process.stdin is not None:
                process.stdin.write(_given(self._settings).encode() + b"\n")

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        _close(process)
        self._wait_after_death(describe_end(process.returncode))

    def _wait_after_death(self, how: str) -> None:
        now = time.monotonic()
        self._deaths = 1 if now - self._started >= _BACKOFF.healthy_s else self._deaths + 1
        delay_s = _BACKOFF.delay_s(self._deaths)
        self._due = now + delay_s
        _log.warning("the worker that asks the model %s; it starts again in %g s", how, delay_s)


def _given(settings: Settings) -> str:
    """The settings that it works by: a short line, which a pipe takes without anybody reading yet."""
    names = {name for name in Settings.model_fields if name.startswith(_WANTED)}
    return settings.model_dump_json(include=names)


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
