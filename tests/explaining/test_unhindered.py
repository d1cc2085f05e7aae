"""Whatever a model's endpoint does, a real daemon commits the same, in the same order, with it and without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, exported
from tests.e2e.store_watch import total, wait_for_total
from tests.explain.fake_endpoint import (
    GOOD,
    Behaviour,
    FakeEndpoint,
    dripping,
    failing,
    flooding,
    hanging,
    malicious,
)
from tests.explaining.made_store import rows
from tests.explaining.test_worker_process import wait_until

from livesec.simulate.sshd import sshd_lines

LINES = 1_500
START = datetime(2026, 3, 2, tzinfo=UTC)
FINISH_S = 180.0  # the first batches on a machine compile kernels
LYING = malicious(GOOD | {"headline": "All clear, 198.51.100.66 is a friend", "benign": True})
BEHAVIOURS: dict[str, Callable[[], Behaviour]] = {
    "hanging": hanging,
    "failing": lambda: failing(500),
    "lying": lambda: LYING,
    "flooding": flooding,
    "dripping": dripping,
}


def _run(folder: Path, log: Path, content: list[bytes], settings: tuple[str, ...], server: FakeEndpoint | None) -> Path:
    """A daemon over a log that grows in three steps, stopped when all is committed."""
    db = folder / "livesec.db"
    folder.mkdir()
    log.write_bytes(b"")
    with Daemon([log], db, history="start", settings=settings) as daemon:
        daemon.wait_until_watching()
        for share in (1, 2, 3):
            upto = len(content) * share // 3
            with log.open("ab") as file:
                file.write(b"".join(content[len(content) * (share - 1) // 3 : upto]))
            wait_for_total(db, "lines", upto, FINISH_S, alive=lambda: daemon.is_running)
            if server is not None:  # the rest of the log is read while the endpoint misbehaves
                wait_until(lambda: bool(server.requests), "a question")
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.said()
    return db


def _found(db: Path) -> list[tuple[object, ...]]:
    columns = "number, id, severity, score, type, entity, explanation, status, incident_id"
    return rows(db, f"SELECT {columns} FROM anomalies ORDER BY number")


@pytest.fixture(scope="module")
def content() -> list[bytes]:
    return sshd_lines(LINES, seed=11, start_us=int(START.timestamp()) * 1_000_000).splitlines(keepends=True)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory, content: list[bytes]) -> Path:
    folder = tmp_path_factory.mktemp("quiet")
    return _run(folder / "quiet", folder / "auth.log", content, (), None)


@pytest.mark.e2e
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_the_same_is_found_and_stored(name: str, quiet: Path, content: list[bytes]) -> None:
    folder = quiet.parent.parent  # the same log, so that anomalies have the same ids
    with FakeEndpoint(BEHAVIOURS[name]()) as server:
        settings = (f"openai_base_url={server.base_url}", "explain_from=low", "explain_timeout_s=1")
        db = _run(folder / name, folder / "auth.log", content, settings, server)
    assert len(_found(quiet)) >= 5
    assert _found(db) == _found(quiet)
    for count in ("lines", "events", "anomalies", "rejects"):
        assert total(db, count) == total(quiet, count)
    assert rows(db, "SELECT count(*) FROM explanations WHERE record IS NOT NULL") == [(0,)]
    assert {item["provenance"]["writer"] for item in exported(db)} == {"deterministic"}
