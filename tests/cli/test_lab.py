"""`livesec lab train`: from packets to a model that a replay runs with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livesec.cli.main import main
from livesec.detectors.network import behavioural_anomaly
from livesec.models.forest_file import load
from livesec.simulate.packets import ordinary_packets


def _packet_log(path: Path, packets: pl.DataFrame) -> Path:
    path.write_text(packets.write_ndjson())
    os.utime(path, (1_772_409_600, 1_772_409_600))
    return path


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(list(words)) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_a_model_of_simulated_packets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "models" / "forest.npz"
    record = _json(capsys, "lab", "train", "--model", "packet_forest", "--out", str(path), "--json")
    assert (record["samples"], record["trained_on"]) == (1000, "1,000 simulated packets")
    assert record["tail"]["scores"] == 10_000
    assert load(path).offset == record["offset"]


def test_a_model_of_logs_finds_what_is_odd_in_the_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = _packet_log(tmp_path / "packets.jsonl", ordinary_packets(4_000, 5))
    path = str(tmp_path / "forest.npz")
    words = ("lab", "train", "--model", "packet_forest", "--data", str(log), "--samples", "800", "--out", path)
    assert main([*words]) == 0
    said = capsys.readouterr().out
    assert f"Trained on 800 of 4,000 packets in {log}" in said and f"Written: {path}" in said
    assert load(Path(path)).tail.scores == 3_200
    odd = pl.DataFrame(
        {"src_port": [6666], "dst_port": [9999], "packet_size": [1500], "duration_ms": [3000.0], "protocol": ["UDP"]}
    )
    later = _packet_log(tmp_path / "later.jsonl", pl.concat([ordinary_packets(2_000, 6), *[odd] * 5]))
    db = str(tmp_path / "a.db")
    assert main(["replay", str(later), "--db", db, "--set", f"packet_forest={path}"]) == 0
    capsys.readouterr()
    assert main(["export", "--db", db, "--format", "jsonl"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    odd_ones = [item for item in found if item["type"] == "behavioural_anomaly"]
    assert [item["entity"] for item in odd_ones] == ["9999|udp"]


def test_several_logs_as_a_shell_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs = [str(_packet_log(tmp_path / f"{number}.jsonl", ordinary_packets(150, number))) for number in (1, 2)]
    words = ("lab", "train", "--model", "packet_forest", "--out", str(tmp_path / "forest.npz"), "--json")
    record = _json(capsys, *words, "--data", *logs)
    assert (record["samples"], record["trained_on"]) == (300, f"300 of 300 packets in {', '.join(logs)}")
    assert _json(capsys, *words, *logs) == record


def test_few_packets_are_their_own_measure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = _packet_log(tmp_path / "packets.jsonl", ordinary_packets(250, 5))
    words = ("lab", "train", "--model", "packet_forest", "--data", str(log), "--out", str(tmp_path / "forest.npz"))
    assert _json(capsys, *words, "--json")["tail"]["scores"] == 250


@pytest.mark.parametrize(
    ("words", "exit_code", "says"),
    [
        (("--model", "packet_forest", "--samples", "10"), 2, "--samples 10: from 200 to 1,000,000"),
        (("--model", "packet_forest", "--data", "/nowhere/x.log"), 3, "/nowhere/x.log: no such file"),
        (("--model", "packet_forest", "--set", "packet_forest=[]"), 2, "packet_forest (--set)"),
        (("--model", "other"), 2, "packet_forest"),
    ],
)
def test_what_cannot_be_trained(
    words: tuple[str, ...], exit_code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "train", *words]) == exit_code
    assert says in capsys.readouterr().err


def test_too_few_packets_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = _packet_log(tmp_path / "packets.jsonl", ordinary_packets(199, 5))
    out = tmp_path / "forest.npz"
    assert main(["lab", "train", "--model", "packet_forest", "--data", str(log), "--out", str(out)]) == 2
    assert "199 single packets" in capsys.readouterr().err
    assert not out.exists()


def test_detectors_say_that_it_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(behavioural_anomaly, "home", lambda: tmp_path)  # where nobody has trained one
    assert main(["detectors"]) == 0
    assert "behavioural_anomaly is off: there is no data/packet_forest.npz" in capsys.readouterr().out
