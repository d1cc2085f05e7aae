"""The labelled real logs: attacking addresses found, no benign address flagged, every file replayed.

The data are not part of this repository. They are looked for where LIVESEC_EVAL_DATA says, else in `shared/data` beside
the checkout; without them these tests are skipped.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from livesec.cli.main import main
from livesec.core.settings import load_settings
from livesec.evaluate.auth_sets import read_labels
from livesec.evaluate.run import replayed

DATA = Path(os.environ.get("LIVESEC_EVAL_DATA") or Path(__file__).parents[3] / "shared" / "data")

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no labelled data: set LIVESEC_EVAL_DATA, or put it in shared/data beside the checkout"
)


def flagged(name: str, folder: Path) -> set[str]:
    """Addresses named by an anomaly of medium or higher in a replay of an auth log."""
    anomalies = replayed(
        load_settings(environ={"": ""}), [str(DATA / "auth" / f"{name}.log")], folder, lambda _share, _lines: None
    )
    return {item["src_ip"] for item in anomalies if item["severity"] != "low" and item["src_ip"] is not None}


@pytest.mark.parametrize("name", ["elastic_auth", "secrepo_auth_head"])
def test_nine_of_ten_attacking_addresses_are_found_and_no_benign_one_is_flagged(name: str, tmp_path: Path) -> None:
    labels = read_labels(DATA / "auth" / f"{name}.labels.ips.csv")
    attacks = {address for address, label in labels.items() if label.startswith("attack")}
    benign = {address for address, label in labels.items() if label == "benign"}
    found = flagged(name, tmp_path)
    assert len(found & attacks) / len(attacks) >= 0.90
    assert found & benign == set()


def test_every_log_replays_and_every_line_is_accounted_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = sorted(
        path
        for folder in ("auth", "crowdsec_hub", "zeek_apt29_day1", "zeek_wrccdc", "windows_logon")
        for path in (DATA / folder).rglob("*")
        if path.suffix in (".log", ".gz", ".jsonl") and path.name != "labels.jsonl"
    )
    assert logs
    for number, path in enumerate(logs):
        assert main(["replay", str(path), "--db", str(tmp_path / f"{number}.db"), "--json"]) == 0, path
        report: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert report["lines"] == report["consumed"] + report["skipped"] + report["rejects"], path
