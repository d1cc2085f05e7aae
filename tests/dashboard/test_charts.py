"""Charts: the same specification whatever the data, few points, honest ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from tests.dashboard.invented_anomalies import HOUR_US, MINUTE_US
from tests.dashboard.invented_store import make_store

from livesec.dashboard.chart_data import ChartData, chart_data, severity_frame, time_frame, time_text, type_frame
from livesec.dashboard.charts import Drawn
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.overview_numbers import rate_of
from livesec.dashboard.sparkline import sparkline
from livesec.store.activity_queries import MAX_POINTS, Bucket, TypeCount
from livesec.store.anomaly_queries import AnomalyFilter
from livesec.store.reader import StoreReader

NOW_US = 1_772_452_800_000_000  # 2026-03-02 12:00:00 UTC

SMALL = ChartData(
    since_us=0,
    until_us=4 * HOUR_US,
    width_us=HOUR_US,
    buckets=[Bucket(HOUR_US, "critical", 2), Bucket(HOUR_US, "low", 1)],
    severities={"low": 1, "medium": 0, "high": 0, "critical": 2},
    types=[TypeCount("bf_fast", "critical", 2), TypeCount("scan", "low", 1)],
    outside=0,
)
OTHER = ChartData(
    since_us=HOUR_US,
    until_us=9 * HOUR_US,
    width_us=HOUR_US,
    buckets=[],
    severities={"low": 0, "medium": 7, "high": 0, "critical": 0},
    types=[TypeCount("<b>x", "medium", 7)],
    outside=7,
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    make_store(tmp_path / "desk.db", NOW_US)
    reader = StoreReader(str(tmp_path / "desk.db"))
    yield Desk("desk.db", reader, reader.pulse(), NOW_US, NOW_US)
    reader.close()


def specification(chart: alt.Chart | alt.LayerChart) -> str:
    """The chart without its data and their generated names."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(item) for key, item in value.items() if key not in ("data", "datasets")}
        return [bare(item) for item in value] if isinstance(value, list) else value

    return json.dumps(bare(chart.to_dict()), sort_keys=True)


def test_a_charts_specification_does_not_depend_on_its_data() -> None:
    first, second = Drawn.of(SMALL, "dark"), Drawn.of(OTHER, "dark")
    assert specification(first.over_time) == specification(second.over_time)
    assert specification(first.by_severity) == specification(second.by_severity)
    assert specification(first.by_type) == specification(second.by_type)
    assert specification(first.over_time) != specification(Drawn.of(SMALL, "light").over_time)
    assert specification(sparkline((1, 2), "#fff", bars=True)) == specification(sparkline((5, 0), "#fff", bars=True))


def test_the_ends_of_the_time_axis_are_always_there() -> None:
    starts = time_frame(SMALL)["start"].dt.epoch("us").to_list()
    assert (min(starts), max(starts)) == (0, 3 * HOUR_US)
    assert time_frame(SMALL)["anomalies"].sum() == 3
    assert time_frame(OTHER)["anomalies"].to_list() == [0, 0]


def test_frames_have_a_row_for_each_mark() -> None:
    assert severity_frame(SMALL)["anomalies"].to_list() == [2, 0, 0, 1]
    assert type_frame(SMALL)["total"].to_list() == [2, 1]
    assert type_frame(SMALL)["mark"].n_unique() == 2


def test_a_week_fits_into_few_points(desk: Desk) -> None:
    data = chart_data(desk, AnomalyFilter())
    assert data is not None
    assert len(data.buckets) <= MAX_POINTS
    assert sum(bucket.anomalies for bucket in data.buckets) + data.outside == 68
    assert (data.outside, data.width_us) == (0, 3 * HOUR_US)
    assert chart_data(desk, AnomalyFilter(text="no such thing")) is None


def test_the_time_chart_is_also_said_in_words() -> None:
    assert time_text(SMALL) == "3 anomalies since 1970-01-01 00:00 UTC; most, 3, within 1 h from 1970-01-01 01:00."
    assert "7 with a time outside this range are not drawn" in time_text(OTHER)


def test_a_rate_is_of_the_running_minute_and_the_one_before() -> None:
    counts = {0: 30, MINUTE_US: 10}
    now = rate_of(counts, MINUTE_US + 20_000_000)
    assert now.per_minute == 40 * 60 / 80
    assert now.minutes[-1] == 30
    assert len(now.minutes) == 60
    assert rate_of({}, MINUTE_US).per_minute == 0
