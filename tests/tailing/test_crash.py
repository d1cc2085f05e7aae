"""SIGKILL at every fault point, once, twice in a row and at two in turn: the store is that of an uninterrupted run."""

from __future__ import annotations

import gzip
import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.e2e.command import Daemon
from tests.e2e.service import wait_until
from tests.store.version_1 import JOURNALLED_LINES, make_version_1
from tests.tailing.crash_world import CONTENT, CUT, FIRST_LINES, LINES, NEVER, OFTEN, World
from tests.tailing.daemon_life import Life
from tests.tailing.daemon_server import KILLED, DaemonServer
from tests.tailing.store_content import assert_same, content_of

from livesec.core import fault_points
from livesec.core.fault_points import FAULT_POINTS

SOURCE = Path(fault_points.__file__).parents[1]
NAMES = [point.name for point in FAULT_POINTS]
MAKING = [name for name in NAMES if name.startswith("store.")]
MIGRATING = [name for name in NAMES if name.startswith("migration.")]
RECOVERING = [name for name in NAMES if name.startswith("recovery.")]
WITHOUT_BATCH = [name for name in NAMES if name.startswith("positions.")]
WORKING = [name for name in NAMES if name not in (*MAKING, *MIGRATING, *RECOVERING, *WITHOUT_BATCH)]
PIECES = 40
"""In which the log grows while the daemon is killed at one point after the other."""
ONCE_ONLY = ["store.created", "store.mirror_named"]
"""What comes before these is on disk: the next start does not come by again."""


@pytest.fixture(scope="module")
def world(daemon_server: DaemonServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("crash"), daemon_server)


def test_the_uninterrupted_run_has_everything_to_lose(world: World) -> None:
    found = world.reference
    totals = {row["name"]: row["value"] for row in found["totals"]}
    assert totals["lines"] == LINES
    assert len({row["type"] for row in found["anomalies"]}) >= 4
    assert len(found["incidents"]) >= 5
    assert len(found["rejects"]) == totals["rejects"] == len(range(100, LINES, 200))
    assert [(row["end_offset"] - row["start_offset"]) for row in found["gaps"]] == [5000]
    assert found["undelivered"] == 0
    assert len(found["outbox"]) == len(found["anomalies"])
    assert found["journal"].count(b"\n") == LINES
    assert found["mirror"].count(b"\n") == len(found["anomalies"]) + 1


# Every point ----------------------------------------------------------------------------------------------------------


def test_every_fault_point_is_in_the_code_and_no_other() -> None:
    reached = [
        name
        for path in sorted(SOURCE.rglob("*.py"))
        for name in re.findall(r"\breach\(\"([^\"]*)\"\)", path.read_text())
    ]
    assert sorted(set(reached)) == sorted(NAMES)
    calls = sum(len(re.findall(r"\breach\(", path.read_text())) for path in SOURCE.rglob("*.py"))
    assert calls == len(reached) + 1, "each call names its point itself; one is the definition"


def test_kill_once_at_every_point_while_working(world: World) -> None:
    world.reset(0)
    left = list(WORKING)
    for grown in range(1, PIECES):
        upto = len(CONTENT) * grown // PIECES
        world.grow(upto)
        fault = next((name for name in left if not name.startswith("alerts.")), left[0])
        if world.live(CONTENT.count(b"\n", 0, upto), fault) == KILLED:
            left.remove(fault)
        if not left:
            break
    assert left == []
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


@pytest.mark.parametrize("name", WORKING)
def test_kill_twice_in_a_row_while_working(world: World, name: str) -> None:
    world.reset()
    fault = f"{name}:2" if name.startswith(("batch.", "commit.", "snapshot.")) else name
    for _ in range(2):
        assert world.live(FIRST_LINES, fault) == KILLED
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("name", RECOVERING)
def test_kill_while_recovering(world: World, name: str, kills: int) -> None:
    world.reset()
    assert world.live(LINES, "commit.done:5", NEVER) == KILLED
    for _ in range(kills):
        assert world.live(LINES, f"{name}:2" if name == "recovery.between" else name) == KILLED
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("name", WITHOUT_BATCH)
def test_kill_while_a_stream_appears(world: World, name: str, kills: int) -> None:
    world.reset()
    assert world.live(FIRST_LINES) == 0
    world.second.touch()
    for number in range(kills):
        assert world.live(FIRST_LINES, name) == (KILLED if number == 0 or name == "positions.ready" else 0)
    world.grow()
    assert world.live(LINES) == 0
    found = content_of(world.db)
    assert [row[0] for row in found["places"] if row[2] == str(world.second)] == [2]
    found["places"] = [row for row in found["places"] if row[2] != str(world.second)]
    assert_same(found, world.reference)


@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("name", MAKING)
def test_kill_while_the_store_is_made(world: World, name: str, kills: int) -> None:
    world.reset(0, has_store=False)
    for number in range(kills):
        assert world.live(0, name) == (KILLED if number == 0 or name not in ONCE_ONLY else 0)
    assert world.live(0) == 0
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


@pytest.mark.parametrize("batch", [1, 3, 4, 5])
def test_kill_in_the_transaction_of_any_batch(world: World, batch: int) -> None:
    world.reset(len(CONTENT))
    assert world.live(LINES, f"commit.meta:{batch}", NEVER) == KILLED
    assert world.live(LINES, f"commit.done:{batch}", NEVER) == KILLED
    assert world.live(LINES, settings=NEVER) == 0
    assert_same(content_of(world.db), world.reference)


@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("name", MIGRATING)
def test_kill_while_an_older_store_is_migrated(
    daemon_server: DaemonServer, tmp_path: Path, name: str, kills: int
) -> None:
    def made() -> Life:
        for path in tmp_path.glob("livesec.db*"):
            path.unlink()
        db, log = make_version_1(tmp_path)  # the log stays the same file
        with log.open("a") as file:
            file.write("".join(f"2026-03-02T06:27:{second}+00:00 gate01 sshd[9]: Failed password for root from "
                               f"203.0.113.9 port 9 ssh2\n" for second in range(10, 16)))  # fmt: skip
        return Life(str(db), [str(log)], JOURNALLED_LINES + 6)

    life = made()
    assert daemon_server.live(life) == 0
    expected = content_of(Path(life.db))
    assert len(expected["anomalies"]) > 4

    life = made()
    for number in range(kills):
        killed = number == 0 or name != "migration.done"
        assert daemon_server.live(replace(life, fault=name)) == (KILLED if killed else 0)
    assert daemon_server.live(life) == 0
    assert_same(content_of(Path(life.db)), expected)
    backups = sorted(tmp_path.glob("livesec.db.v1.bak*"))
    assert 1 <= len(backups) <= kills + 1
    assert not [path for path in backups if "unfinished" in path.name]


def test_an_alert_shown_before_the_kill_is_shown_again_with_its_id(world: World) -> None:
    world.reset()
    assert world.live(LINES, "alerts.shown") == KILLED
    before = ids_shown(world.said())
    assert world.live(FIRST_LINES) == 0
    after = ids_shown(world.said())[len(before) :]
    assert before
    assert after[: len(before)] == before
    assert world.live(FIRST_LINES) == 0
    assert len(ids_shown(world.said())) == len(before + after), "marked: not shown a third time"
    wanted = [row["id"] for row in content_of(world.db)["anomalies"] if row["severity"] != "low"]
    assert after == wanted


def ids_shown(said: str) -> list[str]:
    """The ids of the alerts on the console, in order."""
    return re.findall(r"^   Id: (\w+)$", said, re.MULTILINE)


def test_kills_at_different_points_in_turn(world: World) -> None:
    world.reset()
    assert world.live(LINES, "commit.results:4", NEVER) == KILLED
    assert world.live(LINES, "recovery.between:2", NEVER) == KILLED
    assert world.live(LINES, "snapshot.inside", OFTEN) == KILLED
    world.grow()
    assert world.live(LINES, "commit.mirror_appended:2", OFTEN) == KILLED
    assert world.live(LINES, "store.mirror_cut") == KILLED
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


def test_an_unknown_point_is_refused() -> None:
    for wanted in ("no.such_point", "batch.read:0", "batch.read:x"):
        with pytest.raises(ValueError, match="no fault point"):
            fault_points.arm(wanted)


def test_the_commands_daemon_is_killed_by_its_environment(logs: Path, tmp_path: Path) -> None:
    log, db = logs / "auth.log", tmp_path / "livesec.db"
    log.write_bytes(CONTENT)
    with Daemon([log], db, history="start", more={fault_points.VARIABLE: "commit.meta"}) as daemon:
        wait_until(lambda: not daemon.is_running, 60, "the kill")
        assert daemon._process is not None
        assert daemon._process.returncode == KILLED
    with closing(sqlite3.connect(db)) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (0,)


# What happens to the files meanwhile ----------------------------------------------------------------------------------


CHANGES: dict[str, Callable[[Path], None]] = {}


def _change(change: Callable[[Path], None]) -> Callable[[Path], None]:
    CHANGES[change.__name__.strip("_")] = change
    return change


@_change
def _deleted(log: Path) -> None:
    # Another name keeps its inode in use: the next file must not get it by chance, which would be a truncation.
    kept = log.parent.parent / f"{log.parent.name}.kept"
    kept.unlink(missing_ok=True)
    log.rename(kept)


@_change
def _truncated(log: Path) -> None:
    os.truncate(log, 0)


@_change
def _compressed(log: Path) -> None:
    packed = log.with_name("auth.log.1.gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    log.unlink()


@pytest.mark.parametrize("change", CHANGES)
def test_source_changed_while_dead(daemon_server: DaemonServer, tmp_path: Path, change: str) -> None:
    killed = World(tmp_path, daemon_server, "auth.log*")
    killed.reset()
    assert killed.live(LINES, "commit.done:4", NEVER) == KILLED  # nothing is in saved state
    with closing(sqlite3.connect(killed.db)) as connection:
        (offset,) = connection.execute('SELECT "offset" FROM streams').fetchone()
    assert 0 < offset < CUT
    is_kept = change == "compressed"
    cut = CUT if is_kept else offset
    rest = CONTENT[cut:] if is_kept else CONTENT[CONTENT.index(b"\n", CUT) + 1 :]
    CHANGES[change](killed.log)
    killed.log.write_bytes(rest)
    lines = CONTENT.count(b"\n", 0, cut) + rest.count(b"\n") + is_kept  # an archive's last line ends with it
    assert killed.live(lines) == 0
    found = content_of(killed.db)

    calm = World(tmp_path, daemon_server, "auth.log*", is_reference_wanted=False)
    calm.reset(cut)
    assert calm.live(CONTENT.count(b"\n", 0, cut)) == 0
    CHANGES[change](calm.log)
    calm.log.write_bytes(rest)
    assert calm.live(lines) == 0
    expected = content_of(calm.db)
    assert len(expected["anomalies"]) > 20

    assert [gap["start_offset"] for gap in found["gaps"][1:]] == ([] if is_kept else [offset])
    for content in (found, expected):
        del content["places"]
    assert_same(found, expected)
