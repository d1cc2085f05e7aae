"""The process of the soak's writers, as the soak sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.processes import CHECKOUT, environment


class Writers:
    """`python -m benchmarks.soak_writer`, ended at the latest with the `with` block."""

    def __init__(self, folder: Path, files: int, lines_per_s: int, seconds: float, seed: int) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "benchmarks.soak_writer",
                str(folder),
                *map(str, (files, lines_per_s, seconds, seed)),
            ],
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
            cwd=CHECKOUT,
        )
        self._report: dict[str, Any] = {"lines": 0, "events": {}}
        self._reader = threading.Thread(target=self._read, name="writers' reports", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._report = json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def are_writing(self) -> bool:
        """Whether their time has not ended."""
        return self._process.poll() is None

    @property
    def lines(self) -> int:
        """Lines written so far, as of the last second."""
        return int(self._report["lines"])

    @property
    def events(self) -> dict[str, int]:
        """How often files were renamed, copytruncated and compressed."""
        return dict(self._report["events"])

    def finish(self) -> None:
        """Wait for the last report. Raises RuntimeError where the writers failed."""
        self._process.wait()
        self._reader.join()
        if self._process.returncode:
            raise RuntimeError(f"the writers ended with {self._process.returncode}")
