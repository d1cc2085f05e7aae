"""How long the daemon takes after a SIGKILL, from its start to its first sign of life, with much to remember."""

from __future__ import annotations

import os
import time
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.key_logs import strangers
from benchmarks.live_daemon import LiveDaemon
from benchmarks.measurement import Bench
from livesec.core.anomaly import Commit
from livesec.core.settings import load_settings
from livesec.pipeline.engine import Engine
from livesec.runners.wiring import make_engine
from livesec.sources.file_source import FileSource
from livesec.store.writer import StoreWriter

KEYS = 1_000_000
KEYS_PER_ADDRESS = 4  # one in each detector of addresses, see `_keys`
JOURNALLED_S = 30  # the longest that batches wait for a save of state
JOURNALLED_LINES_PER_S = 1_000
MOST_S = 5.0
_SAVE_LINES = 50_000


def measure(bench: Bench) -> list[Figure]:
    """A store with a million keys of state and the journal of one snapshot interval, and a daemon that starts on it."""
    log, db = bench.folder / "strangers.log", bench.folder / "recovery" / "livesec.db"
    db.parent.mkdir()
    saved = bench.size(KEYS, 20_000) // KEYS_PER_ADDRESS
    journalled = bench.size(JOURNALLED_S * JOURNALLED_LINES_PER_S, 1_000)
    log.write_bytes(strangers(saved + journalled))
    keys = _left_behind(log, db, saved)
    bench.say(f"recovery: {keys:,} keys, {journalled:,} journalled lines, {db.stat().st_size / 1e6:.0f} MB of store")
    started_s = time.perf_counter()
    with LiveDaemon([log], db):
        seconds = time.perf_counter() - started_s
    note = (
        f"{keys:,} keys in saved state, {journalled:,} lines journalled since; from the start of the process (imports "
        "included) to its first heartbeat"
    )
    return [Figure("recovery from SIGKILL", seconds, "s", at_most=MOST_S, note=note)]


def _left_behind(log: Path, db: Path, saved: int) -> int:
    """What a daemon leaves that was killed: state saved up to `saved` lines, the rest journalled; keys in all."""
    settings = load_settings(environ={"": ""})
    writer = StoreWriter(str(db))
    engine = make_engine(settings, lambda _stream, _offset: None)
    files = FileSource([str(log)], [], history="start", zone_of=lambda _: "UTC", clock=lambda: 0)
    files.scan()
    next_save, is_saving = _SAVE_LINES, True
    for batch in files.read(0):
        result = engine.process(batch)
        files.committed(batch)
        positions, gaps = files.take_changes()
        done = batch.first_sequence + len(batch)
        writer.commit(Commit(result=result, streams=positions, gaps=gaps, batch=batch, next_sequence=done))
        if is_saving and done >= min(next_save, saved):
            writer.commit(Commit(snapshot=engine.snapshot(), next_sequence=done))
            next_save, is_saving = done + _SAVE_LINES, done < saved
    keys = _keys(engine)
    files.close()
    writer.close()
    os.sync()
    return keys


def _keys(engine: Engine) -> int:
    return sum(len(state) for state in engine._states.values())
