"""`livesec suppress` and `livesec feedback`: what is written is what the settings take over, whatever the names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesec.cli.main import main
from livesec.core.settings import VERDICTS, load_settings
from livesec.simulate.sshd import sshd_lines


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the program that is not this checkout."""
    for module in ("verdicts", "context"):
        monkeypatch.setattr(f"livesec.cli.{module}.home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize("entity", ["ann", 'a"b\\', "x\n[[feedback]]\u007f\u2028\x1b[31m", "192.0.2.0/24"])
def test_a_suppression_goes_through_the_file_unchanged(
    home: Path, entity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--entity", entity, "--until", "2030-01-31", "--reason", "known"]
    assert main(["suppress", "add", "--detector", "bf_fast", *words]) == 0
    assert main(["suppress", "add", "--detector", "spray", "--reason", "a pilot", "--days", "3"]) == 0
    first, second = load_settings(written=[home / VERDICTS], environ={"": ""}).suppressions
    assert (first.detector, first.entity, str(first.until), first.reason) == ("bf_fast", entity, "2030-01-31", "known")
    assert (second.detector, second.entity) == ("spray", "*")
    capsys.readouterr()
    assert main(["suppress", "list"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert len(said.splitlines()) == 2
    assert main(["suppress", "remove", "1"]) == 0
    assert load_settings(written=[home / VERDICTS], environ={"": ""}).suppressions == (second,)
    assert main(["suppress", "remove", "2"]) == 2


def test_wrong_words_write_nothing(home: Path) -> None:
    for words in (
        ["--reason", "all"],
        ["--detector", "no_such", "--reason", "x"],
        ["--entity", "ann", "--reason", ""],
        ["--entity", "ann", "--reason", "x", "--days", "3", "--until", "2030-01-01"],
    ):
        assert main(["suppress", "add", *words]) == 2
    assert not (home / VERDICTS).exists()


def test_history_shows_what_a_suppression_would_have_silenced_and_feedback_halves(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, db = tmp_path / "auth.log", str(tmp_path / "run" / "livesec.db")
    log.write_bytes(sshd_lines(2_000, seed=5, attack_share=0.5, start_us=1_772_409_600_000_000))
    assert main(["replay", str(log), "--db", db]) == 0
    capsys.readouterr()
    assert main(["export", "--db", db]) == 0
    anomalies = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    fast = [item for item in anomalies if item["type"] == "bf_fast"]
    assert main(["suppress", "add", "--detector", "bf_fast", "--reason", "x", "--preview", "--db", db]) == 0
    assert f"It would have kept silent: {len(fast)} bf_fast; {len(fast)} of medium" in capsys.readouterr().out
    assert not (home / VERDICTS).exists()

    weights = []
    for verdict in ("benign", "benign", "real", "benign"):
        assert main(["feedback", fast[0]["id"], verdict, "--db", db]) == 0
        loaded = load_settings(written=[home / VERDICTS], environ={"": ""})
        weights.append([(item.detector, item.entity, item.weight) for item in loaded.feedback])
    about = ("bf_fast", fast[0]["entity"])
    assert weights == [[(*about, 0.5)], [(*about, 0.25)], [], [(*about, 0.5)]]
    assert main(["feedback", "0000000000000000", "benign", "--db", db]) == 2
