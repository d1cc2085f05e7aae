"""`livesec replay --compare`: what other settings would have found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesec.cli.main import main
from livesec.simulate.sshd import sshd_lines


@pytest.fixture(scope="module")
def log_and_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A log, and the store of a replay of it."""
    folder = tmp_path_factory.mktemp("compare")
    log, run = folder / "auth.log", folder / "run" / "livesec.db"
    log.write_bytes(sshd_lines(3_000, seed=5, attack_share=0.5, start_us=1_772_409_600_000_000))
    assert main(["replay", str(log), "--db", str(run)]) == 0
    return log, run


def test_what_appears_and_vanishes_under_other_settings(
    log_and_run: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    log, run = log_and_run
    words = ["replay", str(log), "--compare", str(run), "--set", "bf_slow.attempts=7", "--set", "severity_high=4.5"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["compared"]
    assert {item["type"] for item in found["vanished"]} == {item["type"] for item in found["appeared"]} == {"bf_slow"}
    assert "bf_fast" in {item["type"] for item in found["louder"]}
    assert found["quieter"] == []
    assert found["kept"] > 0
    assert main(words) == 0
    said = capsys.readouterr().out
    assert f"appeared: {len(found['appeared'])} ({len(found['appeared'])} bf_slow)" in said
    assert found["louder"][0]["description"] in said


def test_the_same_settings_change_nothing(
    log_and_run: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, run = log_and_run
    kept = tmp_path / "again.db"
    assert main(["replay", str(log), "--compare", str(run), "--db", str(kept), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["compared"] == {
        "appeared": [], "vanished": [], "louder": [], "quieter": [], "kept": result["anomalies"]
    }  # fmt: skip
    assert kept.is_file()


def test_a_run_that_is_not_there_is_named(log_and_run: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(log_and_run[0]), "--compare", "no/such.db"]) == 2
    assert "--compare no/such.db: no such store" in capsys.readouterr().err
