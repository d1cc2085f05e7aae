"""`livesec evaluate --demo --explanations`: counts, and exit code 1 where something is said that nothing bears out."""

import json

import pytest

from livesec.cli.main import main
from livesec.evaluate import groundedness

SMALL = ("evaluate", "--demo", "--explanations", "--days", "1", "--users", "12")


def test_it_counts_what_it_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*SMALL, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["problems"] == []
    assert told["grounded"] == told["anomalies"] + told["incidents"] == told["with_both_values"]
    assert told["anomalies"] > 0


def test_a_problem_is_named_and_ends_with_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groundedness, "problems", lambda *_: ["record: figure 77"])
    assert main([*SMALL]) == 1
    said = capsys.readouterr()
    assert "0 say only what their lines and figures bear out" in said.out
    assert "record: figure 77" in said.err


def test_it_goes_with_a_demo_world_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--explanations", "--data", "/tmp"]) == 2
    assert "--demo" in capsys.readouterr().err
