"""Wrong passwords sent to a real sshd that logs through a real rsyslog: the guessing is in the store within seconds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, exported
from tests.e2e.evidence import assert_true_lines
from tests.e2e.openssh_server import OpenSshServer
from tests.e2e.rsyslog_server import RFC_3164, RFC_3339, RsyslogServer
from tests.e2e.store_watch import Arrivals, wait_for_anomaly

pytestmark = pytest.mark.e2e

LATEST_S = 10.0
"""From the failure that reaches the threshold in the log to the anomaly in the store."""
ATTACK_S = 60.0
THRESHOLD = 5  # failures, bf_fast.capacity
GUESSES = ("root", "admin", "root", "test", "root", "oracle", "root", "root")


@pytest.mark.parametrize("template", [RFC_3164, RFC_3339])
def test_parallel_guessing_is_in_the_store_soon_after_the_fifth_failure(tmp_path: Path, template: str) -> None:
    db = tmp_path / "livesec.db"
    with (
        RsyslogServer(tmp_path / "syslog", template) as syslog,
        OpenSshServer(tmp_path / "ssh", syslog.socket) as sshd,
        Daemon([syslog.log], db) as daemon,
    ):
        daemon.wait_until_watching()
        arrivals = Arrivals(syslog.log)
        with sshd.guessing(GUESSES):
            found = wait_for_anomaly(db, {"bf_fast"}, "127.0.0.1", ATTACK_S, arrivals.look)
        latency_s = found.visible_s - arrivals.seen_s[found.offset]
        print(f"{template}: bf_fast in the store {latency_s * 1000:.0f} ms after the line that reached the threshold")
        assert latency_s <= LATEST_S
        assert daemon.stop() == 0

    anomaly = next(item for item in exported(db) if item["id"] == found.id)
    assert anomaly["severity"] in {"medium", "high", "critical"}
    assert anomaly["log_type"] == "login"
    assert anomaly["details"]["attempts"] >= THRESHOLD
    assert len(anomaly["evidence"]) == THRESHOLD
    assert_true_lines(anomaly)
    lines = [line["line"] for line in anomaly["evidence"]]
    assert all("Failed password for" in line or "Invalid user" in line for line in lines)
    assert len({re.findall(r"sshd\[(\d+)\]", line)[0] for line in lines}) == THRESHOLD, "one line per connection"


def test_repeats_that_rsyslog_writes_as_one_line_count_as_often_as_they_happened(tmp_path: Path) -> None:
    db = tmp_path / "livesec.db"
    with (
        RsyslogServer(tmp_path / "syslog", RFC_3164, reduces_repeats=True) as syslog,
        OpenSshServer(tmp_path / "ssh", syslog.socket, pam=False) as sshd,
        Daemon([syslog.log], db) as daemon,
    ):
        daemon.wait_until_watching()
        sshd.guess_in_one_connection("root", times=6)
        found = wait_for_anomaly(db, {"bf_fast"}, "127.0.0.1", LATEST_S)

    anomaly = next(item for item in exported(db) if item["id"] == found.id)
    assert_true_lines(anomaly)
    assert len(anomaly["evidence"]) == 2
    assert "message repeated 5 times" in anomaly["evidence"][-1]["line"]
    assert anomaly["details"]["attempts"] == 6


def test_a_login_after_guessing_is_critical_and_joins_the_incident(tmp_path: Path) -> None:
    db = tmp_path / "livesec.db"
    with (
        RsyslogServer(tmp_path / "syslog", RFC_3339) as syslog,
        OpenSshServer(tmp_path / "ssh", syslog.socket, pam=False) as sshd,
        Daemon([syslog.log], db) as daemon,
    ):
        daemon.wait_until_watching()
        with sshd.guessing(GUESSES):
            wait_for_anomaly(db, {"bf_fast"}, "127.0.0.1", ATTACK_S)
        sshd.log_in_with_key("root")
        found = wait_for_anomaly(db, {"bf_success"}, "127.0.0.1", LATEST_S)

    anomaly = next(item for item in exported(db) if item["id"] == found.id)
    assert (anomaly["severity"], anomaly["user"]) == ("critical", "root")
    assert_true_lines(anomaly)
    assert "Accepted publickey for root from 127.0.0.1" in anomaly["evidence"][-1]["line"]
    incidents = [item for item in exported(db, "incidents") if item["id"] == anomaly["incident_id"]]
    assert {"bf_fast", "bf_success"} <= set(incidents[0]["types"]), json.dumps(incidents)
