"""Where each user is on one day, from when to when they work, and through which addresses they connect.

A plan is a pure function of the world and the day, so that any window of time sees the same days.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import IPv4Network
from typing import Final

import numpy as np
import polars as pl

from livesec.core.documentation_networks import networks_of
from livesec.simulate.addresses import address_in, country_of
from livesec.simulate.people import FINANCE, INTERNAL_OFFICES, People
from livesec.simulate.places import PLACE_NAMES, PLACES, TRAVEL_H, TRIP_TARGETS, UTC_OFFSET_H
from livesec.simulate.randomness import BoolArray, FloatArray, IntArray, hashed_integers, hashed_uniform
from livesec.simulate.rhythm import DAY_US, HOUR_US, WEDNESDAY, is_month_end, is_weekend, weekday_of
from livesec.simulate.world import World

OFFICE, HOME, MOBILE, AWAY, RELAY = range(5)
"""Ways to connect: rows of DayPlan.addresses."""

_TRIP_PERIOD_DAYS: Final = 21
_TRIP_SHARE: Final = 0.8  # periods in which a traveller goes anywhere
_LEASE_DAYS: Final = 11  # how long a home keeps its address
_LEAVE_AFTER_H: Final = 4.0  # a day of departure ends so long after its start
_WEEKEND_SHARE: Final = 0.08  # people who do a little on a free day
_ABSENT_SHARE: Final = 0.03
_VACATION_WEEK_SHARE: Final = 0.04
_ON_CALL_SHARE: Final = 0.012


@dataclass(frozen=True)
class DayPlan:
    """One element per user: the local day `day` (since 1970-01-01) of each."""

    world: World
    day: int
    present: BoolArray
    place: IntArray
    """Index in PLACES."""
    away: BoolArray
    at_office: BoolArray
    start_us: IntArray
    end_us: IntArray
    activity: FloatArray
    """Factor on the user's usual number of events; 0 when not present."""
    on_call: BoolArray
    """Woken in the night: a few events around three in the morning."""

    @cached_property
    def addresses(self) -> pl.Series:
        """Address by way of connecting and user, at index way * users + user."""
        return pl.Series([address for way in range(5) for address in self._addresses_of(way)])

    @cached_property
    def countries(self) -> pl.Series:
        """The English names of the countries that belong to `addresses`."""
        people = self.world.people
        home = [PLACE_NAMES[place] for place in people.home.tolist()]
        office = [PLACE_NAMES[place] for place in people.office.tolist()]
        away = [PLACE_NAMES[place] for place in self.place.tolist()]
        relay = [country_of(cidr) for cidr in people.relay_blocks]
        return pl.Series(office + home + home + away + relay)

    def _addresses_of(self, way: int) -> list[str]:
        people, seed, day = self.world.people, self.world.seed, self.day
        users = np.arange(len(people))
        if way == OFFICE:
            return _office_addresses(people)
        if way == HOME:
            leases = (day + users * 5) // _LEASE_DAYS
            return _addresses_in(people.home_blocks, hashed_integers(seed, "home", users, leases))
        if way == MOBILE:
            return _addresses_in(people.mobile_blocks, hashed_integers(seed, "mobile", users, day))
        if way == RELAY:
            return _addresses_in(people.relay_blocks, hashed_integers(seed, "relay", users, day))
        hotels = [networks_of(PLACES[place].iso, "business")[0].cidr for place in self.place.tolist()]
        return _addresses_in(tuple(hotels), hashed_integers(seed, "hotel", users, day // 3))


def _addresses_in(blocks: tuple[str, ...], numbers: IntArray) -> list[str]:
    return [address_in(block, number) for block, number in zip(blocks, numbers.tolist(), strict=True)]


def _office_addresses(people: People) -> list[str]:
    """The workstation where the office has its own network, else the branch's one address."""
    addresses: list[str] = []
    for desk, place in zip(people.workstations.to_list(), people.office.tolist(), strict=True):
        iso = PLACES[place].iso
        if iso in INTERNAL_OFFICES:
            addresses.append(desk)
        else:
            addresses.append(str(IPv4Network(networks_of(iso, "business")[0].cidr)[10]))
    return addresses


def trip_places(world: World, day: int) -> IntArray:
    """Where each user is on a day, as indexes in PLACES: home, or the target of a business trip."""
    people = world.people
    users = np.arange(len(people))
    period, position = np.divmod(day + users * 8, _TRIP_PERIOD_DAYS)
    goes = people.traveller & (hashed_uniform(world.seed, "trip", users, period) < _TRIP_SHARE)
    first = 3 + (hashed_uniform(world.seed, "trip start", users, period) * 10).astype(np.int64)
    nights = 3 + (hashed_uniform(world.seed, "trip nights", users, period) * 4).astype(np.int64)
    targets = np.array(TRIP_TARGETS)[hashed_integers(world.seed, "trip target", users, period) % len(TRIP_TARGETS)]
    abroad = goes & (position >= first) & (position < first + nights) & (targets != people.home)
    return np.where(abroad, targets, people.home)


def _works_on(world: World, day: int) -> tuple[BoolArray, BoolArray]:
    """Who works a usual day, and who does a little on a free one."""
    people = world.people
    users = np.arange(len(people))
    weekday = weekday_of(day)
    on_duty = np.where(people.weekend_shift, weekday >= WEDNESDAY, not is_weekend(day))
    absent = hashed_uniform(world.seed, "absent", users, day) < _ABSENT_SHARE
    week = (day + 3) // 7
    absent |= hashed_uniform(world.seed, "vacation", users, week) < _VACATION_WEEK_SHARE
    casual = ~on_duty & ~absent & (hashed_uniform(world.seed, "casual", users, day) < _WEEKEND_SHARE)
    return on_duty & ~absent, casual


def _raw_start_us(world: World, day: int, place: IntArray) -> IntArray:
    """When each user would start if nothing delayed them."""
    users = np.arange(len(world.people))
    jitter_h = (hashed_uniform(world.seed, "start", users, day) - 0.5) * 0.8
    local_h = world.people.start_h + jitter_h
    return day * DAY_US + ((local_h - UTC_OFFSET_H[place]) * HOUR_US).astype(np.int64)


@lru_cache(maxsize=16)
def plan_day(world: World, day: int) -> DayPlan:
    """The plan of a local day."""
    people = world.people
    users = np.arange(len(people))
    yesterday, place, tomorrow = (trip_places(world, day + step) for step in (-1, 0, 1))
    works, casual = _works_on(world, day)
    start = _raw_start_us(world, day, place)
    hours = people.length_h + (hashed_uniform(world.seed, "length", users, day) - 0.5)
    hours = np.where(tomorrow != place, _LEAVE_AFTER_H, np.where(casual, 2.0, hours))
    end = start + (hours * HOUR_US).astype(np.int64)
    # Whoever arrives cannot have left before the end of yesterday's short day.
    left = _raw_start_us(world, day - 1, yesterday) + int(_LEAVE_AFTER_H * HOUR_US)
    earliest = np.where(place != yesterday, left + (TRAVEL_H[yesterday, place] * HOUR_US).astype(np.int64), start)
    start = np.maximum(start, earliest)
    end = np.maximum(end, start + 2 * HOUR_US)
    activity = np.exp((hashed_uniform(world.seed, "activity", users, day) - 0.5) * 0.8)
    activity = activity * np.where(casual, 0.6, 1.0) * hours / people.length_h
    if is_month_end(day):
        activity = activity * np.where(people.role == FINANCE, 2.2, 1.1)
    away = place != people.home
    present = works | casual
    at_office = works & ~away & (hashed_uniform(world.seed, "desk", users, day) < people.office_share)
    on_call = ~away & (tomorrow == place) & (yesterday == place)
    on_call &= (hashed_uniform(world.seed, "on call", users, day) < _ON_CALL_SHARE) & ~people.night_shift
    return DayPlan(
        world=world,
        day=day,
        present=present,
        place=place,
        away=away,
        at_office=at_office,
        start_us=start,
        end_us=end,
        activity=np.where(present, activity, 0.0),
        on_call=on_call,
    )
