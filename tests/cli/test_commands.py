"""The commands as a script sees them: exit codes, JSON alone on stdout, errors in one line that says what next."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from livesec.cli.main import main
from livesec.simulate.sshd import sshd_lines
from livesec.store.writer import StoreWriter

START_US = 1_772_409_600_000_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "auth.log"
    path.write_bytes(sshd_lines(3_000, seed=4, attack_share=0.6, start_us=START_US))
    os.utime(path, (START_US / 1e6 + 86_400 * 30,) * 2)
    return path


@pytest.fixture(scope="module")
def store(log: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    db = str(tmp_path_factory.mktemp("store") / "livesec.db")
    assert main(["replay", str(log), "--db", db]) == 0
    return db


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(list(words)) == 0
    return json.loads(capsys.readouterr().out)


def test_replay_prints_one_object_that_adds_up(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run_json(capsys, "replay", str(log), "--db", str(tmp_path / "a.db"), "--json")
    counts = {"lines", "events", "skipped", "rejects", "anomalies", "incidents"}
    assert set(report) >= counts | {"seconds", "events_per_s", "lines_per_s", "peak_rss_mb"}
    assert report["lines"] == 3_000 == report["consumed"] + report["skipped"] + report["rejects"]
    assert report["anomalies"] > 0
    assert report["rejects"] == 0


def test_a_gzipped_log_gives_what_the_plain_one_gives(
    log: Path, store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.log.gz").write_bytes(gzip.compress(log.read_bytes()))
    os.utime(tmp_path / "a.log.gz", (log.stat().st_mtime,) * 2)
    db = str(tmp_path / "a.db")
    assert main(["replay", str(tmp_path / "a.log.gz"), "--db", db]) == 0
    capsys.readouterr()

    def found(name: str) -> list[tuple[Any, ...]]:
        assert main(["export", "--db", name, "--format", "jsonl"]) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(row["time"], row["type"], row["src_ip"], row["score"], row["details"]) for row in rows]

    assert found(db) == found(store)


def test_export_gives_anomalies_with_their_lines(log: Path, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--db", store, "--format", "jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    data = log.read_bytes()
    for row in rows:
        assert row["status"] == "new"
        assert 0 < row["score"] <= 99
        for line in row["evidence"]:
            assert line["path"] == str(log)
            assert data[line["offset"] : line["offset"] + line["length"]].decode() == line["line"]
    assert main(["export", "--db", store, "--format", "csv"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert json.loads(table[0]["details"]) == rows[0]["details"]


@pytest.mark.parametrize("table", ["incidents", "gaps", "rejects", "explanations", "risk"])
def test_every_table_can_be_exported(store: str, table: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--db", store, "--table", table]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert bool(rows) is (table in ("incidents", "explanations", "risk"))


def test_explanations_of_anomalies_and_incidents_are_exported(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    def exported(table: str) -> list[dict[str, Any]]:
        assert main(["export", "--db", store, "--table", table]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    anomalies, incidents, told = exported("anomalies"), exported("incidents"), exported("explanations")
    by_subject = {(record["subject_kind"], record["subject_id"]): record for record in told}
    assert set(by_subject) == {
        *(("anomaly", row["id"]) for row in anomalies),
        *(("incident", row["id"]) for row in incidents),
    }
    assert len({tuple(record) for record in told}) == 1, "all records have the same keys"
    for row in anomalies:
        assert by_subject["anomaly", row["id"]]["anomaly_id"] == row["id"]
    for row in incidents:
        note = by_subject["incident", row["id"]]
        assert row["title"] in note["headline"] and "[L1]" in note["what_happened"]
        assert sum(item["points"] for item in note["why_score"]) == pytest.approx(row["score"] / 10, abs=0.006)
        worst = max(row["anomalies"], key=lambda name: next(item["score"] for item in anomalies if item["id"] == name))
        assert any(worst in step["text"] for step in note["next_steps"])


def test_addresses_for_a_firewall_are_only_printed(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--db", store, "--format", "ips"]) == 0
    addresses = capsys.readouterr().out.split()
    assert main(["export", "--db", store, "--format", "nft"]) == 0
    text = capsys.readouterr().out
    assert all(address in text for address in addresses)
    assert text.startswith("table inet livesec {")


def test_check_says_what_it_sees(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = run_json(capsys, "check", str(log), "--json")
    assert (record["format"], record["log_type"], record["lines"]) == ("openssh", ["login"], 3_000)
    assert record["rejects"] == []
    assert record["confidence"] == 1.0
    assert record["lines_per_s"] > 0


def test_check_reads_no_more_lines_than_it_is_told(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (record,) = run_json(capsys, "check", str(log), "--json", "--lines", "10")
    assert (record["lines"], record["is_whole"]) == (10, False)


def test_check_tells_people_formats_times_numbers_and_rejects(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = tmp_path / "mixed.log"
    transfer = b"Mon Mar  2 10:00:00 2026 1 192.0.2.7 10 /a b _ i r ann ftp 0 * c\n"
    mixed.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:99]) + b"\x1b[2Jwhat is this\n" + transfer)
    assert main(["check", str(mixed)]) == 0
    said = capsys.readouterr().out
    assert "OpenSSH server through syslog or the journal (openssh): login, file transfer" in said
    assert "99.0 % of 101 lines used" in said
    assert re.search(r"\d+ lines of OpenSSH", said)
    assert "1 line of xferlog" in said
    assert "reject, line 100 (byte" in said
    assert "\\x1b[2Jwhat is this" in said
    assert "\x1b" not in said


def test_check_of_a_mapping_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = Path(__file__).parents[2] / "docs" / "examples" / "vpn-gateway.format.toml"
    own = tmp_path / "vpn.log"
    own.write_text("02.03.2026 10:00:00;ann;192.0.2.1;OK;-\nnothing\n")
    assert main(["check", "--format", str(example), str(own)]) == 0
    said = capsys.readouterr().out
    for words in ("VPN gateway: delimited, gives login rows", "50.0 % of 2 lines used", "2026-03-02T09:00:00Z", "ann"):
        assert words in said
    record = run_json(capsys, "check", "--format", str(example), "--json", str(own))
    assert record["mapping"]["columns"][1] == {"column": "user", "from": "account", "how": ""}
    assert record["files"][0]["rejects"][0]["reason"] == "1 fields where the header names 5"
    assert main(["check", str(own), "--set", f"format_files=['{example}']"]) == 0
    assert "VPN gateway (vpn-gateway)" in capsys.readouterr().out


def test_check_of_a_wrong_mapping_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "own.format.toml"
    wrong.write_text('kind = "json"\nlog_typ = "login"\n')
    assert main(["check", "--format", str(wrong)]) == 2
    assert f"{wrong}:2: log_typ: unknown key; did you mean log_type?" in capsys.readouterr().err


def test_check_without_a_path_looks_in_the_usual_places(capsys: pytest.CaptureFixture[str]) -> None:
    assert set(run_json(capsys, "check", "--json")) == {"places", "journal"}


def test_detectors_are_listed_with_their_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in run_json(capsys, "detectors", "--json", "--set", "bf_fast.capacity=6")}
    params = {param["name"]: param["value"] for param in rows["bf_fast"]["params"]}
    assert params["capacity"] == 6
    assert rows["bf_fast"]["technique"] == ["T1110.001"]
    assert {"bf_success", "scan_vertical", "failed_login", "potential_data_exfiltration"} <= set(rows)


def test_status_of_a_store_without_a_daemon(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = run_json(capsys, "status", "--db", store, "--json")
    assert record["daemon"] is None
    assert record["totals"]["lines"] == 3_000
    assert record["streams"][0]["bytes_behind"] == 0
    assert record["detectors"]["bf_fast"]["coverage"] > 0
    assert main(["status", "--db", store]) == 0
    assert "never ran" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["replay", "/nowhere/auth.log", "--db", "{tmp}/a.db"], 3, "no such file"),
        (["check", "/nowhere/auth.log"], 3, "no such file"),
        (["export", "--db", "{tmp}/none.db"], 1, "no store here yet"),
        (["status", "--db", "{tmp}/none.db"], 1, "no store here yet"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--set", "batch_interval_s=soon"], 2, "batch_interval_s"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--set", "bf_fast.capacity=0"], 2, "bf_fast.capacity"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--set", "bf_fast.size=3"], 2, "no such parameter"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--set", "no_such.x=3"], 2, "no detector"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--from", "yesterday"], 2, "history"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--settings", "{tmp}/none.py"], 2, "cannot be read"),
        (["run", "--logs", "x", "--db", "{tmp}/a.db", "--set", "suspicious_countries=['Rusia']"], 2, "Rusia"),
        (["evaluate"], 2, "--demo"),
        (["no-such-command"], 2, "No such command"),
    ],
)
def test_errors_have_their_exit_code_and_say_what(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.format(tmp=tmp_path) for word in words]) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err


def test_a_held_store_is_exit_4(store: str, log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    writer = StoreWriter(store)
    assert main(["replay", str(log), "--db", store]) == 4
    writer.close()
    assert f"pid {os.getpid()}" in capsys.readouterr().err


def test_an_unreadable_input_leaves_the_others_read(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(log), "/nowhere/x.log", "--db", str(tmp_path / "a.db"), "--json"]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["lines"] == 3_000
    assert "/nowhere/x.log: no such file" in captured.err


def test_a_closed_pipe_is_no_error(store: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = f"{sys.executable} -m livesec.cli.main export --db {store} | head -n 1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["run", "replay", "check", "detectors", "demo", "dashboard", "export", "evaluate", "status"]
)
def test_each_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "Example" in capsys.readouterr().out
