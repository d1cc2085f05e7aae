"""The real command line in processes of its own: commands that end, and the daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.store_watch import daemon_pid

CHECKOUT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "livesec.cli.main")
COMMAND_S = 120.0
START_S = 120.0
"""The first start on a machine compiles kernels."""
STOP_S = 15.0

Record = dict[str, Any]


def environment(**more: str) -> dict[str, str]:
    """The environment of a command: this checkout's code, none of the caller's LIVESEC_ settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LIVESEC_")}
    return inherited | {"PYTHONPATH": str(CHECKOUT / "src"), "NO_COLOR": "1"} | more


def livesec(*words: str | Path, before: Sequence[str] = (), **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. `before` runs it, as in ("setpriv", ...); `more` is added to its environment."""
    return subprocess.run(
        [*before, *COMMAND, *map(str, words)],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )


def exported(db: Path, table: str = "anomalies") -> list[Record]:
    """What `livesec export` prints of a table."""
    done = livesec("export", "--db", db, "--table", table)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def status_of(db: Path) -> Record:
    """What `livesec status --json` prints."""
    done = livesec("status", "--db", db, "--json")
    assert done.returncode == 0, done.stderr
    record: Record = json.loads(done.stdout)
    return record


class Daemon:
    """`livesec run` until the end of a `with` block; may be killed and started again inside it.

    Parameters
    ----------
    logs : what follows --logs; none where the settings say what to watch
    settings : NAME=VALUE for --set
    config : what follows --settings
    more : environment variables on top of `environment()`
    before : words that run the command, which they must become (as setpriv does)
    """

    def __init__(
        self,
        logs: Sequence[Path],
        db: Path,
        *,
        history: str = "7d",
        settings: Sequence[str] = (),
        config: Path | None = None,
        more: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
    ) -> None:
        self.db = db
        options = [word for item in settings for word in ("--set", item)]
        paths = ["--logs", *map(str, logs)] if logs else []
        file = ["--settings", str(config)] if config is not None else []
        self._words = [*before, *COMMAND, "run", *paths, "--db", str(db), "--from", history, *options, *file]
        self._environment = environment(**(more or {}))
        self.output = db.with_suffix(".daemon.txt")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self.kill()

    @property
    def pid(self) -> int:
        """Process id of the last start."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """Everything it printed in all its starts."""
        return self.output.read_text(errors="replace")

    def start(self) -> None:
        """Start it; returns at once."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._words, env=self._environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def wait_until_watching(self) -> None:
        """Return when it has recovered and written its first heartbeat."""
        deadline = time.monotonic() + START_S
        while daemon_pid(self.db) != self.pid:
            assert self.is_running, f"the daemon ended: {self.said()}"
            assert time.monotonic() < deadline, f"no heartbeat within {START_S:g} s: {self.said()}"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, at whatever instruction it is."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_S)
