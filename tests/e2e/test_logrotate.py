"""A real logrotate turns the log over between two failures of one attack: nothing is lost, the evidence is whole."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.e2e.command import Daemon, exported
from tests.e2e.requirements import program
from tests.e2e.rsyslog_server import RFC_3339, RsyslogServer
from tests.e2e.store_watch import wait_for_anomaly, wait_for_total
from tests.e2e.syslog_message import send

pytestmark = pytest.mark.e2e

SOON_S = 15.0
ATTACKER = "192.0.2.66"

_RENAMING = """
{log} {{
    rotate 3
    create
    {more}
    postrotate
        kill -HUP "$(cat {pid_file})"
    endscript
}}
"""
_COPYING = """
{log} {{
    rotate 3
    copytruncate
}}
"""


@pytest.mark.parametrize(
    ("config", "more"),
    [(_RENAMING, ""), (_RENAMING, "compress"), (_COPYING, "")],
    ids=["rename", "gzip", "copytruncate"],
)
def test_an_attack_across_a_rotation_is_found_with_its_evidence(tmp_path: Path, config: str, more: str) -> None:
    logrotate = program("logrotate", "logrotate")
    db = tmp_path / "livesec.db"
    tmp_path.chmod(0o755)  # logrotate refuses folders that others may write
    with RsyslogServer(tmp_path / "syslog", RFC_3339) as syslog, Daemon([syslog.log], db) as daemon:
        file = tmp_path / "logrotate.conf"
        file.write_text(config.format(log=syslog.log, more=more, pid_file=syslog.pid_file))
        file.chmod(0o644)
        daemon.wait_until_watching()
        for attempt in range(6):
            if attempt == 3:
                wait_for_total(db, "lines", attempt, SOON_S, alive=lambda: daemon.is_running)
                words = [logrotate, "--force", "--state", str(tmp_path / "state"), str(file)]
                subprocess.run(words, check=True, timeout=30)
            send(
                syslog.socket,
                "sshd",
                900 + attempt,
                f"Failed password for root from {ATTACKER} port {40_000 + attempt} ssh2",
            )
        found = wait_for_anomaly(db, {"bf_fast"}, ATTACKER, SOON_S)
        wait_for_total(db, "lines", 6, SOON_S, alive=lambda: daemon.is_running)
        assert daemon.stop() == 0

    anomaly = next(item for item in exported(db) if item["id"] == found.id)
    ports = [line["line"].split()[-2] for line in anomaly["evidence"]]
    assert ports == ["40000", "40001", "40002", "40003", "40004"]
    assert exported(db, "gaps") == []
