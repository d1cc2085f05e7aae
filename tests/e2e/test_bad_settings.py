"""Broken settings, a held store, a damaged store: one clear line and the exit code that INTERFACES names."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.e2e.bad_inputs import good_log
from tests.e2e.command import Daemon, livesec

pytestmark = pytest.mark.e2e

USAGE, FAILED, HELD = 2, 1, 4


@pytest.mark.parametrize(
    ("assignment", "name"),
    [
        ("failed_login_threshold=many", "failed_login_threshold"),
        ("failed_login_threshold=1", "failed_login_threshold"),
        ("no_such_setting=1", "no_such_setting"),
        ("bf_fast.capacity=none", "bf_fast"),
        ("bf_fast.no_such_parameter=1", "no_such_parameter"),
        ("no_such_detector.capacity=6", "no_such_detector"),
        ("history=yesterday", "history"),
        ("time_zone=Mars/Olympus", "time_zone"),
    ],
)
@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_broken_setting_stops_the_start_and_is_named(
    tmp_path: Path, command: str, assignment: str, name: str
) -> None:
    log = good_log(tmp_path)
    words = ["--logs", log] if command == "run" else [log]
    done = livesec(command, *words, "--db", tmp_path / "livesec.db", "--set", assignment)
    assert done.returncode == USAGE, done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("FAILED_LOGIN_THRESHOLD = 'many'\n", "failed_login_threshold"),
        ("ALERTS_PER_WEEK = 3\n", "alerts_per_week"),
        ("LOGS = [\n", "broken.py:1"),
        ("LOGS = undefined\n", "NameError"),
    ],
)
def test_a_broken_settings_file_is_named_with_its_setting(tmp_path: Path, content: str, named: str) -> None:
    config = tmp_path / "broken.py"
    config.write_text(content)
    done = livesec("run", "--logs", good_log(tmp_path), "--db", tmp_path / "livesec.db", "--settings", config)
    assert done.returncode == USAGE, done.stderr
    assert named in done.stderr and str(config) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_setting_in_the_environment_is_named(tmp_path: Path) -> None:
    done = livesec(
        "run", "--logs", good_log(tmp_path), "--db", tmp_path / "livesec.db", LIVESEC_FAILED_LOGIN_THRESHOLD="many"
    )
    assert done.returncode == USAGE, done.stderr
    assert "failed_login_threshold (environment)" in done.stderr


@pytest.mark.parametrize("command", ["run", "replay"])
def test_a_second_writer_of_a_store_is_refused_and_told_the_first_ones_pid(tmp_path: Path, command: str) -> None:
    log, db = good_log(tmp_path), tmp_path / "livesec.db"
    with Daemon([log], db) as daemon:
        daemon.wait_until_watching()
        words = ["--logs", log] if command == "run" else [log]
        done = livesec(command, *words, "--db", db)
        assert done.returncode == HELD, done.stderr
        assert f"pid {daemon.pid}" in done.stderr
        assert daemon.is_running
        assert daemon.stop() == 0


@pytest.mark.parametrize("damage", ["no database at all", "header overwritten", "pages overwritten"])
def test_a_damaged_store_is_named_by_every_command(tmp_path: Path, damage: str) -> None:
    log, db = good_log(tmp_path), tmp_path / "livesec.db"
    assert livesec("replay", log, "--db", db).returncode == 0
    _damage(db, damage)
    before = db.read_bytes()
    for words in (["run", "--logs", log], ["replay", log], ["export"], ["status"]):
        done = livesec(*words, "--db", db)
        assert done.returncode == FAILED, (words, done.returncode, done.stderr)
        assert str(db) in done.stderr, words
        assert "Traceback" not in done.stderr, words
    assert db.read_bytes() == before, "a damaged store is left as it was found"


def _damage(db: Path, how: str) -> None:
    content = bytearray(db.read_bytes())
    noise = random.Random(2)
    if how == "no database at all":
        content[:] = b"these are my notes, not a database\n" * 100
    elif how == "header overwritten":
        content[:100] = noise.randbytes(100)
    else:
        content[4096:] = noise.randbytes(len(content) - 4096)
    db.write_bytes(bytes(content))
