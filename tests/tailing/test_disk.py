"""A disk that is full, a store that somebody else holds: the daemon stops, says so, and goes on where it was."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.service import wait_until
from tests.tailing.crash_world import CONTENT, CUT, LINES, World
from tests.tailing.daemon_life import total_lines
from tests.tailing.daemon_server import DaemonServer
from tests.tailing.held_store import held
from tests.tailing.store_content import assert_same, content_of

SOON_S = 30.0
TMPFS_BYTES = 3 << 20
PROBLEM, AGAIN = "cannot be written", "written again"


@pytest.fixture(scope="module")
def world(daemon_server: DaemonServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("disk"), daemon_server)


def wait_until_said(world: World, what: str, times: int = 1) -> None:
    wait_until(lambda: world.said().count(what) >= times, SOON_S, f"{what!r} in the daemon's log")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes; skips where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "livesec-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system can be mounted here; test_a_quota_is_reached has the same with a limit")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_the_disk_is_full_for_a_while(world: World, small_disk: Path) -> None:
    world.reset(0)
    db = small_disk / "livesec.db"
    shutil.copyfile(world.db, db)
    with closing(sqlite3.connect(db)) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'mirror'", (str(small_disk / "anomalies.csv"),))
    daemon = world.start(LINES, db=db)
    wait_until(lambda: _has_begun(db, daemon.pid), SOON_S, "a life that begins")
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while _writes(file.fileno(), 1 << 16) or _writes(file.fileno(), 1 << 9):
            pass
    world.grow()
    wait_until_said(world, PROBLEM)
    assert total_lines(str(db)) < LINES
    ballast.unlink()
    assert daemon.wait() == 0
    assert world.said().count(PROBLEM) == world.said().count(AGAIN) >= 1
    assert_same(content_of(db), world.reference)


def _has_begun(db: Path, pid: int) -> bool:
    """Whether the daemon has given its first sign of life; before it, a full disk ends it."""
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT value FROM health WHERE key = 'daemon'").fetchone()
    return row is not None and json.loads(row[0])["pid"] == pid


def _writes(fd: int, size: int) -> bool:
    try:
        return os.write(fd, bytes(size)) > 0
    except OSError:
        return False


def test_a_quota_is_reached(world: World) -> None:
    world.reset(CUT)
    daemon = world.start(LINES)
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))  # of the write-ahead log
    wait_until_said(world, PROBLEM)
    world.grow()
    resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert daemon.wait() == 0
    assert AGAIN in world.said()
    assert_same(content_of(world.db), world.reference)


def test_the_store_is_locked_for_a_while(world: World) -> None:
    world.reset(CUT)
    with held(world.db):
        daemon = world.start(LINES)
        wait_until_said(world, PROBLEM)
        world.grow()
    assert daemon.wait() == 0
    assert AGAIN in world.said()
    assert_same(content_of(world.db), world.reference)


def test_killed_while_it_waits_for_the_store(world: World) -> None:
    world.reset(CUT)
    with held(world.db):
        daemon = world.start(LINES)
        wait_until_said(world, PROBLEM)
        os.kill(daemon.pid, 9)
        assert daemon.wait() == -9
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


def test_truncate_while_the_commit_is_blocked(daemon_server: DaemonServer, tmp_path: Path) -> None:
    world = World(tmp_path, daemon_server, is_reference_wanted=False)
    world.reset(CUT)
    later = CONTENT[CONTENT.index(b"\n", CUT) + 1 :]
    first = CONTENT.count(b"\n", 0, CONTENT.rindex(b"\n", 0, 1 << 14) + 1)  # in the batch that waits for the store
    with held(world.db):
        daemon = world.start(first + later.count(b"\n"))
        wait_until_said(world, PROBLEM)
        os.truncate(world.log, 0)
        with world.log.open("ab") as file:
            file.write(later)
    assert daemon.wait() == 0
    found = content_of(world.db)
    end = CONTENT.rindex(b"\n", 0, 1 << 14) + 1
    assert [(gap["start_offset"], gap["end_offset"]) for gap in found["gaps"]] == [(end, CUT)]
    assert re.sub(rb"(?m)^[12]:", b"", found["journal"]) == CONTENT[:end] + later
