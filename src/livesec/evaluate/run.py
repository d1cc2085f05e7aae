"""Replays a labelled set into a store of its own and scores what comes out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from livesec.core.clock import US_PER_DAY
from livesec.core.errors import UsageError
from livesec.core.settings import Settings
from livesec.evaluate.auth_sets import AUTH_SETS, read_labels, score_auth
from livesec.evaluate.demo_world import read_stages, score_demo
from livesec.evaluate.scores import Score
from livesec.runners.replay import Replay
from livesec.simulate.folder import write_logs
from livesec.simulate.schedule import DEFAULT_ORDERS
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World
from livesec.store.export import export_rows
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

Progress = Callable[[float, int], None]

_DEMO_END_US = 20_514 * US_PER_DAY  # 2026-03-02: a fixed date, so that every run scores the same world


def replayed(settings: Settings, paths: Sequence[str], folder: Path, progress: Progress) -> list[dict[str, Any]]:
    """The anomalies that a replay of `paths` exports, through a new store in `folder`."""
    db = str(folder / "evaluate.db")
    writer = StoreWriter(db)
    try:
        Replay(settings, paths, writer, progress).run()
    finally:
        writer.close()
    return list(export_rows(reader_engine(db), "anomalies"))


def evaluate_demo(
    settings: Settings, *, seed: int, users: int, days: float, progress: Progress
) -> tuple[list[Score], list[dict[str, Any]]]:
    """(scores, one record per campaign) of a demo world made for this."""
    first_us = _DEMO_END_US - int(days * US_PER_DAY)
    with tempfile.TemporaryDirectory(prefix="livesec-evaluate-") as name:
        folder = Path(name)
        logs = simulate(World(seed=seed, users=users), first_us, days, 1.0, DEFAULT_ORDERS)
        write_logs(folder, logs)
        anomalies = replayed(settings, [str(path) for path in folder.glob("*_logs.csv")], folder, progress)
        return score_demo(anomalies, read_stages(folder / "labels.csv"), first_us, _DEMO_END_US - 1)


def evaluate_data(settings: Settings, data: Path, progress: Progress) -> list[Score]:
    """Scores of every labelled set under `data` that is known here. Raises UsageError where there is none."""
    scores: list[Score] = []
    for name in AUTH_SETS:
        log, labels = data / "auth" / f"{name}.log", data / "auth" / f"{name}.labels.ips.csv"
        if not (log.is_file() and labels.is_file()):
            continue
        with tempfile.TemporaryDirectory(prefix="livesec-evaluate-") as folder:
            anomalies = replayed(settings, [str(log)], Path(folder), progress)
        scores.extend(score_auth(name, anomalies, read_labels(labels)))
    if not scores:
        raise UsageError(f"{data}: no labelled set is there; expected auth/<name>.log with <name>.labels.ips.csv")
    return scores
