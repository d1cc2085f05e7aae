"""hour_profile against a plain reading of its formulas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import hour_profile
from livesec.baselines.growth import GROWTH
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

NIGHT = (np.arange(24) >= 22) | (np.arange(24) < 6)
PRIOR = hour_profile.hour_prior(NIGHT, 8.0)
REPORT_P, WARM, MATURE, HALF_LIFE_DAYS, IDLE_S = 0.01, 5, 20, 14.0, 90 * 86_400
HOUR_S, DAY_S = 3600, 86_400
MONDAY = 20_514  # days since 1970: 2026-03-02
Report = tuple[int, float, int, int]  # row, p, hours observed, strange hours


class Row(NamedTuple):
    key: int
    time_s: int
    local_hour: int


def _strange(rows: list[Row], state: KeyedState | None = None) -> hour_profile.StrangeHours:
    return hour_profile.strange_hours(
        KeyedState(hour_profile.COLUMNS) if state is None else state,
        number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row.local_hour for row in rows], dtype=np.int64),
        hour_profile.hour_limits(
            suspect=NIGHT,
            prior=PRIOR,
            report_p=REPORT_P,
            warm=WARM,
            mature=MATURE,
            half_life_days=HALF_LIFE_DAYS,
            idle_s=IDLE_S,
        ),
    )


def _reports(found: hour_profile.StrangeHours) -> list[Report]:
    columns = (found.at, found.p, found.observed, found.strange)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class _Profile:
    last_s: int
    day: int
    hour: int | None = None
    observed: int = 0
    counts: list[list[float]] = field(default_factory=lambda: [[0.0] * 24, [0.0] * 24])
    strange_s: int = 0
    strange: int = 0
    report_at: int = 1


def _p(counts: list[list[float]], day_type: int, hour: int) -> float:
    blended = [counts[day_type][h] + 0.25 * counts[1 - day_type][h] for h in range(24)]
    weights = [
        PRIOR[h] + sum((3 - abs(step)) / 9 * blended[(h + step) % 24] for step in range(-2, 3)) for h in range(24)
    ]
    tail = [weight for weight in weights if weight <= weights[hour] * (1 + 1e-9)]
    return float(sum(tail) / sum(weights))


def _plain(rows: list[Row]) -> list[Report]:
    profiles: dict[int, _Profile] = {}
    reports = []
    for at, (key, time_s, local_hour) in enumerate(rows):
        if key not in profiles or time_s - profiles[key].last_s >= IDLE_S:
            profiles[key] = _Profile(time_s, time_s // DAY_S)
        profile = profiles[key]
        now_s = profile.last_s = max(profile.last_s, time_s)
        if profile.hour == now_s // HOUR_S:
            continue
        profile.hour = now_s // HOUR_S
        fade = 0.5 ** ((now_s // DAY_S - profile.day) / HALF_LIFE_DAYS)
        profile.counts = [[count * fade for count in counts] for counts in profile.counts]
        profile.day = now_s // DAY_S
        day, hour = divmod(local_hour, 24)
        day_type = int((day + 3) % 7 >= 5)
        p = _p(profile.counts, day_type, hour)
        if p > REPORT_P or profile.observed < (WARM if NIGHT[hour] else MATURE):
            profile.observed += 1
            profile.counts[day_type][hour] += 1
            continue
        if now_s - profile.strange_s >= DAY_S:
            profile.strange, profile.report_at = 0, 1
        profile.strange_s = now_s
        profile.strange += 1
        if profile.strange >= profile.report_at:
            profile.report_at = GROWTH * profile.strange
            reports.append((at, p, profile.observed, profile.strange))
        profile.counts[day_type][hour] += 1 / 16
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    """Someone with office hours from a drawn start, who now and then is up at another hour."""
    start_h = draw(st.integers(0, 23))
    rows = []
    for day in range(draw(st.integers(0, 12))):
        hours = [start_h + step for step in range(draw(st.integers(0, 8)))]
        hours += draw(st.lists(st.integers(0, 30), max_size=2))
        for hour in sorted(hours):
            time_s = (20_000 + day) * DAY_S + hour * HOUR_S + draw(st.sampled_from([0, 0, 1800]))
            rows.append(Row(1, time_s, time_s // HOUR_S + draw(st.sampled_from([0, 0, 0, 5]))))
    return rows


@settings(deadline=None, max_examples=examples(200))
@given(_rows())
def test_as_the_formulas_say(rows: list[Row]) -> None:
    found, expected = _reports(_strange(rows)), _plain(rows)
    assert [(at, *rest) for at, _, *rest in found] == [(at, *rest) for at, _, *rest in expected]
    assert [p for _, p, _, _ in found] == pytest.approx([p for _, p, _, _ in expected], rel=1e-9)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 100))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(hour_profile.COLUMNS)
    first = _reports(_strange(rows[:cut], state))
    shifted = [(at + len(rows[:cut]), *rest) for at, *rest in _reports(_strange(rows[cut:], state))]
    assert first + shifted == _reports(_strange(rows))


def _office(days: int) -> list[Row]:
    hours = [(MONDAY + day) * 24 + hour for day in range(days) for hour in range(9, 17)]
    return [Row(1, hour * HOUR_S, hour) for hour in hours]


def test_a_night_against_office_hours_by_hand() -> None:
    night = (MONDAY + 3) * 24 + 3
    found = _strange([*_office(3), Row(1, night * HOUR_S, night)])
    # 24 hours, faded by 3, 2 and 1 days; the prior's 8 suspect hours weigh 1/8 each against 16 others: 1/17 in all.
    faded = 8 * sum(0.5 ** (age / 14) for age in (1, 2, 3))
    assert found.p[0] == pytest.approx((1 / 17) / (faded + 1), rel=1e-6)
    assert (found.usual_from[0], found.usual_to[0]) == (9, 16)


def test_three_nights_make_a_habit() -> None:
    nights = [(MONDAY + day) * 24 + 22 + hour for day in range(3, 9) for hour in range(6)]
    found = _strange([*_office(3), *(Row(1, hour * HOUR_S, hour) for hour in nights)])
    last = max(found.at.tolist()) - 24
    assert last < 3 * 6, "quiet before the third night is over"


def test_a_year_away_is_a_fresh_start() -> None:
    rows = _office(4)
    later = [Row(1, row.time_s + 364 * DAY_S, row.local_hour + 12) for row in rows]
    assert len(_strange(rows + later).at) == 0
