"""A store of version 1 becomes one of this version, whole or not at all, and its daemon goes on from it."""

from __future__ import annotations

import csv
import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect
from tests.e2e.command import Daemon, livesec
from tests.e2e.store_watch import wait_for_total
from tests.store.version_1 import JOURNALLED_LINES, make_version_1

from livesec.core.errors import LiveSecError, StoreVersionError
from livesec.core.explanation import Explanation
from livesec.core.settings import load_settings
from livesec.core.severity import SEVERITIES
from livesec.runners.recovery import recovered_engine, replay_journal
from livesec.sources.tail_file import stream_info
from livesec.store import migrations
from livesec.store.export import export_rows
from livesec.store.open import reader_engine
from livesec.store.tables import SCHEMA_VERSION, metadata
from livesec.store.writer import StoreWriter

LATER = "".join(
    f"2026-03-02T06:26:{second:02d}+00:00 gate01 sshd[{900 + second}]: "
    f"Failed password for invalid user user{second} from 203.0.113.9 port {41_000 + second} ssh2\n"
    for second in range(30, 36)
)


def rows(db: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def migrated(db: Path) -> StoreWriter:
    return StoreWriter(str(db))


def test_everything_survives(tmp_path: Path) -> None:
    db, log = make_version_1(tmp_path)
    kept = "SELECT * FROM {} ORDER BY 1, 2"
    tables = ("incidents", "risk", "reject_counts", "rejects", "gaps", "counts", "totals", "coverage", "journal")
    anomalies = "SELECT number, id, time_us, type, entity, details, incident_id FROM anomalies"
    before = {table: rows(db, kept.format(table)) for table in tables}
    anomalies_before = rows(db, anomalies)
    explained = {row[0]: row[1] for row in rows(db, "SELECT id, explanation FROM anomalies")}
    lines = {(row[0], row[1]): row[2] for row in rows(db, "SELECT anomaly_id, position, line FROM evidence")}
    migrated(db).close()
    assert rows(db, "SELECT value FROM meta WHERE key = 'schema_version'") == [(str(SCHEMA_VERSION),)]
    assert {table: rows(db, kept.format(table)) for table in tables} == before
    assert rows(db, anomalies) == anomalies_before
    assert len(anomalies_before) == 4
    for anomaly_id, score, saved in rows(db, "SELECT id, score, explanation FROM anomalies"):
        old, new = json.loads(str(explained[anomaly_id])), Explanation.from_json(str(saved))
        assert new.what_happened == old["what_happened"]
        assert [step.text for step in new.next_steps] == old["next_steps"]
        assert new.score == pytest.approx(float(str(score)) / 10)
        assert new.provenance.writer == old["writer"]
    exported = list(export_rows(reader_engine(str(db)), "anomalies"))
    assert len(lines) == 17
    assert {
        (item["id"], position): line["line"].encode()
        for item in exported
        for position, line in enumerate(item["evidence"])
    } == lines
    (offset,) = rows(db, 'SELECT "offset" FROM streams')[0]
    assert offset == log.stat().st_size
    with (tmp_path / "anomalies.csv").open(newline="") as file:
        assert [row["type"] for row in csv.DictReader(file)] == [item["type"] for item in exported]


def test_the_layout_is_that_of_a_new_store(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old, _ = make_version_1(tmp_path / "old")
    migrated(old).close()
    inspector = inspect(reader_engine(str(old)))
    assert set(inspector.get_table_names()) == set(metadata.tables)
    for name, table in metadata.tables.items():
        assert {column["name"] for column in inspector.get_columns(name)} == set(table.c.keys())
        assert {index["name"] for index in inspector.get_indexes(name)} >= {index.name for index in table.indexes}


def test_saved_state_and_journal_are_those_of_before(tmp_path: Path) -> None:
    db, _ = make_version_1(tmp_path)
    writer = migrated(db)
    infos = {item.stream_id: stream_info(item) for item in writer.streams()}
    assert [len(batch) for batch, _ in writer.journalled(infos)] == [4]
    engine = recovered_engine(load_settings(environ={"": ""}), writer, lambda _stream, _offset: None)
    assert engine.learned_anew == {}
    replayed = replay_journal(engine, writer, lambda: False)
    assert replayed is not None
    assert (replayed.batches, replayed.gaps) == (1, [])
    assert writer.waiting_alerts(SEVERITIES, since_us=0, at_most=9).to_show == []
    writer.close()


def test_a_backup_stays_beside_it_and_is_never_overwritten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    db, _ = make_version_1(tmp_path)
    (tmp_path / "livesec.db.v1.bak").write_text("somebody's own")
    with caplog.at_level(logging.INFO):
        migrated(db).close()
    assert (tmp_path / "livesec.db.v1.bak").read_text() == "somebody's own"
    backup = tmp_path / "livesec.db.v1.bak.2"
    assert str(backup) in caplog.text
    assert rows(backup, "SELECT value FROM meta WHERE key = 'schema_version'") == [("1",)]
    assert len(rows(backup, "SELECT * FROM evidence")) == 17
    assert not list(tmp_path.glob("*.unfinished*"))
    assert not list(tmp_path.glob("*.bak*-wal"))


def test_no_room_for_a_backup_leaves_the_store_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    db, _ = make_version_1(tmp_path)

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "_sync", full)
    with pytest.raises(LiveSecError, match="no backup of it could be made"):
        migrated(db)
    assert rows(db, "SELECT value FROM meta WHERE key = 'schema_version'") == [("1",)]
    monkeypatch.undo()
    migrated(db).close()


def test_a_step_that_fails_leaves_the_store_alone(tmp_path: Path) -> None:
    db, _ = make_version_1(tmp_path)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("ALTER TABLE snapshots RENAME TO elsewhere")
    with pytest.raises(LiveSecError, match="no such table"):
        migrated(db)
    assert rows(db, "SELECT value FROM meta WHERE key = 'schema_version'") == [("1",)]
    assert len(rows(db, "SELECT * FROM evidence")) == 17


def test_readers_of_an_older_store_say_what_to_do(tmp_path: Path) -> None:
    db, _ = make_version_1(tmp_path)
    with pytest.raises(StoreVersionError, match=r"older LiveSec .* `livesec run --db .*` migrates it"):
        reader_engine(str(db))
    done = livesec("status", "--db", db)
    assert done.returncode == 1
    assert "migrates it and keeps a backup" in done.stderr


def test_a_daemon_goes_on_from_it(tmp_path: Path) -> None:
    db, log = make_version_1(tmp_path)
    with Daemon([log], db, history="start") as daemon:
        with log.open("a") as file:
            file.write(LATER)
        lines = JOURNALLED_LINES + LATER.count("\n")
        wait_for_total(db, "lines", lines, 60, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0
    assert "recovered 1 journalled batches" in daemon.said()
    assert "anew" not in daemon.said().replace("made anew from the store", "")
    found = rows(db, "SELECT type, entity FROM anomalies ORDER BY number")[4:]
    # ten guesses from the address, of which only six came after the migration: the first four are remembered
    assert ("bf_slow", "203.0.113.9") in found or ("user_enum", "203.0.113.9") in found
    assert rows(db, 'SELECT state, "offset" FROM streams') == [("active", log.stat().st_size)]
