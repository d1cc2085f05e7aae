"""The quiet world: people at their hours and places, addresses that fit, numbers as promised."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from livesec.core.documentation_networks import NETWORKS
from livesec.core.errors import UsageError
from livesec.simulate import SimulatedLogs, World, simulate
from livesec.simulate.places import DISTANCE_KM, PLACE_NAMES, UTC_OFFSET_H
from livesec.simulate.services import SERVICE_ACCOUNTS

MONDAY_US = 1_762_128_000_000_000  # 2025-11-03 00:00:00 UTC
WORLD = World(seed=1)


def number(value: object) -> float:
    """An aggregate of numbers, whose type polars leaves open."""
    assert isinstance(value, int | float)
    return float(value)


@lru_cache(maxsize=1)
def quiet() -> SimulatedLogs:
    return simulate(WORLD, MONDAY_US, days=14)


def people_logins() -> pl.DataFrame:
    return quiet().login.filter(pl.col("username").is_in(WORLD.people.usernames.to_list()))


def test_columns_are_those_of_the_three_logs() -> None:
    assert quiet().login.columns == [
        "timestamp",
        "username",
        "ip_address",
        "country",
        "success",
        "user_agent",
    ]
    assert quiet().network.columns == [
        "timestamp",
        "source_ip",
        "dest_ip",
        "port",
        "protocol",
        "bytes_sent",
        "bytes_received",
        "connections",
    ]
    assert quiet().file_transfer.columns == [
        "timestamp",
        "username",
        "filename",
        "file_size",
        "action",
        "destination",
    ]
    assert quiet().labels.height == 0


def test_a_day_has_about_as_many_events_as_promised() -> None:
    logs = quiet()
    assert 1_300 <= logs.login.height / 14 <= 1_800
    assert 16_000 <= logs.network.height / 14 <= 23_000
    assert 2_000 <= logs.file_transfer.height / 14 <= 3_000


def test_logs_are_in_time_order_in_whole_seconds_within_the_window() -> None:
    for frame in (quiet().login, quiet().network, quiet().file_transfer):
        times = frame["timestamp"].dt.timestamp("us")
        assert times.is_sorted()
        assert (times % 1_000_000).max() == 0
        assert times[0] >= MONDAY_US
        assert times[-1] < MONDAY_US + 14 * 86_400_000_000


def test_people_log_in_in_their_own_hours() -> None:
    people = WORLD.people
    stay_at_home = pl.DataFrame(
        {
            "username": people.usernames,
            "start_h": people.start_h,
            "length_h": people.length_h,
            "offset_h": UTC_OFFSET_H[people.home],
        }
    ).filter(~pl.Series(people.traveller))
    workdays = people_logins().join(stay_at_home, on="username")
    workdays = workdays.filter(pl.col("timestamp").dt.weekday() <= 5)
    into_work_h = (
        pl.col("timestamp").dt.hour() + pl.col("timestamp").dt.minute() / 60
        + pl.col("offset_h") - pl.col("start_h") + 0.5 + 24
    ) % 24  # fmt: skip
    inside = workdays.select(into_work_h <= pl.col("length_h") + 1.25).to_series()
    assert workdays.height > 8_000
    assert number(inside.mean()) > 0.95  # the rest: overtime in the evening and nights on call


def test_night_workers_work_at_night() -> None:
    night = np.flatnonzero(WORLD.people.night_shift)
    assert len(night) >= 1
    for user in night.tolist():
        assert WORLD.people.start_h[user] == 22.0


def test_country_of_every_external_login_is_that_of_its_network() -> None:
    networks = [(ip_network(network.cidr), network.country_name) for network in NETWORKS]
    pairs = quiet().login.select("ip_address", "country").unique().rows()
    internal = 0
    for text, country in pairs:
        address = ip_address(text)
        if address in ip_network("10.0.0.0/8"):
            internal += 1
            assert country in ("Germany", "United States", "India")
            continue
        assert [name for network, name in networks if address in network] == [country], text
    assert internal > 10
    assert len(pairs) > 300


def test_every_network_address_is_private_or_for_documentation() -> None:
    allowed = [ip_network(n) for n in ("10.0.0.0/8", "192.168.0.0/16", "198.18.0.0/15")]
    addresses = pl.concat([quiet().network["source_ip"], quiet().network["dest_ip"]]).unique()
    outside = [a for a in addresses.to_list() if not any(ip_address(a) in n for n in allowed)]
    assert outside == []


def test_travellers_cover_long_ways_no_faster_than_an_airliner() -> None:
    logins = people_logins().filter("success").sort("username", "timestamp", maintain_order=True)
    index = {name: number for number, name in enumerate(PLACE_NAMES)}
    trips = 0
    for _, frame in logins.group_by(["username"], maintain_order=True):
        rows = frame.select("timestamp", "country").rows()
        for (t0, c0), (t1, c1) in pairwise(rows):
            if c0 == c1 or c0 not in index or c1 not in index:
                continue
            km = DISTANCE_KM[index[c0], index[c1]]
            if km > 1_000:
                trips += 1
                assert km / ((t1 - t0).total_seconds() / 3600) < 900, (c0, c1, t0, t1)
    assert trips >= 4


def test_wrong_passwords_are_rare_and_mostly_alone() -> None:
    logins = people_logins()
    assert 0.01 < 1 - number(logins["success"].mean()) < 0.06
    failures = logins.filter(~pl.col("success"))
    per_10_min = failures.group_by("username", pl.col("timestamp").dt.truncate("10m")).len()
    assert number((per_10_min["len"] == 1).mean()) > 0.75
    assert (per_10_min["len"] >= 3).sum() >= 1  # a forgotten password, the honest twin of guessing


def test_strangers_try_ssh_names_once_or_twice() -> None:
    known = [*WORLD.people.usernames.to_list(), *(account.username for account in SERVICE_ACCOUNTS)]
    strangers = quiet().login.filter(~pl.col("username").is_in(known))
    assert 25 * 14 < strangers.height < 75 * 14
    assert not strangers["success"].any()
    per_source = strangers.group_by("ip_address", pl.col("timestamp").dt.date()).len()
    assert number((per_source["len"] <= 2).mean()) > 0.97


def test_weekends_are_quiet_and_mailed_files_are_small() -> None:
    people = people_logins()
    weekend = people.filter(pl.col("timestamp").dt.weekday() >= 6).height / 4
    workday = people.filter(pl.col("timestamp").dt.weekday() <= 5).height / 10
    assert weekend < workday / 4
    mailed = quiet().file_transfer.filter(pl.col("destination") == "email")
    assert number(mailed["file_size"].max()) <= 20_000_000


def test_a_day_is_the_same_in_every_window() -> None:
    wednesday_us = MONDAY_US + 2 * 86_400_000_000
    alone = simulate(WORLD, wednesday_us, days=1)
    for log_type, whole in (("login", quiet().login), ("file_transfer", quiet().file_transfer)):
        same_day = whole.filter(pl.col("timestamp").dt.date() == alone.login["timestamp"][0].date())
        mine = alone.login if log_type == "login" else alone.file_transfer
        assert mine.sort(mine.columns).equals(same_day.sort(mine.columns))


def test_a_world_needs_bystanders_and_a_seed_that_is_a_number() -> None:
    with pytest.raises(UsageError, match="users: 3 is outside 10 to"):
        World(seed=1, users=3)
    with pytest.raises(UsageError, match="seed: -1"):
        World(seed=-1)
    with pytest.raises(UsageError, match="days: 0"):
        simulate(WORLD, MONDAY_US, days=0)
    with pytest.raises(UsageError, match="rate: -1"):
        simulate(WORLD, MONDAY_US, days=1, rate=-1)


def test_a_larger_organisation_has_unique_names_and_desks() -> None:
    people = World(seed=4, users=900).people
    assert people.usernames.n_unique() == 900
    assert people.workstations.n_unique() == 900


def test_a_million_events() -> None:
    logs = simulate(World(seed=2, users=200), MONDAY_US, days=14, rate=1.6)
    assert logs.events > 1_000_000
