"""travel_speed against a plain reading of its rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import travel_speed
from livesec.baselines.geometry import haversine_km
from livesec.baselines.sightings import Sightings
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

PLACES = {1: (52.5, 13.4), 2: (41.9, 12.5), 3: (40.7, -74.0), 4: (-33.9, 151.2)}
DAY_S = 86_400
KNOWN_S, FORGET_S = 5 * DAY_S, 20 * DAY_S
Report = tuple[int, int, int, int]  # row, country before, hours seen, places


class Row(NamedTuple):
    key: int
    time_s: int
    event_s: int
    place: int
    radius_km: float = 50.0


def seen(rows: list[Row]) -> Sightings:
    return Sightings(
        keys=number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        times_us=np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
        events_us=np.array([row.event_s * 1_000_000 for row in rows], dtype=np.int64),
        lat=np.array([PLACES[row.place][0] for row in rows], dtype=np.float64),
        lon=np.array([PLACES[row.place][1] for row in rows], dtype=np.float64),
        radius_km=np.array([row.radius_km for row in rows], dtype=np.float64),
        countries=np.array([row.place for row in rows], dtype=np.int32),
        addresses=np.arange(len(rows), dtype=np.int64),
    )


def _journeys(rows: list[Row], state: KeyedState | None = None, *, known_too: bool = False) -> list[Report]:
    found = travel_speed.journeys(
        KeyedState(travel_speed.COLUMNS) if state is None else state,
        seen(rows),
        max_kmh=900,
        min_km=300,
        known_s=KNOWN_S,
        forget_s=FORGET_S,
        known_too=known_too,
    )
    columns = (found.at, found.from_country, found.seen_hours, found.places)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class _Person:
    last_s: int
    rows: list[Row] = field(default_factory=list)
    hours: list[int] = field(default_factory=list)
    seen: dict[int, tuple[int, Row]] = field(default_factory=dict)  # place: when, and what its last row said
    places: int = 0


def _least_km(one: Row, other: Row) -> float:
    distance_km = haversine_km(*PLACES[one.place], *PLACES[other.place])
    return max(0.0, distance_km - one.radius_km - other.radius_km)


def _plain(rows: list[Row], *, known_too: bool = False) -> list[Report]:
    """The rules of the module's docstring, for places so far apart that none is mistaken for another."""
    people: dict[int, _Person] = {}
    reports = []
    for at, row in enumerate(rows):
        if row.key not in people or row.time_s - people[row.key].last_s >= FORGET_S:
            people[row.key] = _Person(row.time_s)
        person = people[row.key]
        now_s = person.last_s = max(person.last_s, row.time_s)
        known = row.place in person.seen and now_s - person.seen[row.place][0] < KNOWN_S
        if person.rows and (known_too or not known):
            before = person.rows[-1]
            hours = max(1, abs(row.event_s - before.event_s)) / 3600
            if _least_km(before, row) >= 300 and _least_km(before, row) > 900 * hours:
                reports.append((at, before.place, len(person.hours), person.places))
        if not person.hours or person.hours[-1] != now_s // 3600:
            person.hours.append(now_s // 3600)
        person.places += not known
        person.seen[row.place] = (now_s, row)
        person.rows.append(row)
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-500, 0, 60, 3600, 9 * 3600, DAY_S, KNOWN_S, FORGET_S]), max_size=50))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        late_s = draw(st.sampled_from([0, 0, 0, 7200, -7200]))
        place = draw(st.sampled_from([1, 1, 2, 3, 4]))
        rows.append(Row(draw(st.integers(1, 2)), now_s, now_s - late_s, place, draw(st.sampled_from([0.0, 400.0]))))
    return rows


@settings(deadline=None, max_examples=examples(150))
@given(_rows(), st.booleans())
def test_as_the_rules_say(rows: list[Row], known_too: bool) -> None:
    assert _journeys(rows, known_too=known_too) == _plain(rows, known_too=known_too)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 50))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(travel_speed.COLUMNS)
    first = _journeys(rows[:cut], state)
    shifted = [(at + len(rows[:cut]), *rest) for at, *rest in _journeys(rows[cut:], state)]
    assert first + shifted == _journeys(rows)


def test_numbers() -> None:
    rows = [Row(1, 0, 0, 1), Row(1, 7200, 7200, 3)]
    state = KeyedState(travel_speed.COLUMNS)
    found = travel_speed.journeys(state, seen(rows), max_kmh=900, min_km=300, known_s=KNOWN_S, forget_s=FORGET_S)
    assert found.distance_km[0] == pytest.approx(6386.3, abs=0.1)  # Berlin to New York
    assert found.least_km[0] == pytest.approx(6286.3, abs=0.1)
    assert (found.hours[0], found.from_address[0], found.p[0]) == (2.0, 0, 0.5)


def test_after_so_long_everywhere_is_within_reach() -> None:
    assert travel_speed.idle_s(max_kmh=900, forget_s=0) / 3600 == pytest.approx(22.24, abs=0.01)
    assert travel_speed.idle_s(max_kmh=0, forget_s=60) == 60


def test_the_place_not_seen_for_longest_makes_way() -> None:
    rows = [Row(1, 100 * number, 100 * number, 10 + number % 9) for number in range(18)]
    here = Sightings(
        keys=np.ones(18, dtype=np.uint64),
        times_us=np.array([row.time_s * 1_000_000 for row in rows]),
        events_us=np.array([row.time_s * 1_000_000 for row in rows]),
        lat=np.zeros(18),
        lon=np.array([20.0 * (row.place - 10) for row in rows]),
        radius_km=np.zeros(18),
        countries=np.array([row.place for row in rows], dtype=np.int32),
        addresses=np.arange(18),
    )
    state = KeyedState(travel_speed.COLUMNS)
    found = travel_speed.journeys(state, here, max_kmh=900, min_km=300, known_s=KNOWN_S, forget_s=FORGET_S)
    assert found.at.tolist() == list(range(1, 18)), "nine places in turn, of which eight are remembered"
