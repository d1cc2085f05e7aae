"""`livesec feed watch` against a real TCP server: detection, evidence, gaps, each line once, an end by itself."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.command import COMMAND, START_S, STOP_S, environment, exported, livesec
from tests.e2e.store_watch import total, wait_for_total
from tests.sources.feed_server import served

from livesec.cli.main import main

PACKET = b'{"src_port": 443, "dst_port": %d, "packet_size": 900, "duration_ms": 80, "protocol": "TCP"}\n'
GUESS = b"2026-03-02T00:00:%02dZ web sshd[%d]: Failed password for root from 192.0.2.66 port 4242 ssh2\n"
GUESSES = b"".join(GUESS % (second, 100 + second) for second in range(12))


@contextmanager
def watching(db: Path, port: int, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The command until it is told to stop."""
    words = [*COMMAND, "feed", "watch", "--host", "127.0.0.1", "--port", str(port), "--db", str(db), "--minutes", "5"]
    process = subprocess.Popen(words, env=environment(LIVESEC_DATA_DIR=str(data)), stdin=subprocess.DEVNULL)
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_S) == 0
    finally:
        process.kill()
        process.wait()


def test_lines_over_tcp_become_anomalies_with_evidence_and_gaps(tmp_path: Path) -> None:
    db, data = tmp_path / "feed.db", tmp_path / "data"
    first = GUESSES + b"".join(PACKET % port for port in range(5)) + b'{"src_port": 4'
    with served(first, PACKET % 99) as server, watching(db, server.port, data) as process:
        wait_for_total(db, "events", 18, START_S, alive=lambda: process.poll() is None)
    spool = data / "feeds" / f"tcp-127.0.0.1-{server.port}.log"
    assert spool.read_bytes() == GUESSES + b"".join(PACKET % port for port in (0, 1, 2, 3, 4, 99))
    (gap,) = exported(db, "gaps")
    assert (gap["path"], gap["start"]) == (str(spool), len(spool.read_bytes()) - len(PACKET % 99))
    assert "closed the connection" in gap["reason"]
    anomaly = next(item for item in exported(db) if item["type"] == "bf_fast")
    assert anomaly["src_ip"] == "192.0.2.66"
    assert all(line["path"] == str(spool) for line in anomaly["evidence"])
    assert all(line["line"].encode() + b"\n" in GUESSES for line in anomaly["evidence"])

    # Another start ends by itself, reads no line twice, and says that it was away.
    words = ["feed", "watch", "--host", "127.0.0.1", "--port", server.port, "--db", db, "--minutes", "0.05"]
    done = livesec(*map(str, words), "--template", "risk_assessor", LIVESEC_DATA_DIR=str(data))
    assert done.returncode == 0, done.stderr
    assert "without effect" in done.stderr
    assert total(db, "lines") == 18
    assert ["not connected before this start" in gap["reason"] for gap in exported(db, "gaps")] == [False, True]


def test_two_cannot_receive_the_same_feed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with served(PACKET % 1) as server, watching(tmp_path / "a.db", server.port, data) as process:
        wait_for_total(tmp_path / "a.db", "events", 1, START_S, alive=lambda: process.poll() is None)
        words = ["feed", "watch", "--host", "127.0.0.1", "--port", server.port, "--db", tmp_path / "b.db"]
        done = livesec(*map(str, words), "--minutes", "1", LIVESEC_DATA_DIR=str(data))
    assert done.returncode == 4
    assert "another process receives into it" in done.stderr


def test_its_words_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVESEC_DATA_DIR", str(tmp_path))
    assert main(["feed", "watch", "--log-level", "loud"]) == 2
    assert main(["feed", "watch", "--port", "0"]) == 2
    assert json.dumps([path.name for path in tmp_path.iterdir()]) == "[]"
