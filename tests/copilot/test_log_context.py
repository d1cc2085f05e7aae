"""Lines around evidence: from the very file, and from the store where the file is not the same any more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.dashboard.invented_anomalies import KINDS, make_anomaly

from livesec.copilot.answer import Answer
from livesec.copilot.log_context import lines_around
from livesec.copilot.tools import Tools
from livesec.core.anomaly import BatchResult, Commit, EvidenceLine, StreamPosition
from livesec.store.anomaly_queries import EvidenceView
from livesec.store.reader import StoreReader
from livesec.store.writer import StoreWriter

NOW_US = 1_772_452_800_000_000
LINES = [f"Mar  2 12:00:{n:02d} gate1 sshd[{n}]: line number {n}".encode() for n in range(40)]
OFFSETS = [sum(len(line) + 1 for line in LINES[:n]) for n in range(40)]
ID = f"{5:016x}"


def asked(folder: Path, path: Path, kind: str = "file", **question: object) -> Answer:
    """The context of an anomaly whose evidence are lines 18 and 20 of a file that is at `path`."""
    evidence = [EvidenceLine(1, OFFSETS[n], len(LINES[n]), LINES[n]) for n in (18, 20)]
    writer = StoreWriter(str(folder / "a.db"))
    anomaly = make_anomaly(KINDS["bf_fast"], 5, NOW_US, evidence=evidence)
    stream = StreamPosition(1, "0" * 16, kind, str(path), 0, NOW_US, "UTC")
    writer.commit(Commit(result=BatchResult(lines=1, anomalies=[anomaly]), streams=[stream], next_sequence=1))
    writer.close()
    reader = StoreReader(str(folder / "a.db"))
    try:
        return Tools(reader, lambda: NOW_US).call("get_log_context", {"anomaly_id": ID, **question})
    finally:
        reader.close()


def around(answer: Answer) -> list[tuple[object, ...]]:
    return [row for table in answer.tables if table.name == "lines around" for row in table.rows]


@pytest.mark.parametrize("kind", ["file", "replay"])
def test_lines_of_the_file_stand_around_the_last_evidence_line(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"\n".join(LINES) + b"\n")
    answer = asked(tmp_path, log, kind, lines=3)
    assert [row[2] for row in around(answer)] == [line.decode() for line in LINES[17:24]]
    assert [row[0] for row in around(answer)] == ["", "L1", "", "L2", "", "", ""]
    assert [row[1] for row in around(answer)] == OFFSETS[17:24]
    assert answer.ids == (ID,) and answer.notes == ()


def test_another_evidence_line_can_be_chosen(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"\n".join(LINES))
    answer = asked(tmp_path, log, lines=1, evidence_line=1)
    assert [row[2] for row in around(answer)] == [line.decode() for line in LINES[17:20]]


@pytest.mark.parametrize("change", ["gone", "rotated", "shorter", "folder", "pipe", "journal"])
def test_where_the_line_is_not_there_any_more_the_kept_ones_are_shown(tmp_path: Path, change: str) -> None:
    log = tmp_path / "auth.log"
    if change == "rotated":
        log.write_bytes(b"\n".join(reversed(LINES)))
    elif change == "shorter":
        log.write_bytes(b"\n".join(LINES[:10]))
    elif change == "folder":
        log.mkdir()
    elif change == "pipe":
        os.mkfifo(log)
    elif change == "journal":
        log.write_bytes(b"\n".join(LINES))
    answer = asked(tmp_path, log, kind="journal" if change == "journal" else "file")
    assert around(answer) == []
    assert "shown are the lines that the store kept" in answer.notes[0]
    assert [row[2] for row in answer.tables[-1].rows] == [LINES[18].decode(), LINES[20].decode()]


def test_a_file_that_holds_no_such_line_is_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "shadow"
    secret.write_bytes(b"root:$6$secret\n" * 500)
    answer = asked(tmp_path, secret)
    assert "secret" not in str(answer.as_json())


def test_only_whole_lines_are_cut_out_of_a_large_file(tmp_path: Path) -> None:
    log = tmp_path / "large.log"
    line = b"y" * 999
    log.write_bytes(b"\n".join([line] * 300))
    found, why = lines_around(EvidenceView(str(log), 150_000, 999, line), 100)
    assert why == "" and found is not None
    assert {len(raw) for _, raw in found} == {999}
    assert all(at % 1000 == 0 for at, _ in found)
    assert 100 < len(found) < 140


def test_a_line_that_was_cut_or_lost_is_handled(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    log.write_bytes(b"a" * 6_000 + b"\r\nnext\r\n")
    found, _ = lines_around(EvidenceView(str(log), 0, 6_000, b"a" * 4_096), 2)
    assert found == [(0, b"a" * 6_000), (6_002, b"next")]
    assert lines_around(EvidenceView(str(log), 0, 0, b""), 2) == (None, "its text was not kept")
    assert lines_around(EvidenceView("bad\0path", 0, 1, b"a"), 2)[0] is None
