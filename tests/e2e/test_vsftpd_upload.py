"""A large archive with a telling name is uploaded to a real vsftpd: the anomaly is in the store within seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.command import Daemon, exported
from tests.e2e.evidence import assert_true_lines
from tests.e2e.store_watch import Arrivals, wait_for_anomaly
from tests.e2e.vsftpd_server import VsftpdServer

pytestmark = pytest.mark.e2e

LATEST_S = 10.0
UPLOAD_BYTES = 150 << 20  # over the 100 MB that are large for anyone
NAME = "customer_passwords.zip"


@pytest.mark.parametrize("which", ["vsftpd.log", "xferlog"])
def test_a_large_upload_of_customer_data_is_found(tmp_path: Path, which: str) -> None:
    db = tmp_path / "livesec.db"
    content = tmp_path / "content"
    content.touch()
    with content.open("r+b") as file:
        file.truncate(UPLOAD_BYTES)
    with VsftpdServer(tmp_path / "ftp") as ftp:
        log = ftp.vsftpd_log if which == "vsftpd.log" else ftp.xferlog
        with Daemon([log], db) as daemon:
            daemon.wait_until_watching()
            ftp.upload(content, NAME)
            arrivals = Arrivals(log)
            found = wait_for_anomaly(
                db, {"large_file_transfer", "sensitive_file_access"}, "127.0.0.1", LATEST_S, arrivals.look
            )
            latency_s = found.visible_s - arrivals.seen_s[found.offset]
            print(f"{which}: {found.type} in the store {latency_s * 1000:.0f} ms after the line")
            assert daemon.stop() == 0

    about = [item for item in exported(db) if item["src_ip"] == "127.0.0.1"]
    assert {item["type"] for item in about} >= {"large_file_transfer"}
    for anomaly in about:
        assert anomaly["log_type"] == "file_transfer"
        assert_true_lines(anomaly)
        assert NAME in anomaly["evidence"][-1]["line"]
    large = next(item for item in about if item["type"] == "large_file_transfer")
    assert UPLOAD_BYTES in large["details"].values()
