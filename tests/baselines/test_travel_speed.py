"""travel_speed against a plain reading of its rules."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import travel_speed
from livesec.baselines.geometry import haversine_km
from livesec.baselines.sightings import Sightings
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

PLACES = {1: (52.5, 13.4), 2: (48.9, 2.3), 3: (40.7, -74.0), 4: (-33.9, 151.2)}
DAY_S = 86_400
Report = tuple[int, int, int]  # row, country before, hits of the episode


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


def _journeys(rows: list[Row], state: KeyedState | None = None, *, every_hit: bool = False) -> list[Report]:
    found = travel_speed.journeys(
        KeyedState(travel_speed.COLUMNS) if state is None else state,
        seen(rows),
        max_kmh=900,
        min_km=300,
        quiet_s=5 * DAY_S,
        every_hit=every_hit,
    )
    return list(zip(found.at.tolist(), found.from_country.tolist(), found.hits.tolist(), strict=True))


def _plain(rows: list[Row], *, every_hit: bool = False) -> list[Report]:
    before: dict[int, tuple[int, Row]] = {}  # time of the last row, and the last row
    hits: dict[int, tuple[int, int, int]] = {}  # time, number, number of the next report
    reports = []
    for at, row in enumerate(rows):
        last_s, previous = before.get(row.key, (row.time_s, None))
        if row.time_s - last_s >= 5 * DAY_S:
            previous = None
            hits.pop(row.key, None)
        now_s = max(last_s, row.time_s)
        before[row.key] = (now_s, row)
        if previous is None:
            continue
        distance_km = haversine_km(*PLACES[previous.place], *PLACES[row.place])
        least_km = max(0.0, distance_km - previous.radius_km - row.radius_km)
        hours = max(1, abs(row.event_s - previous.event_s)) / 3600
        if least_km < 300 or least_km <= 900 * hours:
            continue
        hit_s, number, report_at = hits.get(row.key, (now_s, 0, 1))
        if now_s - hit_s >= 5 * DAY_S:
            number, report_at = 0, 1
        number += 1
        if every_hit or number >= report_at:
            report_at = 2 * number
            reports.append((at, previous.place, number))
        hits[row.key] = (now_s, number, report_at)
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-500, 0, 60, 3600, 9 * 3600, DAY_S, 5 * DAY_S]), max_size=50))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        late_s = draw(st.sampled_from([0, 0, 0, 7200, -7200]))
        place = draw(st.sampled_from([1, 1, 2, 3, 4]))
        rows.append(Row(draw(st.integers(1, 2)), now_s, now_s - late_s, place, draw(st.sampled_from([0.0, 400.0]))))
    return rows


@settings(deadline=None, max_examples=150)
@given(_rows(), st.booleans())
def test_as_the_rules_say(rows: list[Row], every_hit: bool) -> None:
    assert _journeys(rows, every_hit=every_hit) == _plain(rows, every_hit=every_hit)


@settings(deadline=None, max_examples=50)
@given(_rows(), st.integers(0, 50))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(travel_speed.COLUMNS)
    first = _journeys(rows[:cut], state)
    shifted = [(at + len(rows[:cut]), country, hits) for at, country, hits in _journeys(rows[cut:], state)]
    assert first + shifted == _journeys(rows)


def test_numbers() -> None:
    rows = [Row(1, 0, 0, 1), Row(1, 7200, 7200, 3)]
    found = travel_speed.journeys(KeyedState(travel_speed.COLUMNS), seen(rows), max_kmh=900, min_km=300, quiet_s=DAY_S)
    assert found.distance_km[0] == pytest.approx(6386.3, abs=0.1)  # Berlin to New York
    assert found.least_km[0] == pytest.approx(6286.3, abs=0.1)
    assert (found.hours[0], found.from_address[0]) == (2.0, 0)


def test_after_so_long_everywhere_is_within_reach() -> None:
    assert travel_speed.idle_s(max_kmh=900, quiet_s=0) / 3600 == pytest.approx(22.24, abs=0.01)
    assert travel_speed.idle_s(max_kmh=0, quiet_s=60) == 60
