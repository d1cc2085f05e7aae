"""`livesec demo` as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from livesec.cli.demo import app

END = "2025-11-10 18:00:00"


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def small_batch(folder: Path, *more: str) -> tuple[int, str, str]:
    return run("batch", "--days", "1", "--users", "12", "--end", END, "--out", str(folder), *more)


def test_batch_writes_the_files_and_says_what(tmp_path: Path) -> None:
    code, out, err = small_batch(tmp_path)
    assert (code, err) == (0, "")
    assert "login_logs.csv: " in out
    assert "of 12 users and 11 campaigns, 2025-11-09 18:00 to 2025-11-10 18:00 UTC" in out
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8").startswith("campaign_id,campaign,strength,stage,")
    code, out, _ = small_batch(tmp_path)
    assert out.count("in place of the demo's earlier file") == 4


def test_batch_json_is_alone_on_stdout(tmp_path: Path) -> None:
    code, out, _ = small_batch(tmp_path, "--json", "--campaign", "none", "--seed", "5")
    summary = json.loads(out)
    assert code == 0
    assert summary["campaigns"] == 0
    assert summary["seed"] == 5
    assert summary["events"] == sum(summary["rows"].values())
    assert summary["end"] == "2025-11-10T18:00:00+00:00"


def test_batch_plays_the_campaigns_asked_for(tmp_path: Path) -> None:
    small_batch(tmp_path, "--campaign", "scan", "--campaign", "flood", "--strength", "strong")
    labels = (tmp_path / "labels.csv").read_text(encoding="utf-8")
    assert {line.split(",")[1] for line in labels.splitlines()[1:]} == {"scan", "flood"}
    assert {line.split(",")[2] for line in labels.splitlines()[1:]} == {"strong"}
    _, out, _ = small_batch(tmp_path, "--strength", "weak", "--json")
    assert json.loads(out)["campaigns"] == 9


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--campaign", "worm"], 2, "campaign 'worm' does not exist"),
        (["--campaign", "none", "--campaign", "scan"], 2, "none cannot go with other campaigns"),
        (["--users", "1"], 2, "users: 1 is outside"),
        (["--days", "0"], 2, "days: 0.0 is not positive"),
        (["--end", "yesterday"], 2, "--end 'yesterday' is not a time"),
    ],
)
def test_wrong_words_end_with_one_line_and_code_two(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    result = run("batch", "--out", str(tmp_path), *arguments)
    assert result[0] == code
    assert said in result[2]
    assert result[2].count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_file_ends_with_code_one(tmp_path: Path) -> None:
    (tmp_path / "network_logs.csv").write_bytes(b"mine\n")
    code, out, err = small_batch(tmp_path)
    assert (code, out) == (1, "")
    assert "network_logs.csv: the demo did not make this file" in err
    code, _, err = run("continuous", "0.05", "--rate", "60", "--out", str(tmp_path))
    assert code == 1
    assert "network_logs.csv: the demo did not make this file" in err
    assert (tmp_path / "network_logs.csv").read_bytes() == b"mine\n"


def test_list_names_every_campaign() -> None:
    code, out, _ = run("list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[:9]] == [
        "brute_force",
        "password_spray",
        "impossible_travel",
        "scan",
        "beacon",
        "flood",
        "insider_night",
        "slow_drip",
        "mass_rename",
    ]
    assert json.loads(run("list", "--json")[1])[3]["name"] == "scan"


def test_continuous_goes_on_with_the_world_of_the_history(tmp_path: Path) -> None:
    small_batch(tmp_path, "--seed", "9")
    before = (tmp_path / "network_logs.csv").read_bytes()
    code, out, _ = run("continuous", "0.03", "--rate", "30", "--out", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(out)["events"] >= 1
    after = (tmp_path / "network_logs.csv").read_bytes()
    assert after.startswith(before)
    manifest = json.loads((tmp_path / ".livesec-demo.json").read_text(encoding="utf-8"))
    assert (manifest["seed"], manifest["users"]) == (9, 12)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_continuous_cleanly_with_whole_lines(tmp_path: Path, number: signal.Signals) -> None:
    program = "from livesec.cli.demo import app; app()"
    arguments = ["continuous", "--rate", "60", "--users", "12", "--out", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        deadline = time.monotonic() + 30
        while not (tmp_path / "network_logs.csv").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert b"events appended to the logs" in out
    lines = (tmp_path / "network_logs.csv").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") and line.count(b",") == 7 for line in lines)
