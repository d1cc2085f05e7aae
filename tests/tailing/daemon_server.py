"""Daemons in processes of their own that start in a fraction of a second, to be killed by the dozen.

They are forks of a process that has done beforehand everything slow that starts no thread. A SIGKILL is a real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.tailing.daemon_life import Life, live, output_of

CHECKOUT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL


class RunningDaemon:
    """A daemon that was started; wait for it before the next one is."""

    def __init__(self, server: subprocess.Popen[str], life: Life) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._life = life
        self._answers = server.stdout
        server.stdin.write(json.dumps(asdict(life)) + "\n")
        server.stdin.flush()
        self.pid = int(self._answers.readline())

    def wait(self) -> int:
        """Its exit code once it ends: -9 after SIGKILL. AssertionError where it hangs or fails."""
        code = int(self._answers.readline())
        assert code in (0, KILLED), f"it ended with {code}: {output_of(self._life.logs[0]).read_text(errors='replace')}"
        return code


class DaemonServer:
    """Starts daemons, one at a time, until the end of a `with` block."""

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LIVESEC_")}
        paths = os.pathsep.join([str(CHECKOUT / "src"), str(CHECKOUT)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.tailing.daemon_server"],
            cwd=CHECKOUT,
            env=environment | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def start(self, life: Life) -> RunningDaemon:
        """Start a daemon."""
        Path(life.db).parent.mkdir(parents=True, exist_ok=True)
        return RunningDaemon(self._process, life)

    def live(self, life: Life) -> int:
        """Start a daemon and wait for its end; its exit code."""
        return self.start(life).wait()


def _prepare() -> None:
    import numpy as np  # noqa: PLC0415 - the test process has no use for any of this

    from livesec.core.settings import load_settings  # noqa: PLC0415
    from livesec.core.state import KeyedState  # noqa: PLC0415
    from livesec.enrich import geo_table  # noqa: PLC0415
    from livesec.enrich.geoip2fast_file import bundled_path, read_geo_file  # noqa: PLC0415
    from livesec.pipeline.assembly import assemble  # noqa: PLC0415

    geo_file = read_geo_file(bundled_path())
    setattr(geo_table, "read_geo_file", lambda _path: geo_file)  # noqa: B010 - not its own name
    assemble(load_settings(environ={"": ""}))
    some = KeyedState({"value": np.int64})
    some.reserve(np.arange(1, 5000, dtype=np.uint64) << np.uint64(48))  # has the compiler's own modules loaded


def _serve(requests: Iterable[str]) -> None:
    for line in requests:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                live(Life(**json.loads(line)))
                code = 0
            except Exception:  # said where the test looks for it
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _prepare()
    _serve(sys.stdin)
