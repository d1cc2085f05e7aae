"""The attacks: labels name what is there, strengths are what their names promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import polars as pl
import pytest

from livesec.core.errors import UsageError
from livesec.core.schema import LogType
from livesec.simulate import CAMPAIGNS, CampaignOrder, SimulatedLogs, Strength, World, every_order, simulate
from livesec.simulate.places import DISTANCE_KM, PLACE_NAMES
from livesec.simulate.schedule import play

MONDAY_US = 1_762_128_000_000_000  # 2025-11-03 00:00:00 UTC
NOON_US = MONDAY_US + 12 * 3_600_000_000
WORLD = World(seed=1)


@dataclass(frozen=True)
class Label:
    campaign_id: str
    campaign: str
    strength: str
    stage: str
    log_type: str
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    start: datetime
    end: datetime
    events: int


def number(value: object) -> float:
    """An aggregate of numbers, whose type polars leaves open."""
    assert isinstance(value, int | float)
    return float(value)


# The column of each log that holds each part of an entity.
ENTITY = {
    "login": {"user": "username", "src_ip": "ip_address"},
    "network": {"src_ip": "source_ip", "dst_ip": "dest_ip"},
    "file_transfer": {"user": "username"},
}


@lru_cache(maxsize=1)
def attacked() -> SimulatedLogs:
    return simulate(WORLD, MONDAY_US, days=14, campaigns=every_order())


def rows_of(label: Label) -> pl.DataFrame:
    """The rows of the logs that carry a label's entity in its time."""
    frame = attacked().of(LogType(label.log_type))
    frame = frame.filter(pl.col("timestamp").is_between(label.start, label.end))
    for part, column in ENTITY[label.log_type].items():
        named: str | None = getattr(label, part)
        if named is not None:
            frame = frame.filter(pl.col(column) == named)
    return frame


def label_of(campaign: str, strength: str, stage: str) -> Label:
    labels = attacked().labels.filter(
        (pl.col("campaign") == campaign) & (pl.col("strength") == strength) & (pl.col("stage") == stage)
    )
    return Label(**labels.row(0, named=True))


def test_every_campaign_leaves_labels_in_every_strength() -> None:
    found = attacked().labels.select("campaign", "strength").unique().rows()
    assert sorted(found) == sorted((name, strength.value) for name in CAMPAIGNS for strength in Strength)


def test_labels_name_events_that_are_in_the_logs() -> None:
    for label in (Label(**row) for row in attacked().labels.rows(named=True)):
        assert label.user or label.src_ip or label.dst_ip
        rows = rows_of(label)
        assert rows.height >= label.events > 0, label
        assert rows["timestamp"].min() == label.start, label
        assert rows["timestamp"].max() == label.end, label


@pytest.mark.parametrize(("strength", "failures"), [("weak", 7), ("medium", 45), ("strong", 600)])
def test_brute_force_fails_as_often_as_labelled_before_it_succeeds(strength: str, failures: int) -> None:
    guessing = label_of("brute_force", strength, "guessing")
    success = label_of("brute_force", strength, "success")
    assert guessing.events == failures
    logins = attacked().login.filter((pl.col("username") == guessing.user) & (pl.col("ip_address") == guessing.src_ip))
    assert logins["success"].to_list() == [False] * failures + [True]
    assert logins["timestamp"][-1] == success.start
    exfiltration = label_of("brute_force", strength, "exfiltration")
    assert exfiltration.user == guessing.user
    assert exfiltration.start > success.end


def test_a_weak_brute_force_is_slow_and_comes_from_the_victims_country() -> None:
    label = label_of("brute_force", "weak", "guessing")
    attempts = rows_of(label)
    usual = attacked().login.filter((pl.col("username") == label.user) & pl.col("success"))
    assert attempts["country"][0] in usual["country"].to_list()
    in_10_min = attempts.group_by(pl.col("timestamp").dt.truncate("10m")).len()
    assert number(in_10_min["len"].max()) < 5


def test_a_spray_tries_many_accounts_few_times_each() -> None:
    attempts = rows_of(label_of("password_spray", "medium", "spraying"))
    per_account = attempts.group_by("username").len()
    assert per_account.height == 30
    assert per_account["len"].to_list() == [2] * 30
    assert not attempts["success"].any()
    strong = attacked().labels.filter((pl.col("campaign") == "password_spray") & (pl.col("strength") == "strong"))
    assert strong["stage"].to_list().count("spraying") == 3
    assert strong["stage"].to_list().count("success") == 1


@pytest.mark.parametrize(("strength", "impossible"), [("weak", False), ("medium", True), ("strong", True)])
def test_travel_is_impossible_unless_weak(strength: str, *, impossible: bool) -> None:
    label = label_of("impossible_travel", strength, "foreign_login")
    logins = attacked().login.filter((pl.col("username") == label.user) & pl.col("success"))
    before = logins.filter((pl.col("timestamp") < label.start) & (pl.col("ip_address") != label.src_ip))
    first = logins.filter(pl.col("timestamp") == label.start).row(0, named=True)
    own = before.row(-1, named=True)
    km = DISTANCE_KM[PLACE_NAMES.index(own["country"]), PLACE_NAMES.index(first["country"])]
    hours = (first["timestamp"] - own["timestamp"]).total_seconds() / 3600
    assert km >= 300
    assert (km >= 5_000 and km / hours > 2_000) == impossible


@pytest.mark.parametrize(
    ("strength", "ports", "hosts"), [("weak", 11, 14), ("medium", 180, 60), ("strong", 2_000, 250)]
)
def test_a_scan_touches_each_port_and_each_host_once(strength: str, ports: int, hosts: int) -> None:
    campaign = play(WORLD, CampaignOrder("scan", Strength(strength)), "one", NOON_US)
    vertical, horizontal = campaign.stages
    assert vertical.rows["port"].n_unique() == vertical.rows.height == ports
    assert vertical.rows["dest_ip"].n_unique() == 1
    assert horizontal.rows["dest_ip"].n_unique() == horizontal.rows.height == hosts
    assert horizontal.rows["port"].unique().to_list() == [445]


@pytest.mark.parametrize(("strength", "period_s", "spread"), [("strong", 60, 0.03), ("medium", 300, 0.1)])
def test_a_beacon_keeps_its_period(strength: str, period_s: float, spread: float) -> None:
    (stage,) = play(WORLD, CampaignOrder("beacon", Strength(strength)), "one", NOON_US).stages
    gaps_s = stage.rows["timestamp"].diff().drop_nulls() / 1e6
    assert gaps_s.median() == pytest.approx(period_s, rel=0.02)
    assert number(gaps_s.std()) / period_s < spread


def test_a_strong_flood_is_many_times_the_usual_traffic() -> None:
    label = label_of("flood", "strong", "flooding")
    during = number(rows_of(label)["connections"].sum())
    minutes = max((label.end - label.start).total_seconds() / 60, 1)
    web = attacked().network.filter(pl.col("dest_ip") == label.dst_ip)
    usual = web.group_by(pl.col("timestamp").dt.truncate("10m")).agg(pl.col("connections").sum())
    assert during / minutes > 100 * number(usual["connections"].median()) / 10


def test_an_insider_copies_at_night() -> None:
    for strength in Strength:
        for hour in range(0, 24, 3):
            at_us = MONDAY_US + hour * 3_600_000_000
            login, copying = play(WORLD, CampaignOrder("insider_night", strength), f"at {hour}", at_us).stages
            own = attacked_free_hours(login.user)
            assert own[at_us // 3_600_000_000 % 24] < 0.1, (hour, login.user)
            assert copying.rows["timestamp"][0] > at_us


@lru_cache(maxsize=64)
def attacked_free_hours(user: str) -> list[float]:
    """Share of a user's ordinary logins on working days by UTC hour."""
    logins = quiet_logins().filter(pl.col("username") == user)
    by_hour = logins.group_by(pl.col("timestamp").dt.hour().alias("hour")).len()
    counts = dict(by_hour.rows())
    return [counts.get(hour, 0) / max(logins.height, 1) for hour in range(24)]


@lru_cache(maxsize=1)
def quiet_logins() -> pl.DataFrame:
    return simulate(WORLD, MONDAY_US, days=5).login


def test_a_drip_has_equal_pieces_on_three_days() -> None:
    labels = attacked().labels.filter(
        (pl.col("campaign") == "slow_drip") & (pl.col("strength") == "medium") & (pl.col("stage") == "dripping")
    )
    assert labels["events"].to_list() == [30, 30, 30]
    campaign = play(WORLD, CampaignOrder("slow_drip"), "one", NOON_US)
    sizes = campaign.stages[0].rows["file_size"]
    assert number(sizes.std()) / number(sizes.mean()) < 0.02


def test_mass_rename_gives_one_new_extension_within_minutes() -> None:
    label = label_of("mass_rename", "strong", "renaming")
    renamed = rows_of(label).filter(pl.col("action") == "rename")
    assert renamed["filename"].str.ends_with(".crypt").sum() == label.events == 2_000
    assert (label.end - label.start).total_seconds() < 300


def test_each_campaign_has_a_victim_of_its_own_while_there_are_enough() -> None:
    orders = [CampaignOrder(name) for name in ("brute_force", "impossible_travel", "insider_night", "mass_rename")]
    labels = simulate(WORLD, MONDAY_US, days=7, campaigns=orders * 3).labels
    users = labels.filter(pl.col("user").is_not_null()).select("campaign_id", "user").unique()
    assert users["user"].n_unique() == users["campaign_id"].n_unique() == 12


def test_campaigns_begin_after_a_quiet_time() -> None:
    first = attacked().labels.filter(pl.col("campaign") != "slow_drip")["start"].min()
    assert first is not None
    assert first >= attacked().login["timestamp"][0]
    late = attacked().labels.filter(~pl.col("campaign").is_in(["slow_drip", "beacon"]))["start"].dt.timestamp("us")
    assert (late >= MONDAY_US + int(0.4 * 14 * 86_400_000_000)).all()


def test_an_unknown_campaign_is_an_error_that_names_the_known() -> None:
    with pytest.raises(UsageError, match="'worm' does not exist; there are: brute_force"):
        CampaignOrder("worm")
