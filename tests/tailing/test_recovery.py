"""A damaged store: repaired and said, or refused with a clear error; never silently less than it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.e2e.command import livesec
from tests.tailing.crash_world import CONTENT, CUT, FIRST_LINES, LINES, NEVER, World
from tests.tailing.daemon_server import KILLED, DaemonServer
from tests.tailing.store_content import assert_same, content_of

from livesec.core.anomaly import Commit
from livesec.core.errors import StoreDamagedError
from livesec.store.status import store_status
from livesec.store.writer import StoreWriter

PAGE = 4096


@pytest.fixture(scope="module")
def world(daemon_server: DaemonServer, tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("recovery"), daemon_server)


def flipped(data: bytes) -> bytes:
    """One bit is another one."""
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def halved(data: bytes) -> bytes:
    return data[: len(data) // 2]


def damage(db: Path, table: str, where: str, how: Callable[[bytes], bytes]) -> None:
    """Change the bytes of the rows of a table."""
    with closing(sqlite3.connect(db)) as connection, connection:
        rows = connection.execute(f"SELECT rowid, data FROM {table} WHERE {where}").fetchall()
        assert rows
        connection.executemany(
            f"UPDATE {table} SET data = ? WHERE rowid = ?", [(how(data), number) for number, data in rows]
        )


def learned_anew(db: Path) -> list[str]:
    return [item["component"] for item in store_status(str(db), alerts_budget_per_day=5.0)["learned_anew"]]


@pytest.mark.parametrize(
    ("component", "how"),
    [
        ("detector:bf_fast", flipped),
        ("detector:user_enum", halved),
        ("parser:1", flipped),
        ("incidents", halved),
        ("risk", flipped),  # still valid JSON, perhaps: no reader of it would notice
        ("engine", halved),
    ],
)
def test_a_damaged_part_of_saved_state_is_learned_anew_and_said(
    world: World, component: str, how: Callable[[bytes], bytes]
) -> None:
    world.reset()
    assert world.live(FIRST_LINES) == 0
    damage(world.db, "saved_state", f"component = '{component}'", how)
    world.grow()
    assert world.live(LINES) == 0
    assert learned_anew(world.db) == [component]
    assert f"{component}: its saved state cannot be used and is learned anew" in world.said()
    found = content_of(world.db)
    for name in ("journal", "rejects", "reject_counts", "gaps"):
        assert found[name] == world.reference[name]
    assert found["mirror"].count(b"\n") == len(found["anomalies"]) + 1
    said = world.said().count("learned anew")
    assert world.live(LINES) == 0
    assert world.said().count("learned anew") == said, "the next snapshot has replaced it"


def test_status_tells_what_was_learned_anew(world: World) -> None:
    world.reset()
    assert world.live(FIRST_LINES) == 0
    damage(world.db, "saved_state", "component = 'detector:bf_slow'", halved)
    assert world.live(FIRST_LINES) == 0
    assert "LEARNED ANEW  detector:bf_slow since" in livesec("status", "--db", world.db).stdout


def test_a_damaged_batch_in_the_journal_is_a_gap_once(world: World) -> None:
    world.reset()
    assert world.live(LINES, "commit.done:5", NEVER) == KILLED
    damage(world.db, "journal", "batch = 2", flipped)
    assert world.live(FIRST_LINES, "recovery.done") == KILLED
    assert world.live(FIRST_LINES) == 0
    assert world.live(FIRST_LINES) == 0
    with closing(sqlite3.connect(world.db)) as connection:
        (batch,) = connection.execute("SELECT start_offset, end_offset FROM journal WHERE batch = 2").fetchall()
        gaps = connection.execute("SELECT start_offset, end_offset, reason FROM gaps").fetchall()
        totals = connection.execute("SELECT value FROM totals WHERE name = 'lines'").fetchone()
    damaged = [gap for gap in gaps if "damaged in the journal" in gap[2]]
    assert [gap[:2] for gap in damaged] == [batch]
    assert totals == (FIRST_LINES,)


@pytest.mark.parametrize("left", [0, 10, -1])
def test_a_mirror_that_lost_lines_is_made_anew(world: World, left: int) -> None:
    world.reset()
    assert world.live(FIRST_LINES) == 0
    mirror = world.db.with_name("anomalies.csv")
    whole = mirror.read_bytes()
    if left < 0:
        mirror.unlink()
    else:
        mirror.write_bytes(whole[:left])
    StoreWriter(str(world.db)).close()
    assert mirror.read_bytes() == whole
    world.grow()
    assert world.live(LINES) == 0
    assert_same(content_of(world.db), world.reference)


def _zeroed(db: Path) -> None:
    content = bytearray(db.read_bytes())
    for page in range(1, len(content) // PAGE):
        content[page * PAGE : page * PAGE + 64] = bytes(64)
    db.write_bytes(content)


def _halved(db: Path) -> None:
    db.write_bytes(db.read_bytes()[: db.stat().st_size // 2 // PAGE * PAGE])


def _text(db: Path) -> None:
    db.write_bytes(b"not a database\n" * 1000)


@pytest.mark.parametrize("spoil", [_zeroed, _halved, _text])
def test_a_damaged_database_is_refused_and_left_alone(world: World, spoil: Callable[[Path], None]) -> None:
    world.reset(len(CONTENT))
    assert world.live(LINES, settings=NEVER) == 0
    spoil(world.db)
    before = world.db.read_bytes()
    done = livesec("run", "--logs", world.log, "--db", world.db)
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "Traceback" not in done.stderr
    assert world.db.read_bytes() == before
    StoreWriter(str(world.db.with_name("other.db"))).close()  # no lock is left behind


def test_damage_while_the_store_is_open(world: World) -> None:
    world.reset(CUT)
    assert world.live(FIRST_LINES) == 0
    writer = StoreWriter(str(world.db))
    writer._engine.dispose()  # what it has in memory
    _zeroed(world.db)
    with pytest.raises(StoreDamagedError, match="move it away or restore a copy"):
        writer.commit(Commit())
    with pytest.raises(StoreDamagedError):
        writer.put_health({"daemon": {}})
    with pytest.raises(StoreDamagedError):
        writer.streams()
    writer.close()


def test_a_making_that_was_interrupted_leaves_no_half_store(tmp_path: Path) -> None:
    db = tmp_path / "livesec.db"
    writer = StoreWriter(str(db))
    with writer._engine.begin() as connection:
        connection.execute(text("DELETE FROM meta WHERE key = 'schema_version'"))
    writer.close()
    with pytest.raises(StoreDamagedError, match="not a LiveSec store"):
        StoreWriter(str(db))
