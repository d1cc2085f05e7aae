"""Ten SIGKILLs during one growing log leave what one quiet run leaves: nothing lost, nothing twice."""

from __future__ import annotations

import csv
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, Record, exported, status_of
from tests.e2e.evidence import assert_true_lines
from tests.e2e.growing_log import GrowingLog
from tests.e2e.store_watch import total, wait_for_total

from livesec.simulate.sshd import sshd_lines

pytestmark = pytest.mark.e2e

LINES = 9_000
KILLS = 10
START = datetime(2026, 3, 2, tzinfo=UTC)
GROWS_S = 30.0  # at least; it waits for the daemon, so that each kill falls into a growing log
FINISH_S = 60.0
SETTINGS = ("snapshot_interval_s=0.4",)  # saves fall into every life
TABLES = ("anomalies", "incidents", "risk", "explanations", "rejects", "gaps")


def _content() -> bytes:
    """sshd lines of several attackers, with lines among them that no format can use."""
    lines = sshd_lines(LINES, seed=11, start_us=int(START.timestamp()) * 1_000_000).splitlines(keepends=True)
    for number, place in enumerate(range(500, LINES, 1_000)):
        lines[place] = b"\xff\xfe no format of ours " + str(number).encode() + b"\n"
    return b"".join(lines)


def _run_with_kills(log: Path, db: Path, content: bytes) -> None:
    chance = random.Random(5)
    db.parent.mkdir()
    log.touch()
    with Daemon([log], db, history="start", settings=SETTINGS) as daemon:
        daemon.wait_until_watching()
        with GrowingLog(log, content, seconds=GROWS_S, seed=7) as growing:
            for number in range(KILLS):
                growing.permit((number + 1) / (KILLS + 1))
                if number % 2 == 0:  # while it reads and commits
                    more = total(db, "lines") + 50
                    wait_for_total(db, "lines", more, FINISH_S, alive=lambda: daemon.is_running)
                    time.sleep(chance.uniform(0, 0.6))
                else:  # while it starts or recovers
                    time.sleep(chance.uniform(0.2, 4.0))
                daemon.kill()
                daemon.start()
        wait_for_total(db, "lines", LINES, FINISH_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.said()


def _run_quietly(log: Path, db: Path, content: bytes) -> None:
    db.parent.mkdir()
    log.touch()
    with Daemon([log], db, history="start") as daemon:
        daemon.wait_until_watching()
        log.write_bytes(content)
        wait_for_total(db, "lines", LINES, FINISH_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0


@dataclass(frozen=True)
class Runs:
    """The stores of the two runs over the same log, and its content."""

    killed: Path
    quiet: Path
    content: bytes


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("sigkill")
    made = Runs(folder / "killed" / "livesec.db", folder / "quiet" / "livesec.db", _content())
    log = folder / "auth.log"
    _run_with_kills(log, made.killed, made.content)
    log.unlink()
    _run_quietly(log, made.quiet, made.content)
    return made


@cache
def _exported(db: Path, table: str = "anomalies") -> list[Record]:
    return exported(db, table)


@pytest.mark.parametrize("table", TABLES)
def test_ten_kills_leave_what_a_quiet_run_leaves(runs: Runs, table: str) -> None:
    assert _exported(runs.killed, table) == _exported(runs.quiet, table)


@pytest.mark.parametrize("name", ["lines", "consumed", "skipped", "rejects", "events", "anomalies"])
def test_totals_count_each_line_once(runs: Runs, name: str) -> None:
    assert total(runs.killed, name) == total(runs.quiet, name)


def test_the_runs_had_something_to_find(runs: Runs) -> None:
    anomalies = _exported(runs.killed)
    assert len(anomalies) >= 20
    assert len({item["type"] for item in anomalies}) >= 3
    assert len(_exported(runs.killed, "incidents")) >= 5
    assert len(_exported(runs.killed, "rejects")) == LINES // 1_000
    assert _exported(runs.killed, "gaps") == []
    assert status_of(runs.killed)["streams"][0]["offset"] == len(runs.content)
    for anomaly in anomalies:
        assert_true_lines(anomaly)


def test_the_csv_mirror_has_each_anomaly_once(runs: Runs) -> None:
    assert (runs.killed.parent / "anomalies.csv").read_bytes() == (runs.quiet.parent / "anomalies.csv").read_bytes()
    with (runs.killed.parent / "anomalies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    anomalies = _exported(runs.killed)
    assert [(row["type"], row["description"]) for row in rows] == [
        (item["type"], item["description"]) for item in anomalies
    ]
