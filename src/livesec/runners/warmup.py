"""Compiles every kernel once and keeps it on disk: `python -m livesec.runners.warmup`, run by the set-up.

It replays a small demo world and some sshd lines into a store that is thrown away, so that whatever the daemon will
call has been called with the same types before. Takes a quarter of a minute on first use, two seconds after.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from pathlib import Path

from livesec.core.clock import US_PER_DAY
from livesec.core.jit import forget_old_kernels
from livesec.core.settings import load_settings
from livesec.runners.replay import Replay
from livesec.simulate.folder import write_logs
from livesec.simulate.schedule import DEFAULT_ORDERS
from livesec.simulate.sshd import sshd_lines
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World
from livesec.store.writer import StoreWriter

_START_US = 20_500 * US_PER_DAY
_DAYS = 3.0


def warm_up(folder: Path) -> int:
    """Replay samples through everything in `folder`; returns how many lines."""
    write_logs(folder, simulate(World(seed=1, users=12), _START_US, _DAYS, 0.2, DEFAULT_ORDERS))
    (folder / "auth.log").write_bytes(sshd_lines(4_000, seed=1, attack_share=0.5, start_us=_START_US))
    lines = 0
    names = ["auth.log", "login_logs.csv", "network_logs.csv", "file_transfer_logs.csv"]
    for paths in ([names[0]], names[1:]):  # one file alone, and several merged
        writer = StoreWriter(str(folder / "warm-up.db"))
        try:
            replay = Replay(load_settings(environ={"": ""}), [str(folder / path) for path in paths], writer, _silent)
            lines += replay.run().lines
        finally:
            writer.close()
    return lines


def _silent(_share: float, _lines: int) -> None:
    return None


def main() -> int:
    """Warm up and say how long it took."""
    started = time.perf_counter()
    gc.freeze()
    gc.set_threshold(50_000, 1_000)  # numba's many short-lived objects: a tenth of the time saved, for 40 MB more
    with tempfile.TemporaryDirectory(prefix="livesec-warm-up-") as name:
        lines = warm_up(Path(name))
    forget_old_kernels()
    sys.stdout.write(f"compiled, with {lines:,} sample lines, in {time.perf_counter() - started:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
