"""What `livesec status` and the desk say while a real daemon runs, is held up, or has gone."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest
from sqlalchemy.exc import OperationalError
from streamlit.testing.v1 import AppTest
from tests.e2e.command import Daemon, Record, livesec
from tests.e2e.service import wait_until
from tests.e2e.store_watch import total, wait_for_total
from tests.tailing.held_store import held
from tests.tailing.log_changes import append_text

from livesec.core.anomaly import BatchResult, Commit
from livesec.dashboard.health import problems
from livesec.store.health_queries import DaemonHealth
from livesec.store.status import store_status
from livesec.store.writer import StoreWriter

SOON_S = 15.0
READ_S = 60.0
LINE = "2026-03-02T06:25:00+00:00 gate01 sshd[7]: Failed password for root from 192.0.2.66 port 4 ssh2\n"
GARBAGE = "no format of ours\n"


def status(db: Path) -> Record:
    """What `livesec status --json` prints, without starting Python for it."""
    return store_status(str(db), alerts_budget_per_day=5.0)


@contextmanager
def reading_for_long(db: Path) -> Iterator[None]:
    """A reader that holds one state of the store."""
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True, isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM anomalies").fetchone()
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "livesec.db"


def test_status_while_the_daemon_runs(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(LINE * 2 + GARBAGE * 3)
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 5, READ_S, alive=lambda: daemon.is_running)
        wait_until(lambda: bool(status(db)["last_commit"]), SOON_S, "a heartbeat after the commit")
        record = status(db)
        assert record["daemon"]["alive"] and record["daemon"]["pid"] == daemon.pid
        assert record["watcher"] == "inotify"
        assert record["wal_bytes"] > 0
        assert record["rejects"] == 3
        assert [(count["path"], count["lines"]) for count in record["reject_reasons"]] == [(str(log), 3)]
        assert (record["gaps"], record["gap_count"]) == ([], 0)
        (stream,) = record["streams"]
        assert (stream["path"], stream["offset"]) == (str(log), log.stat().st_size)
        assert (stream["bytes_behind"], stream["oldest_unread_s"]) == (0, 0.0)

        printed = livesec("status", "--db", db).stdout
        assert f"running, pid {daemon.pid}" in printed
        assert "watcher    inotify" in printed
        assert "sources    1, up to date" in printed
        assert f"3 of {log}: unknown format" in printed
        assert daemon.stop() == 0
    assert status(db)["watcher"] == "not running"
    assert "stopped" in livesec("status", "--db", db).stdout


def test_bytes_behind_and_their_age_are_true_while_the_commit_is_blocked(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(LINE)
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        with held(db):
            append_text(log, LINE * 3)
            time.sleep(1.0)
            (early,) = status(db)["streams"]
            time.sleep(0.7)
            (late,) = status(db)["streams"]
        assert early["bytes_behind"] == late["bytes_behind"] == 3 * len(LINE)
        assert early["oldest_unread_s"] >= 0.9
        assert late["oldest_unread_s"] >= early["oldest_unread_s"] + 0.6
        wait_until(lambda: status(db)["bytes_behind"] == 0, SOON_S, "everything is read")
        assert status(db)["oldest_unread_s"] == 0.0
        assert daemon.stop() == 0


def test_a_line_without_its_end_counts_as_unread(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(LINE + LINE[:20])
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        time.sleep(1.0)
        (stream,) = status(db)["streams"]
        assert stream["bytes_behind"] == 20
        assert stream["oldest_unread_s"] >= 0.9
        append_text(log, LINE[20:])
        wait_until(lambda: status(db)["bytes_behind"] == 0, SOON_S, "the whole line is read")
        assert daemon.stop() == 0


def test_a_killed_daemon_is_not_said_to_run_or_to_watch(logs: Path, db: Path) -> None:
    log = logs / "auth.log"
    log.write_text(LINE)
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        daemon.kill()
        append_text(log, LINE)
        wait_until(lambda: not status(db)["daemon"]["alive"], SOON_S, "its death is noticed", pause_s=0.2)
        record = status(db)
        assert record["watcher"] == "not running"
        assert record["bytes_behind"] == len(LINE)


def test_gaps_and_rejects_are_on_the_desk(logs: Path, db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = logs / "auth.log"
    log.write_text(LINE * 4)
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 4, READ_S, alive=lambda: daemon.is_running)
        os.kill(daemon.pid, signal.SIGSTOP)
        append_text(log, LINE * 2)
        time.sleep(0.1)
        daemon.kill()
        log.write_text(GARBAGE)  # truncated with unread bytes, and written anew
        daemon.start()
        wait_for_total(db, "lines", 5, READ_S, alive=lambda: daemon.is_running)
        wait_until(lambda: status(db)["gap_count"] == 1, SOON_S, "the gap")
        (gap,) = status(db)["gaps"]
        assert (gap["path"], gap["start"]) == (str(log), 4 * len(LINE))
        printed = livesec("status", "--db", db).stdout
        assert f"in {log} from byte {gap['start']}" in printed

        monkeypatch.setenv("LIVESEC_DB", str(db))
        app = AppTest.from_string("from livesec.dashboard.app import render\nrender()", default_timeout=30).run()
        assert [error.value for error in app.exception] == []
        tables = [set(table.value.columns) for table in app.dataframe]
        assert {"Source", "Reason", "Lines"} in tables
        assert {"Source", "From byte", "To byte", "Why", "Noticed (UTC)"} in tables
        shown = "\n".join(text.value for text in app.text)
        assert f"process {daemon.pid}" in shown and "by inotify" in shown
        assert daemon.stop() == 0


def test_problems_are_on_the_desk_in_words() -> None:
    healthy = DaemonHealth(7, "0.1.0", 0, 0, "inotify", 1, None, False)
    assert problems(healthy) == []
    ill = DaemonHealth(
        7, "0.1.0", 0, 0, "inotify", 1, None, False,
        watcher_rebuilt=2, watcher_overflows=1, commit_problem="database is locked", wal_held_since_us=1,
        settings_problem="not taken over: x\x1b[31m",
    )  # fmt: skip
    found = problems(ill)
    assert len(found) == 5
    assert "database is locked" in found[0]
    assert "\x1b" not in "".join(found)


# The write-ahead log --------------------------------------------------------------------------------------------------


def test_the_log_shrinks_once_a_long_reader_ends(db: Path) -> None:
    writer = StoreWriter(str(db))
    sequence = 0

    def commit() -> None:
        nonlocal sequence
        sequence += 1
        writer.commit(Commit(result=BatchResult(lines=1), next_sequence=sequence))

    commit()
    with reading_for_long(db):
        for _ in range(50):
            commit()
        grown = writer.wal.size_bytes()
        assert grown > 50 * 4096
        assert writer.wal.keep_short(large_bytes=100_000) is False
        held_since = writer.wal.held_since_us
        assert held_since is not None
        commit()
        assert writer.wal.keep_short(large_bytes=100_000) is False
        assert writer.wal.held_since_us == held_since
    emptied = writer.wal.keep_short(large_bytes=100_000)
    assert emptied is True
    assert writer.wal.size_bytes() == 0
    assert total(db, "lines") == 52
    writer.close()


def test_readers_that_come_and_go_do_not_keep_the_log(db: Path) -> None:
    writer = StoreWriter(str(db))
    ended = Event()

    def read_again_and_again() -> None:
        while not ended.is_set():
            with reading_for_long(db):
                time.sleep(0.02)

    readers = [Thread(target=read_again_and_again) for _ in range(3)]
    writer.commit(Commit(result=BatchResult(lines=1), next_sequence=1))
    for reader in readers:
        reader.start()
    try:
        emptied = 0
        for sequence in range(2, 12):
            writer.commit(Commit(result=BatchResult(lines=1), next_sequence=sequence))
            emptied += writer.wal.keep_short(large_bytes=0)
    finally:
        ended.set()
        for reader in readers:
            reader.join()
    assert emptied >= 5, "without the wait it is none"
    writer.close()


def test_the_log_is_left_alone_while_it_is_short_or_the_store_is_locked(db: Path) -> None:
    writer = StoreWriter(str(db), lock_wait_ms=300)
    writer.commit(Commit(result=BatchResult(lines=1), next_sequence=1))
    size = writer.wal.size_bytes()
    assert writer.wal.keep_short(large_bytes=size) is True
    assert writer.wal.size_bytes() == size
    started = time.monotonic()
    with held(db):
        assert writer.wal.keep_short(large_bytes=0) is False
        assert time.monotonic() - started < 0.3, "it hardly waits"
        with pytest.raises(OperationalError):
            writer.put_health({"daemon": {}})  # but a transaction does, and no longer than it is told to
        assert time.monotonic() - started < 2
    writer.close()


def test_a_long_reader_is_told_and_the_log_is_emptied_after_it(logs: Path, db: Path) -> None:
    chance = Random(4)
    log = logs / "auth.log"
    log.write_text(LINE)
    with Daemon([log], db, history="start") as daemon:
        wait_for_total(db, "lines", 1, READ_S, alive=lambda: daemon.is_running)
        with reading_for_long(db):
            append_text(log, "".join(f"{chance.randbytes(2000).hex()}\n" for _ in range(40_000)))
            wait_for_total(db, "lines", 40_001, READ_S, alive=lambda: daemon.is_running)
            wait_until(lambda: status(db)["daemon"]["wal_held_since_us"] is not None, SOON_S, "the reader is told of")
            assert status(db)["wal_bytes"] > 64 << 20
            assert "keeps it from being emptied" in livesec("status", "--db", db).stdout
        wait_until(lambda: status(db)["wal_bytes"] < 1 << 20, READ_S, "the log is emptied", pause_s=0.2)
        wait_until(lambda: status(db)["daemon"]["wal_held_since_us"] is None, SOON_S, "all is well again")
        assert daemon.stop() == 0
