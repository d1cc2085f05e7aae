"""usual_places against dictionaries, with room for every country."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import usual_places
from livesec.baselines.geometry import haversine_km
from livesec.baselines.growth import GROWTH
from livesec.baselines.sightings import Sightings
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

PLACES = {1: (52.5, 13.4), 2: (48.9, 2.3), 3: (40.7, -74.0), 4: (-33.9, 151.2), 5: (35.7, 139.7)}
RADIUS_KM, MIN_KM, MIN_HOURS = 50.0, 1000.0, 3
HOUR_S, DAY_S = 3600, 86_400
QUIET_S, IDLE_S = 30 * DAY_S, 180 * DAY_S
Report = tuple[int, int, int, int, int]  # row, nearest country, hours, usual places, hours at the strange place


class Row(NamedTuple):
    key: int
    time_s: int
    place: int


def _seen(rows: list[Row]) -> Sightings:
    return Sightings(
        keys=number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        times_us=np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
        events_us=np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
        lat=np.array([PLACES[row.place][0] for row in rows], dtype=np.float64),
        lon=np.array([PLACES[row.place][1] for row in rows], dtype=np.float64),
        radius_km=np.full(len(rows), RADIUS_KM),
        countries=np.array([row.place for row in rows], dtype=np.int32),
        addresses=np.arange(len(rows), dtype=np.int64),
    )


def _visits(rows: list[Row], state: KeyedState | None = None) -> list[Report]:
    found = usual_places.visits(
        KeyedState(usual_places.COLUMNS) if state is None else state,
        _seen(rows),
        min_km=MIN_KM,
        min_hours=MIN_HOURS,
        quiet_s=QUIET_S,
        idle_s=IDLE_S,
    )
    columns = (found.at, found.nearest, found.hours, found.usual, found.sightings)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class _Place:
    seen_s: int
    weight: int = 0
    hour: int | None = None
    sightings: int = 0
    report_at: int = 1


@dataclass
class _Person:
    last_s: int
    hours: int = 0
    usual: int = 0
    places: dict[int, _Place] = field(default_factory=dict)


def _least_km(one: int, other: int) -> float:
    return max(0.0, haversine_km(*PLACES[one], *PLACES[other]) - 2 * RADIUS_KM)


def _plain(rows: list[Row]) -> list[Report]:
    people: dict[int, _Person] = {}
    reports = []
    for at, row in enumerate(rows):
        if row.key not in people or row.time_s - people[row.key].last_s >= IDLE_S:
            people[row.key] = _Person(row.time_s)
        person = people[row.key]
        now_s = person.last_s = max(person.last_s, row.time_s)
        known = {place: _least_km(place, row.place) for place, seen in person.places.items() if seen.weight >= 16}
        nearest = min(known, key=lambda place: known[place], default=None)
        usual = row.place in known
        strange = not usual and nearest is not None and person.hours >= MIN_HOURS and known[nearest] > MIN_KM
        place = person.places.setdefault(row.place, _Place(now_s))
        if not usual and now_s - place.seen_s >= QUIET_S:
            place.sightings, place.report_at = 0, 1
        place.seen_s = now_s
        if place.hour == now_s // HOUR_S:
            continue
        place.hour = now_s // HOUR_S
        if strange:
            assert nearest is not None
            place.sightings += 1
            if place.sightings >= place.report_at:
                place.report_at = GROWTH * place.sightings
                reports.append((at, nearest, person.hours, person.usual, place.sightings))
        place.weight += 1 if strange else 16
        if not usual and place.weight >= 16:
            person.usual += 1
        if place.weight >= 16:
            person.hours += 1
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-500, 0, 60, HOUR_S, HOUR_S, HOUR_S, DAY_S, QUIET_S, IDLE_S]), max_size=80))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        rows.append(Row(draw(st.integers(1, 2)), now_s, draw(st.sampled_from([1, 1, 1, 2, 3, 4, 5]))))
    return rows


@settings(deadline=None, max_examples=examples(200))
@given(_rows())
def test_as_dictionaries_say(rows: list[Row]) -> None:
    assert _visits(rows) == _plain(rows)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 80))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(usual_places.COLUMNS)
    first = _visits(rows[:cut], state)
    shifted = [(report[0] + len(rows[:cut]), *report[1:]) for report in _visits(rows[cut:], state)]
    assert first + shifted == _visits(rows)


def test_the_lightest_place_makes_way() -> None:
    state = KeyedState(usual_places.COLUMNS)
    hours = [(1, 5), *((country, 2) for country in range(10, 17)), (20, 1), (1, 1)]
    rows, now_s = [], 0
    for country, stay_h in hours:
        for _ in range(stay_h):
            rows.append((country, now_s))
            now_s += HOUR_S
    n = len(rows)
    found = usual_places.visits(
        state,
        Sightings(
            keys=np.full(n, 9, dtype=np.uint64),
            times_us=np.array([time_s * 1_000_000 for _, time_s in rows], dtype=np.int64),
            events_us=np.zeros(n, dtype=np.int64),
            lat=np.array([40.0 if country == 20 else 0.0 for country, _ in rows]),
            lon=np.zeros(n),
            radius_km=np.zeros(n),
            countries=np.array([country for country, _ in rows], dtype=np.int32),
            addresses=np.arange(n, dtype=np.int64),
        ),
        min_km=MIN_KM,
        min_hours=MIN_HOURS,
        quiet_s=QUIET_S,
        idle_s=IDLE_S,
    )
    assert found.at.tolist() == [n - 2]
    assert found.distance_km[0] == np.float64(haversine_km(0.0, 0.0, 40.0, 0.0))
    assert found.p[0] == 8 / (19 + 8)  # eight usual places in nineteen hours
    kept = set(state["country"][0].tolist())
    assert kept == {1, *range(11, 17), 20}, "10 was as light as 11 to 16, but the least recent"
