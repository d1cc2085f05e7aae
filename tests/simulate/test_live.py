"""The live feed: the promised rate, the same traffic in finer rows, labels for what was written."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import numpy as np
import polars as pl
import pytest

from livesec.core.errors import UsageError
from livesec.core.schema import LogType
from livesec.simulate import DemoFolder, Strength, World
from livesec.simulate.frames import rows
from livesec.simulate.live import LiveFeed, split_rows
from livesec.simulate.player import play_live
from livesec.simulate.schedule import PlayedCampaign

MORNING_US = 1_762_160_400_000_000  # Monday 2025-11-03 09:00:00 UTC
SECOND_US = 1_000_000
WORLD = World(seed=1)


def feed_of(rate_per_s: float = 5.0, campaigns: tuple[str, ...] = (), start_us: int = MORNING_US) -> LiveFeed:
    return LiveFeed(
        WORLD,
        start_us,
        rate_per_s=rate_per_s,
        campaigns=campaigns,
        campaign_every_min=2,
        strength=Strength.STRONG,
    )


@pytest.mark.parametrize("rate_per_s", [0.1, 5.0, 40.0])
def test_a_quarter_of_an_hour_has_about_the_promised_number_of_events(rate_per_s: float) -> None:
    logs, _ = feed_of(rate_per_s).take(MORNING_US + 900 * SECOND_US)
    assert logs.events == pytest.approx(900 * rate_per_s, rel=0.35)


def test_a_faster_feed_has_finer_rows_of_the_same_traffic() -> None:
    coarse, _ = feed_of(0.5).take(MORNING_US + 3600 * SECOND_US)
    fine, _ = feed_of(5.0).take(MORNING_US + 3600 * SECOND_US)
    assert fine.login.height < 3 * coarse.login.height
    assert fine.network.height > 8 * coarse.network.height


def test_splitting_keeps_bytes_sources_and_the_window() -> None:
    random = np.random.default_rng(1)
    times = MORNING_US + np.arange(50, dtype=np.int64) * SECOND_US
    whole = rows(
        LogType.NETWORK,
        times,
        source_ip="10.20.0.20",
        dest_ip="192.0.2.7",
        port=443,
        protocol="TCP",
        bytes_sent=np.full(50, 1_000_000),
        bytes_received=np.full(50, 40_000),
        connections=20,
    )
    end_us = MORNING_US + 3600 * SECOND_US
    parts = split_rows(whole, 1_000, MORNING_US, end_us, random)
    assert 800 < parts.height < 1_200
    assert parts["bytes_sent"].sum() == pytest.approx(50_000_000, rel=0.01)
    assert parts["timestamp"].min() >= MORNING_US  # type: ignore[operator]  # whole numbers
    assert parts["timestamp"].max() < end_us  # type: ignore[operator]
    assert parts["source_ip"].unique().to_list() == ["10.20.0.20"]


def test_the_cut_into_takes_does_not_change_the_events() -> None:
    end_us = MORNING_US + 300 * SECOND_US
    whole, _ = feed_of(campaigns=("scan",)).take(end_us)
    feed = feed_of(campaigns=("scan",))
    parts = [feed.take(at_us)[0] for at_us in range(MORNING_US, end_us + 1, 1_700_000)]
    parts.append(feed.take(end_us)[0])
    joined = pl.concat([part.network for part in parts])
    assert joined.sort(joined.columns).equals(whole.network.sort(joined.columns))
    assert joined["timestamp"].is_sorted()


def test_campaigns_come_in_turn_and_are_labelled_when_they_end() -> None:
    feed = feed_of(campaigns=("scan", "mass_rename"))
    logs, started = feed.take(MORNING_US + 30 * SECOND_US)
    assert started == []
    logs, started = feed.take(MORNING_US + 50 * SECOND_US)
    assert [one.order.strength for one in started] == [Strength.STRONG]
    assert logs.labels.height == 0
    logs, more = feed.take(MORNING_US + 900 * SECOND_US)
    names = [one.order.name for one in started + more]
    assert sorted(names[:2]) == ["mass_rename", "scan"]
    labelled = pl.concat([logs.labels, feed.close().labels])
    assert labelled["campaign_id"].unique().sort().to_list() == sorted(one.campaign_id for one in started + more)


def test_a_campaign_cut_short_is_labelled_with_what_was_written() -> None:
    feed = feed_of(campaigns=("brute_force",))
    logs, _ = feed.take(MORNING_US + 105 * SECOND_US)
    (label,) = feed.close().labels.rows(named=True)
    written = logs.login.filter((pl.col("ip_address") == label["src_ip"]) & (pl.col("username") == label["user"]))
    assert label["stage"] == "guessing"
    assert 10 < label["events"] == written.height < 600
    assert label["end"] == written["timestamp"].max()
    assert feed.close().labels.height == 0


def test_the_feed_goes_on_at_the_next_hour_and_the_next_day() -> None:
    before_midnight_us = MORNING_US + 15 * 3_600_000_000 - 60 * SECOND_US
    logs, _ = feed_of(start_us=before_midnight_us).take(before_midnight_us + 120 * SECOND_US)
    minutes = logs.network["timestamp"].dt.minute().unique().sort().to_list()
    assert minutes == [0, 59]


def test_a_player_writes_until_its_end_and_stops_when_told(tmp_path: Path) -> None:
    heard: list[int] = []
    clock = iter(range(MORNING_US, MORNING_US + 100 * SECOND_US, 20 * SECOND_US))

    def hear(written: int, started: list[PlayedCampaign]) -> None:
        heard.append(written)

    folder = DemoFolder(tmp_path)
    until_us = MORNING_US + 50 * SECOND_US
    written = play_live(feed_of(), folder, Event(), until_us, hear, clock=lambda: next(clock))
    lines = sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("*.csv"))
    assert lines == written + len(list(tmp_path.glob("*.csv")))
    assert len(heard) == 4
    stopped = Event()
    stopped.set()
    assert play_live(feed_of(), folder, stopped, None, hear) == 0


def test_rates_must_be_positive() -> None:
    with pytest.raises(UsageError, match="must be above 0"):
        feed_of(rate_per_s=0)
