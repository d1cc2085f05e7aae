"""Fixtures of the tailing tests: a folder of logs and a reader over it that can be killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from tests.tailing.daemon_server import DaemonServer
from tests.tailing.tailer import Tailer

MakeTailer = Callable[..., Tailer]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """An empty folder for logs, apart from the store's."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def make_tailer(tmp_path: Path) -> Iterator[MakeTailer]:
    """Makes started Tailers over patterns; the store is tmp_path/livesec.db unless `db` names another."""
    made: list[Tailer] = []

    def make(patterns: Sequence[str | Path], *, db: str = "livesec.db", history: str = "start") -> Tailer:
        tailer = Tailer(tmp_path / db, patterns, history=history)
        made.append(tailer)
        tailer.start()
        return tailer

    yield make
    for tailer in made:
        if tailer.is_alive:
            tailer.kill()


@pytest.fixture(scope="session")
def daemon_server() -> Iterator[DaemonServer]:
    """Starts daemons in processes of their own, quickly."""
    with DaemonServer() as running:
        yield running
