"""A stock Debian 12 has no auth.log: sshd logs to a real journald, and the daemon follows it by its cursor."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, exported
from tests.e2e.journald_server import JournaldServer
from tests.e2e.openssh_server import OpenSshServer
from tests.e2e.store_watch import total, wait_for_anomaly, wait_for_total
from tests.e2e.syslog_message import send

pytestmark = pytest.mark.e2e

LATEST_S = 10.0
ATTACK_S = 30.0
ATTACKERS = 40
FAILURES = 6  # each; the fifth reaches the threshold of bf_fast
KILLS = 4


def _daemon(journald: JournaldServer, folder: Path) -> Daemon:
    journald.put_journalctl(folder / "bin")
    path = os.pathsep.join([str(folder / "bin"), os.environ.get("PATH", os.defpath)])
    return Daemon([folder / "none.log"], folder / "livesec.db", settings=["journal=true"], more={"PATH": path})


def test_guessing_at_a_real_sshd_is_found_through_the_journal(tmp_path: Path) -> None:
    with (
        JournaldServer(tmp_path / "journald") as journald,
        OpenSshServer(tmp_path / "ssh", journald.socket, pam=False) as sshd,
        _daemon(journald, tmp_path) as daemon,
    ):
        daemon.wait_until_watching()
        with sshd.guessing(["root"] * 8):
            found = wait_for_anomaly(daemon.db, {"bf_fast"}, "127.0.0.1", ATTACK_S)
        assert daemon.stop() == 0

    anomaly = next(item for item in exported(daemon.db) if item["id"] == found.id)
    entries = [json.loads(line["line"]) for line in anomaly["evidence"]]
    assert all(entry["MESSAGE"].startswith("Failed password for root from 127.0.0.1") for entry in entries)
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"sshd"}


def test_each_journal_entry_counts_once_through_kills(tmp_path: Path) -> None:
    messages = [
        f"Failed password for root from 192.0.2.{number} port {40_000 + attempt} ssh2"
        for number in range(1, ATTACKERS + 1)
        for attempt in range(FAILURES)
    ]
    with JournaldServer(tmp_path / "journald") as journald, _daemon(journald, tmp_path) as daemon:
        daemon.wait_until_watching()
        share = len(messages) // (KILLS + 1)
        for number in range(KILLS):
            for message in messages[number * share : (number + 1) * share]:
                send(journald.socket, "sshd", 900, message)
                time.sleep(0.002)
            if number % 2 == 0:
                wait_for_total(daemon.db, "lines", (number + 1) * share, LATEST_S, alive=lambda: daemon.is_running)
            daemon.kill()
            daemon.start()
        for message in messages[KILLS * share :]:
            send(journald.socket, "sshd", 900, message)
        wait_for_total(daemon.db, "lines", len(messages), ATTACK_S, alive=lambda: daemon.is_running)
        time.sleep(1.0)  # for a line too many to show
        assert total(daemon.db, "lines") == len(messages)
        assert total(daemon.db, "events") == len(messages)
        assert daemon.stop() == 0

    found = [item for item in exported(daemon.db) if item["type"] == "bf_fast"]
    assert Counter(item["src_ip"] for item in found) == {f"192.0.2.{number}": 1 for number in range(1, ATTACKERS + 1)}
    for anomaly in found:
        ports = [json.loads(line["line"])["MESSAGE"].split()[-2] for line in anomaly["evidence"]]
        assert ports == ["40000", "40001", "40002", "40003", "40004"]
