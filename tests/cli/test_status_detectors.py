"""What `livesec status` says of the detectors: what they know, and what they raise against the budget."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from livesec.cli.main import main
from livesec.pipeline.assembly import correlator_classes, detector_classes
from livesec.simulate.folder import write_logs
from livesec.simulate.timeline import simulate
from livesec.simulate.world import World

START_US = 20_500 * 86_400_000_000  # a Sunday
NAMES = ("login_logs.csv", "network_logs.csv", "file_transfer_logs.csv")
STATISTICAL = {name for name, kind in detector_classes().items() if kind.statistical}
NEED_NO_HISTORY = {
    "impossible_travel",  # two logins are its history
    "large_file_transfer",  # before that by a fixed size, as a rule
    "potential_data_exfiltration",
    "sensitive_file_access",
}


def _replayed(folder: Path, days: float) -> str:
    """A store of so many quiet days of a small demo world."""
    write_logs(folder, simulate(World(seed=3, users=12), START_US, days, 1.0, ()))
    for name in NAMES:
        os.utime(folder / name, (START_US / 1e6 + days * 86_400,) * 2)
    db = str(folder / "livesec.db")
    assert main(["replay", *(str(folder / name) for name in NAMES), "--db", db]) == 0
    return db


@pytest.fixture(scope="module")
def a_day(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _replayed(tmp_path_factory.mktemp("day"), 1.0)


@pytest.fixture(scope="module")
def two_weeks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _replayed(tmp_path_factory.mktemp("weeks"), 14.0)


def _status(db: str, capsys: pytest.CaptureFixture[str]) -> Any:
    capsys.readouterr()
    assert main(["status", "--db", db, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_new_installation_raises_only_what_needs_no_history(a_day: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = _status(a_day, capsys)
    loud = {name for name, item in record["detectors"].items() if item["findings"]}
    assert loud & STATISTICAL <= NEED_NO_HISTORY
    raised = {name: item["realised_per_day"] for name, item in record["alerts_by_detector"].items()}
    assert sum(rate for name, rate in raised.items() if name in STATISTICAL) <= 1.0


def test_what_learns_says_so_and_later_works(a_day: str, two_weeks: str, capsys: pytest.CaptureFixture[str]) -> None:
    early, late = _status(a_day, capsys)["detectors"], _status(two_weeks, capsys)["detectors"]
    assert early["first_source"]["maturity"] == "learning"
    assert (early["first_source"]["mature_entities"], early["first_source"]["mature_share"]) == (0, 0.0)
    assert early["first_source"]["known_entities"] == early["first_source"]["entities"] > 10
    assert late["first_source"]["maturity"] == "working"
    assert 0 < late["first_source"]["mature_entities"] <= late["first_source"]["known_entities"]
    assert early["bf_fast"]["mature_share"] in (None, 1.0)  # a rule asks for no history
    for item in [*early.values(), *late.values()]:
        assert item["mature_share"] is None or 0.0 <= item["mature_share"] <= 1.0


def test_alerts_of_all_detectors_add_up(two_weeks: str, capsys: pytest.CaptureFixture[str]) -> None:
    record = _status(two_weeks, capsys)
    shares = record["alerts_by_detector"]
    assert set(shares) <= {*detector_classes(), *correlator_classes()}
    assert sum(item["realised_per_day"] for item in shares.values()) == pytest.approx(
        record["alerts_realised_per_day"], abs=0.05
    )
    assert sum(item["budget_per_day"] for item in shares.values()) == pytest.approx(
        record["alerts_budget_per_day"], abs=0.05
    )


def test_the_text_names_what_still_learns(a_day: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--db", a_day]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"^detectors  \d+ of \d+ judge$", shown, re.MULTILINE)
    assert re.search(r"^  learning: first_source, 0 of \d+ entities have enough history$", shown, re.MULTILINE)
    assert re.search(r"^  no row had what they need: .*ids_alert", shown, re.MULTILINE)
