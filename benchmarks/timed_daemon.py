"""`python -m benchmarks.timed_daemon LOG DB TIMES`: a daemon that writes down how long each batch's commit took."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from livesec.core.anomaly import Commit
from livesec.core.settings import load_settings
from livesec.runners.daemon import Daemon
from livesec.runners.run_plan import RunPlan
from livesec.runners.signals import Signals
from livesec.store.writer import StoreWriter


class TimedWriter(StoreWriter):
    """Keeps (lines, seconds) of each commit; 0 lines are a snapshot or positions alone."""

    def __init__(self, db: str) -> None:
        super().__init__(db)
        self.commits: list[tuple[int, float]] = []

    def commit(self, commit: Commit) -> None:
        """As StoreWriter's."""
        started_s = time.perf_counter()
        super().commit(commit)
        lines = 0 if commit.batch is None else len(commit.batch)
        self.commits.append((lines, time.perf_counter() - started_s))


def main() -> int:
    """Run until SIGTERM."""
    log, db, times = sys.argv[1:]
    signals = Signals()
    settings = load_settings(assignments=["history=start"], environ={"": ""})
    plan = RunPlan(settings, (log,), False, db, False)
    writer = TimedWriter(db)
    try:
        Daemon(plan, writer, replan=lambda: plan, console=sys.stdout, signals=signals).run()
    finally:
        writer.close()
    Path(times).write_text(json.dumps(writer.commits))
    return 0


if __name__ == "__main__":
    sys.exit(main())
