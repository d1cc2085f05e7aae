"""Replays a labelled set into a store of its own and scores what comes out."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from livesec.core.clock import US_PER_DAY
from livesec.core.errors import UsageError
from livesec.core.settings import Settings
from livesec.evaluate import cloud_sets, hub_tests, zeek_day
from livesec.evaluate.auth_sets import AUTH_SETS, attempts_in, latency, read_labels, score_auth
from livesec.evaluate.demo_world import read_stages, score_demo
from livesec.evaluate.groundedness import Groundedness, check_store
from livesec.evaluate.scores import Evaluation
from livesec.runners.replay import Replay
from livesec.simulate.folder import write_logs
from livesec.simulate.schedule import DEFAULT_ORDERS, every_order
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World
from livesec.store.export import export_rows
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

Progress = Callable[[float, int], None]

_STORE = "evaluate.db"
_DEMO_END_US = 20_514 * US_PER_DAY  # 2026-03-02: a fixed date, so that every run scores the same world


def replayed(settings: Settings, paths: Sequence[str], folder: Path, progress: Progress) -> list[dict[str, Any]]:
    """The anomalies that a replay of `paths` exports, through a new store in `folder`."""
    db = str(folder / _STORE)
    writer = StoreWriter(db)
    try:
        Replay(settings, paths, writer, progress).run()
    finally:
        writer.close()
    return list(export_rows(reader_engine(db), "anomalies"))


def evaluate_demo(
    settings: Settings, *, seed: int, users: int, days: float, campaigns: int | None, progress: Progress
) -> Evaluation:
    """Scores, measures and campaigns of a demo world made for this.

    `campaigns`: so many, each kind in each strength in turn; None for those of `demo batch`.
    """
    with tempfile.TemporaryDirectory(prefix="livesec-evaluate-") as name:
        folder = Path(name)
        first_us = _made_world(folder, seed=seed, users=users, days=days, campaigns=campaigns)
        anomalies = replayed(settings, [str(path) for path in folder.glob("*_logs.csv")], folder, progress)
        return score_demo(anomalies, read_stages(folder / "labels.csv"), first_us, _DEMO_END_US - 1)


def explanations_of_demo(
    settings: Settings, *, seed: int, users: int, days: float, campaigns: int | None, progress: Progress
) -> Groundedness:
    """Whether the explanations of such a demo world say only what its logs bear out."""
    with tempfile.TemporaryDirectory(prefix="livesec-evaluate-") as name:
        folder = Path(name)
        _made_world(folder, seed=seed, users=users, days=days, campaigns=campaigns)
        replayed(settings, [str(path) for path in folder.glob("*_logs.csv")], folder, progress)
        return check_store(reader_engine(str(folder / _STORE)))


def _made_world(folder: Path, *, seed: int, users: int, days: float, campaigns: int | None) -> int:
    """Write a demo world's logs and labels; returns its first moment in microseconds."""
    orders = DEFAULT_ORDERS if campaigns is None else tuple(islice(cycle(every_order()), campaigns))
    first_us = _DEMO_END_US - int(days * US_PER_DAY)
    write_logs(folder, simulate(World(seed=seed, users=users), first_us, days, 1.0, orders))
    return first_us


def evaluate_data(settings: Settings, data: Path, progress: Progress) -> Evaluation:
    """Every labelled set under `data` that is known here; those that are not there are noted.

    Raises UsageError where there is none.
    """
    whole = Evaluation()
    bench = _Bench(settings, progress)
    for name in AUTH_SETS:
        whole.add(_auth_set(bench, data / "auth", name))
    for name, evaluated in (
        (hub_tests.NAME, _hub),
        (zeek_day.NAME, _zeek),
        (cloud_sets.STRATUS, _stratus),
        (cloud_sets.S3, _s3),
    ):
        folder = data / name
        whole.add(evaluated(bench, folder) if folder.is_dir() else _absent(name, folder))
    if not whole.scores:
        raise UsageError(f"{data}: no labelled set is there; expected auth/<name>.log with <name>.labels.ips.csv")
    return whole


@dataclass(frozen=True)
class _Bench:
    """Replays logs for the sets, each in a store of its own."""

    settings: Settings
    progress: Progress

    def run(self, *logs: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """(anomalies, incidents)."""
        with tempfile.TemporaryDirectory(prefix="livesec-evaluate-") as name:
            folder = Path(name)
            anomalies = replayed(self.settings, [str(log) for log in logs], folder, self.progress)
            return anomalies, list(export_rows(reader_engine(str(folder / _STORE)), "incidents"))


def _absent(name: str, where: Path) -> Evaluation:
    return Evaluation(notes=[f"{name}: skipped, {where} is not there"])


def _auth_set(bench: _Bench, folder: Path, name: str) -> Evaluation:
    log, labels = folder / f"{name}.log", folder / f"{name}.labels.ips.csv"
    if not (log.is_file() and labels.is_file()):
        return _absent(name, log)
    anomalies, _ = bench.run(log)
    known = read_labels(labels)
    return Evaluation(score_auth(name, anomalies, known), latency(name, anomalies, known, attempts_in(log)))


def _hub(bench: _Bench, folder: Path) -> Evaluation:
    return hub_tests.score_tests((test, bench.run(*test.logs)[0]) for test in hub_tests.read_tests(folder))


def _zeek(bench: _Bench, folder: Path) -> Evaluation:
    return zeek_day.score_day(zeek_day.read_flows(folder), *bench.run(folder / "combined_zeek.log"))


def _stratus(bench: _Bench, folder: Path) -> Evaluation:
    return cloud_sets.score_techniques({log.stem: bench.run(log)[0] for log in sorted(folder.glob("*.json"))})


def _s3(bench: _Bench, folder: Path) -> Evaluation:
    return cloud_sets.score_s3(folder, bench.run(folder / cloud_sets.S3_LOG)[0])
