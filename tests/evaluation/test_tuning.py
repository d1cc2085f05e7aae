"""`livesec tune`: the budget is kept by thresholds, from history, and taken over as a layer of the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from livesec.cli.main import main
from livesec.core.clock import US_PER_DAY
from livesec.core.settings import load_settings
from livesec.evaluate.tuning import STRICTEST, STRICTNESSES, _chosen
from livesec.simulate.folder import write_logs
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World

START_US = 20_500 * US_PER_DAY


def falling(*rates: float) -> dict[int, float]:
    return dict(zip(STRICTNESSES, rates, strict=True))


def test_what_one_detector_leaves_of_the_budget_is_there_for_the_others() -> None:
    rates = {"loud": falling(9, 4, 2, 1, 0.5, 0.1), "quiet": falling(3, 0.5, 0.2, 0, 0, 0)}
    assert _chosen(rates, fixed=1.0, budget=3.5) == {"quiet": 0, "loud": 1}
    assert _chosen(rates, fixed=1.0, budget=8.0) == {"quiet": -1, "loud": 0}
    assert _chosen(rates, fixed=3.0, budget=2.0) == {"quiet": 2, "loud": STRICTEST}


def test_thresholds_from_history_keep_the_budget_and_are_taken_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = simulate(World(seed=3, users=40), START_US, 8.0, 0.5, [])
    write_logs(tmp_path, logs)
    paths = [str(path) for path in tmp_path.glob("*_logs.csv")]
    out = tmp_path / "tuned.toml"
    assert main(["tune", *paths, "--alerts-per-day", "0.4", "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["days"], result["quiet_days"], result["written"]) == (8, 5, str(out))
    assert result["alerts_per_day_tuned"] <= 0.4 < result["alerts_per_day"]
    tuned = [item for item in result["detectors"] if item["p_star"] is not None]
    assert any(item["p_star_tuned"] < item["p_star"] for item in tuned)
    loaded = load_settings(written=[out], environ={"": ""})
    assert loaded.detectors == {item["detector"]: {"p_star": item["p_star_tuned"]} for item in tuned}


def test_too_little_history_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_logs(tmp_path, simulate(World(seed=3, users=10), START_US, 2.0, 0.2, []))
    paths = [str(path) for path in tmp_path.glob("*_logs.csv")]
    assert main(["tune", *paths, "--out", str(tmp_path / "tuned.toml")]) == 2
    assert "at least 3 days of logs with events; there are 2" in capsys.readouterr().err
    assert not (tmp_path / "tuned.toml").exists()
    assert main(["tune", str(tmp_path / "missing.log")]) == 2
