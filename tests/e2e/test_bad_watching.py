"""A daemon pointed at everything bad at once goes on with the good file, and says what is wrong with the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.e2e.bad_inputs import ATTACKER, binary_file, good_log, guessing, headless_csv, huge_line, unknown_format
from tests.e2e.command import Daemon, exported, status_of
from tests.e2e.service import wait_until
from tests.e2e.store_watch import wait_for_anomaly
from tests.e2e.unprivileged import UNPRIVILEGED

pytestmark = pytest.mark.e2e

SOON_S = 15.0


def test_bad_inputs_do_not_keep_the_daemon_from_the_good_one(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    good = good_log(logs)
    secret = logs / "secret.log"
    secret.write_text(guessing("192.0.2.88"))
    secret.chmod(0)
    folder = logs / "folder.log"
    folder.mkdir()
    bad = [make(logs) for make in (binary_file, headless_csv, unknown_format, huge_line)]
    paths = [good, secret, folder, logs / "missing.log", *bad]

    with Daemon(paths, tmp_path / "livesec.db", history="start", before=UNPRIVILEGED) as daemon:
        daemon.wait_until_watching()
        wait_for_anomaly(daemon.db, {"bf_fast"}, ATTACKER, SOON_S)
        wait_for_anomaly(daemon.db, {"bf_fast"}, "192.0.2.77", SOON_S)  # behind the line of 100 MB
        with good.open("a") as file:
            file.write(guessing("192.0.2.99", first_second=30))
        wait_for_anomaly(daemon.db, {"bf_fast"}, "192.0.2.99", SOON_S)
        states = {stream["path"]: stream for stream in status_of(daemon.db)["streams"]}
        assert states[str(secret)]["state"] == "error"
        assert "ermission denied" in states[str(secret)]["error"]
        secret.chmod(0o600)
        os.utime(secret)
        wait_for_anomaly(daemon.db, {"bf_fast"}, "192.0.2.88", SOON_S)
        assert daemon.stop() == 0

    assert "Traceback" not in daemon.said()
    assert str(secret) in daemon.said()
    rejected = {item["path"] for item in exported(daemon.db, "rejects")}
    assert rejected == {str(path) for path in bad}
    assert exported(daemon.db, "gaps") == []


def test_a_folder_made_after_the_start_and_a_file_in_it_are_seen(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    with Daemon([logs], tmp_path / "livesec.db", history="start") as daemon:
        daemon.wait_until_watching()
        logs.mkdir()
        good_log(logs)
        wait_for_anomaly(daemon.db, {"bf_fast"}, ATTACKER, SOON_S)
        assert daemon.stop() == 0


def test_a_log_of_zero_bytes_waits_for_its_first_line(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.touch()
    with Daemon([log], tmp_path / "livesec.db", history="start") as daemon:
        daemon.wait_until_watching()
        wait_until(lambda: bool(status_of(daemon.db)["streams"]), SOON_S, "the empty file is a stream")
        log.write_text(guessing())
        wait_for_anomaly(daemon.db, {"bf_fast"}, ATTACKER, SOON_S)
        assert daemon.stop() == 0
