"""Replays a log in one process and says what its keys cost: resident memory before and after, bytes per state.

python -m benchmarks.key_process LOG DB: one JSON object on standard output.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from livesec.core.settings import Settings, load_settings
from livesec.runners.replay import Replay, peak_rss_mb
from livesec.store.writer import StoreWriter

_LARGEST = 8


def main(log: Path, warm_log: Path, db: Path) -> None:
    """Replay `warm_log` into a store that is thrown away, so that kernels and tables are loaded, then `log`."""
    settings = load_settings(environ={"": ""})
    _replay(warm_log, db.with_name("warm.db"), settings)
    process = psutil.Process()
    before_mb = process.memory_info().rss / 1024**2
    started = time.process_time()
    replay = _replay(log, db, settings)
    seconds = time.process_time() - started
    states = {name: (len(state), state.nbytes) for name, state in replay._engine._states.items()}
    largest = sorted(states.items(), key=lambda item: -item[1][1])[:_LARGEST]
    record = {
        "cpu_s": seconds,
        "before_mb": before_mb,
        "rss_mb": process.memory_info().rss / 1024**2,
        "peak_mb": peak_rss_mb(),
        "keys": sum(keys for keys, _ in states.values()),
        "state_mb": sum(size for _, size in states.values()) / 1024**2,
        "largest": {name: [keys, round(size / 1024**2, 1)] for name, (keys, size) in largest},
    }
    sys.stdout.write(json.dumps(record) + "\n")


def _replay(log: Path, db: Path, settings: Settings) -> Replay:
    writer = StoreWriter(str(db))
    try:
        replay = Replay(settings, [str(log)], writer, lambda _share, _lines: None)
        replay.run()
    finally:
        writer.close()
    return replay


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
