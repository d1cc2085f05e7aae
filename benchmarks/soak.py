"""`python -m benchmarks.soak --minutes N`: nothing lost and nothing twice under rotation and SIGKILL.

Writers grow logs that share no entity, rename, copytruncate and compress them; the daemon is killed again and again.
Then every line written must be stored once or covered by a gap row, and each file's anomalies must be those of a
replay of its kept original, unless a gap touched it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.processes import compile_kernels
from benchmarks.soak_accounts import accounts_of
from benchmarks.soak_anomalies import anomalies_of, compare
from benchmarks.soak_daemon import MortalDaemon
from benchmarks.soak_results import Results, table_of
from benchmarks.soak_writers import Writers

CATCH_UP_S = 120.0
STEP_S = 0.2
STILL_S = 10.0
"""So long without a new line, and the daemon is taken to have read all that it will."""


def main(argv: Sequence[str] | None = None) -> int:
    """Soak, account, compare; 0 where every promise was kept, 1 where one was not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of writing [default: 5]")
    parser.add_argument("--lines-per-s", type=int, default=20_000, help="of all files [default: 20000]")
    parser.add_argument("--files", type=int, default=20, help="up to 300 [default: 20]")
    parser.add_argument("--seed", type=int, default=1, help="of lines, rotations and kills [default: 1]")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--folder", help="where logs, originals and stores are made, and kept [default: temporary]")
    options = parser.parse_args(argv)
    if not 1 <= options.files <= 300:
        parser.error("--files: 1 to 300")
    console = Console(stderr=True, highlight=False)
    with tempfile.TemporaryDirectory(prefix="livesec-soak-") as temporary:
        folder = Path(options.folder or temporary)
        for name in ("logs", "originals", "store", "replays"):
            (folder / name).mkdir(parents=True)
        console.print("compiling kernels, as the set-up does")
        compile_kernels()
        results = _soak(folder, options, console)
    if options.json:
        print(json.dumps(results.as_record()))
    else:
        Console().print(table_of(results))
    return 0 if results.is_kept else 1


def _soak(folder: Path, options: argparse.Namespace, console: Console) -> Results:
    db = folder / "store" / "livesec.db"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeRemainingColumn())
    seconds = options.minutes * 60
    with MortalDaemon(str(folder / "logs" / "*.log"), db, options.seed) as daemon:
        daemon.wait_for_first_look()
        numbers = (options.files, options.lines_per_s, seconds, options.seed)
        with Writers(folder, *numbers) as writers, Progress(*columns, console=console) as progress:
            task = progress.add_task("soaking", total=seconds, note="")
            started = time.monotonic()
            while writers.are_writing:
                daemon.step()
                time.sleep(STEP_S)
                note = f"{writers.lines:,} written, {daemon.stored_lines():,} stored, {daemon.kills} kills"
                progress.update(task, completed=time.monotonic() - started, note=note)
            writers.finish()
            progress.update(task, completed=seconds, note="catching up")
            catch_up_s = _catch_up(daemon, writers.lines)
            exit_code = daemon.stop()
            originals = sorted((folder / "originals").iterdir())
            soaked = anomalies_of(db)
            checking = progress.add_task("replaying the originals", total=len(originals), note="")
            comparisons = []
            for path in originals:
                comparisons.append(compare(soaked, path, folder / "replays" / f"{path.stem}.db"))
                progress.advance(checking)
    names = {path.name for path in originals}
    unplaced = sum(len(some) for name, found in soaked.items() if name not in names for some in found.values())
    return Results(accounts_of(db, folder), comparisons, writers.events, daemon.kills, catch_up_s, exit_code, unplaced)


def _catch_up(daemon: MortalDaemon, written: int) -> float:
    """Leave it alone until it has everything, or nothing comes any more; the seconds that took."""
    daemon.start()
    started = changed = time.monotonic()
    stored = daemon.stored_lines()
    while stored < written and time.monotonic() - changed < STILL_S and time.monotonic() - started < CATCH_UP_S:
        time.sleep(STEP_S)
        daemon.require_running()
        if (now := daemon.stored_lines()) != stored:
            stored, changed = now, time.monotonic()
    return time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
