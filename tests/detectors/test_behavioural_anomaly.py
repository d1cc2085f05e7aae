"""The detector without its model, with a wrong one, and with a trained one."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.detectors.fixture import MONDAY_US, judge, judge_batches, numbered
from tests.detectors.test_contract import _same_over_shards as same_over_shards
from tests.detectors.test_contract import _same_whatever_the_cut as same_whatever_the_cut
from tests.models.made import trained

from livesec.core.errors import SettingsError
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.settings import Settings
from livesec.detectors.network.behavioural_anomaly import BehaviouralAnomaly, Params
from livesec.models.forest_file import save
from livesec.pipeline.assembly import assemble
from livesec.simulate.packets import ordinary_packets


def _rows(packets: pl.DataFrame) -> Rows:
    times_us = pl.int_range(packets.height, eager=True) * 100_000 + MONDAY_US
    frame = packets.select(
        "src_port",
        "dst_port",
        pl.col("protocol").str.to_lowercase(),
        pl.col("packet_size").alias("bytes_out"),
        (pl.col("duration_ms") / 1000).alias("duration_s"),
        pl.lit(1).alias("packets_out"),
        times_us.alias("stream_time_us"),
        times_us.alias("event_time_us"),
    )
    return numbered(frame, LogType.NETWORK)


def test_without_a_model_it_is_off_and_says_so() -> None:
    parts = assemble(Settings(packet_forest=None))
    assert "behavioural_anomaly" not in [detector.name for detector in parts.detectors]
    assert parts.off == {"behavioural_anomaly": "packet_forest is None in the settings"}


def test_a_model_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"other\.npz: cannot be read \(No such file or directory\)"):
        assemble(Settings(packet_forest=str(tmp_path / "other.npz")))


def test_a_trained_model_is_quiet_on_what_it_knows_and_finds_what_it_does_not(tmp_path: Path) -> None:
    save(trained(), tmp_path / "forest.npz")
    parts = assemble(Settings(packet_forest=str(tmp_path / "forest.npz")))
    detector = next(detector for detector in parts.detectors if detector.name == "behavioural_anomaly")
    assert parts.off == {}
    assert judge(detector, detector.initial(), _rows(ordinary_packets(50_000, 77))) == []
    odd = pl.DataFrame(
        {"src_port": [6666], "dst_port": [9999], "packet_size": [1500], "duration_ms": [3000.0], "protocol": ["UDP"]}
    )
    found = judge(detector, detector.initial(), _rows(pl.concat([ordinary_packets(100, 78), *[odd] * 20])))
    assert [position for _, _, position in found] == [104, 119]
    assert found[0][1]["packets"] == 5


def test_findings_depend_on_the_order_of_packets_alone(tmp_path: Path) -> None:
    save(trained(), tmp_path / "forest.npz")
    params = Params(model=str(tmp_path / "forest.npz"), report_p=0.02, repeats=1, quiet_s=60.0)
    rows = _rows(ordinary_packets(3_000, 80))
    sources = pl.Series([["192.0.2.1", None, "192.0.2.2"][number % 3] for number in range(len(rows))])
    rows = Rows(LogType.NETWORK, rows.frame.with_columns(src_ip=sources))
    whole = judge_batches(BehaviouralAnomaly(params), [rows])
    assert len(whole) > 5
    same_whatever_the_cut(lambda: BehaviouralAnomaly(params), rows, seed=1, expires=True)
    same_over_shards(lambda: BehaviouralAnomaly(params), rows, seed=2)


def test_the_seed_calls_a_tenth_of_all_packets_odd(tmp_path: Path) -> None:
    save(trained(), tmp_path / "forest.npz")
    detector = BehaviouralAnomaly(Params(model=str(tmp_path / "forest.npz")), seed_mode=True)
    found = judge(detector, detector.initial(), _rows(ordinary_packets(10_000, 79)))
    assert 0.08 < len(found) / 10_000 < 0.12
