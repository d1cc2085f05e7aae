"""SIGKILL at every fault point, once, twice in a row and at two in turn: the store is that of an uninterrupted run."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.command import Daemon
from tests.e2e.service import wait_until
from tests.tailing.daemon_life import Life, output_of
from tests.tailing.daemon_server import KILLED, DaemonServer
from tests.tailing.store_content import Content, assert_same, content_of

from livesec.core import fault_points
from livesec.core.fault_points import FAULT_POINTS
from livesec.simulate.sshd import sshd_lines

LINES = 1500
SOURCE = Path(fault_points.__file__).parents[1]
OFTEN = ("snapshot_interval_s=0.001",)  # after every batch
NEVER = ("snapshot_interval_s=3600",)
NAMES = [point.name for point in FAULT_POINTS]
MAKING = [name for name in NAMES if name.startswith("store.")]
MIGRATING = [name for name in NAMES if name.startswith("migration.")]
RECOVERING = [name for name in NAMES if name.startswith("recovery.")]
WITHOUT_BATCH = [name for name in NAMES if name.startswith("positions.")]
WORKING = [name for name in NAMES if name not in (*MAKING, *MIGRATING, *RECOVERING, *WITHOUT_BATCH)]
ONCE_ONLY = ["store.created", "store.mirror_named"]
"""What comes before these is on disk: the next start does not come by again."""


def _content() -> bytes:
    """sshd lines of several attackers; among them lines of no format and a hole of zero bytes."""
    lines = sshd_lines(LINES, seed=11, start_us=1_772_409_600_000_000).splitlines(keepends=True)
    for number, place in enumerate(range(100, LINES, 200)):
        lines[place] = b"\xff\xfe no format of ours " + str(number).encode() + b"\n"
    lines.insert(400, bytes(5000))
    return b"".join(lines)


CONTENT = _content()
CUT = CONTENT.index(b"\n", len(CONTENT) * 6 // 10) - 20
"""Up to here, inside a line, the log has grown when the first lives begin."""
FIRST_LINES = CONTENT.count(b"\n", 0, CUT)


class World:
    """One growing log, and a store that has met it while it was empty; both as they were at each `reset`."""

    def __init__(self, folder: Path, server: DaemonServer) -> None:
        self.server = server
        self.log = folder / "auth.log"
        self.db = folder / "run" / "livesec.db"
        self.second = folder / "second.log"
        self._met = folder / "met"
        self.log.touch()
        assert self.live(0) == 0
        shutil.copytree(self.db.parent, self._met)
        self.grow()
        assert self.live(LINES, settings=NEVER) == 0
        self.reference = content_of(self.db)

    def live(self, lines: int, fault: str | None = None, settings: tuple[str, ...] = OFTEN) -> int:
        return self.server.live(Life(str(self.db), [str(self.log), str(self.second)], lines, fault, settings))

    def reset(self, upto: int = CUT, *, has_store: bool = True) -> None:
        shutil.rmtree(self.db.parent, ignore_errors=True)
        if has_store:
            shutil.copytree(self._met, self.db.parent)
        self.second.unlink(missing_ok=True)
        self.log.write_bytes(CONTENT[:upto])  # the same file, and nobody watches it now

    def grow(self) -> None:
        with self.log.open("ab") as file:
            file.write(CONTENT[self.log.stat().st_size :])

    def said(self) -> str:
        return output_of(str(self.db)).read_text()


@pytest.fixture(scope="module")
def server() -> Iterator[DaemonServer]:
    with DaemonServer() as running:
        yield running


@pytest.fixture(scope="module")
def world(server: DaemonServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("crash"), server)


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


@pytest.mark.parametrize("kills", [1, 2])
@pytest.mark.parametrize("name", WORKING)
def test_kill_while_working(world: World, name: str, kills: int) -> None:
    world.reset()
    fault = f"{name}:2" if name.startswith(("batch.", "commit.", "snapshot.")) else name
    for _ in range(kills):
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


@pytest.mark.parametrize("batch", [1, 3, 4, 7])
def test_kill_in_the_transaction_of_any_batch(world: World, batch: int) -> None:
    world.reset(len(CONTENT))
    assert world.live(LINES, f"commit.meta:{batch}", NEVER) == KILLED
    assert world.live(LINES, f"commit.done:{batch}", NEVER) == KILLED
    assert world.live(LINES, settings=NEVER) == 0
    assert_same(content_of(world.db), world.reference)


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


def _kill_within(world: World) -> int:
    """A life that ends behind the fourth batch, none of them in saved state; where the store had read up to."""
    world.reset()
    assert world.live(LINES, "commit.done:4", NEVER) == KILLED
    with closing(sqlite3.connect(world.db)) as connection:
        (offset,) = connection.execute('SELECT "offset" FROM streams').fetchone()
    assert 0 < offset < CUT
    return int(offset)


@pytest.fixture
def aside(world: World) -> Iterator[None]:
    """The world's log is another file for a while: its store knows it by its inode."""
    kept = world.log.with_suffix(".kept")
    os.link(world.log, kept)
    yield
    world.log.unlink(missing_ok=True)
    for other in world.log.parent.glob("auth.log?*"):
        if other != kept:
            other.unlink()
    kept.rename(world.log)
