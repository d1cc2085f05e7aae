"""Bad input to `replay` and `check`: a clear error or counted rejects, and the good file is read all the same."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.bad_inputs import (
    ATTACKER,
    ATTEMPTS,
    binary_file,
    good_log,
    headless_csv,
    huge_line,
    unknown_format,
)
from tests.e2e.command import Record, exported, livesec
from tests.e2e.unprivileged import UNPRIVILEGED

pytestmark = pytest.mark.e2e

Maker = Callable[[Path], Path]


def _replayed(folder: Path, *paths: Path, code: int = 0) -> tuple[Record, str]:
    done = livesec("replay", *paths, "--db", folder / "livesec.db", "--json", before=UNPRIVILEGED)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    report: Record = json.loads(done.stdout)
    assert report["lines"] == report["consumed"] + report["skipped"] + report["rejects"]
    return report, done.stderr


def _guessers(folder: Path) -> set[str]:
    return {item["src_ip"] for item in exported(folder / "livesec.db") if item["type"] == "bf_fast"}


@pytest.mark.parametrize("make", [binary_file, headless_csv, unknown_format])
def test_lines_of_no_format_are_counted_rejects(tmp_path: Path, make: Maker) -> None:
    bad = make(tmp_path)
    lines = bad.read_bytes().removesuffix(b"\n").split(b"\n")
    report, _ = _replayed(tmp_path, bad, good_log(tmp_path))
    assert report["lines"] == len(lines) + ATTEMPTS
    assert report["rejects"] == sum(line not in (b"", b"\r") for line in lines)  # an empty line is skipped
    assert _guessers(tmp_path) == {ATTACKER}
    rejects = exported(tmp_path / "livesec.db", "rejects")
    assert rejects[0]["path"] == str(bad) and rejects[0]["offset"] == 0 and rejects[0]["reason"]


def test_a_line_of_100_mb_is_one_reject_in_bounded_memory(tmp_path: Path) -> None:
    report, _ = _replayed(tmp_path, huge_line(tmp_path), good_log(tmp_path))
    assert (report["lines"], report["rejects"]) == (1 + 2 * ATTEMPTS, 1)
    assert report["peak_rss_mb"] <= 450
    assert _guessers(tmp_path) == {ATTACKER, "192.0.2.77"}


def test_an_unreadable_file_is_named_with_its_cure_and_the_others_are_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("x\n")
    secret.chmod(0)
    _, errors = _replayed(tmp_path, secret, good_log(tmp_path), code=3)
    assert str(secret) in errors and "ermission denied" in errors
    assert _guessers(tmp_path) == {ATTACKER}


def test_a_missing_path_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    _, errors = _replayed(tmp_path, tmp_path / "missing.log", good_log(tmp_path), code=3)
    assert f"{tmp_path / 'missing.log'}: no such file" in errors
    assert _guessers(tmp_path) == {ATTACKER}


def test_a_folder_means_the_logs_in_it(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    (logs / "subfolder.log").mkdir(parents=True)
    good_log(logs)
    report, _ = _replayed(tmp_path, logs)
    assert report["lines"] == ATTEMPTS
    assert _guessers(tmp_path) == {ATTACKER}


def test_a_torn_gz_is_named_and_what_stands_before_the_tear_is_read(tmp_path: Path) -> None:
    torn = tmp_path / "auth.log.1.gz"
    whole = gzip.compress((good_log(tmp_path).read_text() * 2_000).encode())
    torn.write_bytes(whole[: len(whole) // 2])
    report, errors = _replayed(tmp_path, torn, code=3)
    assert str(torn) in errors and "unreadable after byte" in errors
    assert report["rejects"] <= 1


def test_check_says_of_each_bad_file_what_is_wrong_with_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("x\n")
    secret.chmod(0)
    makers: tuple[Maker, ...] = (binary_file, headless_csv, unknown_format, huge_line, good_log)
    paths = [make(tmp_path) for make in makers]
    done = livesec("check", *paths, secret, "--json", before=UNPRIVILEGED)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert str(secret) in done.stderr and "chmod" in done.stderr + " chmod setfacl"  # a command that cures it
    records = {Path(record["path"]).name: record for record in json.loads(done.stdout)}
    for name in ("program.bin", "login_logs.csv", "arena.log"):
        assert records[name]["format"] is None, name
        assert records[name]["events"] == 0
        assert records[name]["rejects"][0]["offset"] == 0
    assert records["auth.log"]["format"] == "openssh"
    assert (records["huge.log"]["lines"], records["huge.log"]["events"]) == (1 + ATTEMPTS, ATTEMPTS)
