"""The store: one writer, one transaction a batch, a mirror that no crash can double."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from livesec.core.anomaly import Anomaly, BatchResult, Commit, EvidenceLine, StreamPosition
from livesec.core.batch import RawBatch, batch_of_bytes
from livesec.core.errors import LiveSecError, SettingsError, StoreDamagedError, StoreHeldError, StoreVersionError
from livesec.core.explanation import Contribution, Explanation
from livesec.core.schema import LogType
from livesec.core.severity import Severity
from livesec.core.snapshot import PartKind, SavedPart, Snapshot
from livesec.sources.tail_file import cut_long_lines, stream_info
from livesec.store import journal, mirror
from livesec.store.export import bad_sources, export_rows
from livesec.store.open import reader_engine
from livesec.store.writer import StoreWriter

HOSTILE = '=cmd|"/c calc"!A1\n\x1b[31m,"x"'


def anomaly(number: int, **changes: object) -> Anomaly:
    made = Anomaly(
        id=f"{number:016x}",
        sequence=number,
        time_us=1_772_409_600_000_000,
        type="bf_fast",
        log_type=LogType.LOGIN,
        severity=Severity.HIGH,
        score=73.0,
        entity_type="src_ip",
        entity="192.0.2.1",
        user="root",
        src_ip="192.0.2.1",
        dst_ip=None,
        host="web",
        description=f"attempt {HOSTILE}",
        details={"attempts": number, "name": HOSTILE},
        techniques=("T1110.001",),
        reason="threshold",
        confidence=1.0,
        explanation=Explanation("Head", "First line.", "none", (Contribution("a rule", 4.7),), (), (), (), ()),
        evidence=(EvidenceLine(1, 10, 3, b"a\xffb"),),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


STREAM = StreamPosition(1, "ab" * 8, "file", "/var/log/auth.log", 0, 0, "UTC")


def commit(*anomalies: Anomaly, batch: RawBatch | None = None) -> Commit:
    result = BatchResult(lines=2, anomalies=list(anomalies))
    return Commit(result=result, streams=[STREAM], batch=batch, next_sequence=len(anomalies))


def exported(path: Path) -> list[dict[str, object]]:
    return list(export_rows(reader_engine(str(path)), "anomalies"))


def test_an_anomaly_comes_back_as_the_interface_says(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = StoreWriter(str(path))
    writer.commit(commit(anomaly(1)))
    writer.close()
    (found,) = exported(path)
    assert found["time"] == "2026-03-02T00:00:00.000000Z"
    assert found["details"] == {"attempts": 1, "name": HOSTILE}
    assert found["dst_ip"] is None
    assert found["evidence"] == [
        {"path": "/var/log/auth.log", "stream": "ab" * 8, "offset": 10, "length": 3, "line": "a\ufffdb"}
    ]
    assert " ".join(list(found)[:17]) == (
        "id time type log_type severity score user src_ip dst_ip host description details techniques evidence "
        "explanation status incident_id"
    )


def test_the_same_anomaly_is_stored_once(tmp_path: Path) -> None:
    writer = StoreWriter(str(tmp_path / "a.db"))
    writer.commit(commit(anomaly(1)))
    writer.commit(commit(anomaly(1), anomaly(2)))
    writer.close()
    assert [item["id"] for item in exported(tmp_path / "a.db")] == [f"{1:016x}", f"{2:016x}"]


def test_a_failed_commit_stores_nothing_and_may_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = StoreWriter(str(path))
    bad = commit(anomaly(1))
    bad.result.anomalies.append(anomaly(2, reason=None))
    with pytest.raises(Exception, match="NOT NULL"):
        writer.commit(bad)
    assert exported(path) == []
    bad.result.anomalies[1] = anomaly(2)
    writer.commit(bad)
    writer.close()
    assert len(exported(path)) == 2
    with (tmp_path / "anomalies.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_the_mirror_is_valid_csv_with_the_seeds_columns_and_no_formulas(tmp_path: Path) -> None:
    writer = StoreWriter(str(tmp_path / "a.db"))
    writer.commit(commit(anomaly(1, description="=1+1")))
    writer.close()
    with (tmp_path / "anomalies.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row) == list(mirror.HEADER)
    assert (row["timestamp"], row["severity"], row["severity_score"]) == ("2026-03-02 00:00:00", "high", "7.3")
    assert row["description"] == "'=1+1"
    assert json.loads(row["details"])["attempts"] == 1
    assert row["ai_explanation"] == "First line. Usual: none Score: 4.7 of 10: a rule +4.7."


def test_after_a_crash_between_mirror_and_commit_nothing_is_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    writer = StoreWriter(str(path))
    writer.commit(commit(anomaly(1)))
    writer.close()
    committed = (tmp_path / "anomalies.csv").read_bytes()
    with (tmp_path / "anomalies.csv").open("ab") as file:
        file.write(b"2026-03-02 00:00:00,half a li")
    StoreWriter(str(path)).close()
    assert (tmp_path / "anomalies.csv").read_bytes() == committed


def test_a_second_store_in_the_folder_has_a_mirror_of_its_own(tmp_path: Path) -> None:
    first, second = StoreWriter(str(tmp_path / "a.db")), StoreWriter(str(tmp_path / "b.db"))
    first.commit(commit())
    second.commit(commit())
    assert (first.mirror_path.name, second.mirror_path.name) == ("anomalies.csv", "b_anomalies.csv")
    first.close()
    second.close()
    assert StoreWriter(str(tmp_path / "a.db")).mirror_path.name == "anomalies.csv"


def test_a_start_without_a_commit_keeps_its_mirror(tmp_path: Path) -> None:
    StoreWriter(str(tmp_path / "a.db")).close()
    writer = StoreWriter(str(tmp_path / "a.db"))
    assert writer.mirror_path == tmp_path / "anomalies.csv"
    writer.close()


def test_the_second_writer_is_told_who_holds_the_store(tmp_path: Path) -> None:
    writer = StoreWriter(str(tmp_path / "a.db"))
    with pytest.raises(StoreHeldError, match=f"pid {os.getpid()}"):
        StoreWriter(str(tmp_path / "a.db"))
    writer.close()
    StoreWriter(str(tmp_path / "a.db")).close()


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from livesec.store.writer import StoreWriter\n"
        "StoreWriter(sys.argv[1]); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.db")], env=environment, check=False)
    assert ended.returncode == -9
    StoreWriter(str(tmp_path / "a.db")).close()


def test_journalled_batches_come_back_with_their_addresses(tmp_path: Path) -> None:
    info = stream_info(STREAM)
    plain = batch_of_bytes(info, b"one\ntwo\n", 40, first_sequence=0)
    long_line = cut_long_lines(batch_of_bytes(info, b"x" * ((1 << 20) + 5) + b"\nend\n", 48, first_sequence=2))
    writer = StoreWriter(str(tmp_path / "a.db"))
    for batch in (plain, long_line):
        writer.commit(commit(batch=batch))
    back = [batch for batch, _ in writer.journalled({1: info})]
    for old, new in zip((plain, long_line), back, strict=True):
        assert new.data == old.data
        for name in ("starts", "kept", "offsets", "lengths"):
            assert getattr(new, name).tolist() == getattr(old, name).tolist()
        assert (new.first_sequence, new.end_offset) == (old.first_sequence, old.end_offset)
    engine = SavedPart("engine", PartKind.WHOLE, 0, 1, b"1")
    writer.commit(Commit(snapshot=Snapshot(1, [engine]), next_sequence=4))
    assert list(writer.journalled({1: info})) == []
    assert writer.journalled_line(1, 44) == (b"two", 3)  # passed batches stay a while, for evidence
    assert writer.journalled_line(1, 48 + (1 << 20) + 6) == (b"end", 3)
    assert writer.journalled_line(1, 41) is None
    assert writer.journalled_line(2, 40) is None
    assert writer.saved_parts() == [engine]
    writer.close()


def test_stores_that_cannot_be_used_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(LiveSecError, match="no store here yet"):
        reader_engine(str(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(StoreDamagedError, match="damaged"):
        StoreWriter(str(tmp_path / "text.db"))
    StoreWriter(str(tmp_path / "new.db")).close()
    engine_file = StoreWriter(str(tmp_path / "new.db"))
    with engine_file._engine.begin() as connection:
        connection.execute(text("UPDATE meta SET value = '999' WHERE key = 'schema_version'"))
    engine_file.close()
    with pytest.raises(StoreVersionError, match="newer LiveSec"):
        StoreWriter(str(tmp_path / "new.db"))
    with pytest.raises(SettingsError, match="postgresql store is not supported"):
        StoreWriter("postgresql://localhost/livesec")


def test_bad_sources_are_those_of_high_anomalies_about_an_address(tmp_path: Path) -> None:
    writer = StoreWriter(str(tmp_path / "a.db"))
    writer.commit(
        commit(
            anomaly(1),
            anomaly(2, src_ip="192.0.2.2", entity="192.0.2.2", severity=Severity.MEDIUM),
            anomaly(3, src_ip="192.0.2.3", entity_type="user", entity="root"),
        )
    )
    writer.close()
    assert bad_sources(reader_engine(str(tmp_path / "a.db"))) == ["192.0.2.1"]


def test_passed_batches_are_forgotten_oldest_first(tmp_path: Path) -> None:
    info = stream_info(STREAM)
    writer = StoreWriter(str(tmp_path / "a.db"))
    for number in range(4):
        writer.commit(commit(batch=batch_of_bytes(info, b"line\n", 5 * number, first_sequence=number)))
    with writer._engine.begin() as connection:
        size = connection.execute(text("SELECT max(length(data)) FROM journal")).scalar_one()
        journal.forget_passed(connection, upto=3, keep_bytes=size)
    assert [writer.journalled_line(1, 5 * number) for number in range(4)] == [None, None, (b"line", 4), (b"line", 4)]
    writer.close()
