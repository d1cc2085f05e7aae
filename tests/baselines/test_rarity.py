"""rarity against dictionaries, and its behaviour on habits that a person can picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import rarity
from livesec.baselines.rarity import KEPT_VALUES, Rules
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

HOUR_S, DAY_S = 3600, 86_400
RULES = Rules(most_p=0.25, min_hours=3, learn_s=6 * HOUR_S, quiet_s=10 * DAY_S, forget_s=60 * DAY_S)
Report = tuple[int, int, int, int]  # row, n, r, hours of the value


class Row(NamedTuple):
    key: int
    time_s: int
    value: int


def _meet(rows: list[Row], rules: Rules = RULES, state: KeyedState | None = None) -> list[Report]:
    found = rarity.meet(
        KeyedState(rarity.COLUMNS) if state is None else state,
        number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row.value for row in rows], dtype=np.uint64),
        rules,
    )
    columns = (found.at, found.hours, found.news, found.sightings)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@dataclass
class _Value:
    seen_s: int
    sixteenths: int = 0
    hour: int | None = None
    sightings: int = 0
    report_at: int = 1


@dataclass
class _Key:
    first_s: int
    last_s: int
    n: int = 0
    r: int = 0
    values: dict[int, _Value] = field(default_factory=dict)

    def value(self, value: int, now_s: int) -> _Value:
        if value not in self.values:
            self.r += 1
            if len(self.values) == KEPT_VALUES:  # rows of a key differ in time: there are no ties
                del self.values[min(self.values, key=lambda v: (self.values[v].sixteenths, self.values[v].seen_s))]
            self.values[value] = _Value(now_s)
        return self.values[value]


def _plain(rows: list[Row], rules: Rules) -> list[Report]:
    keys: dict[int, _Key] = {}
    reports = []
    for at, row in enumerate(rows):
        if row.key not in keys or row.time_s - keys[row.key].last_s >= rules.forget_s:
            keys[row.key] = _Key(row.time_s, row.time_s)
        key = keys[row.key]
        now_s = key.last_s = max(key.last_s, row.time_s)
        r = max(key.r, 1)
        value = key.value(row.value, now_s)
        away_s, value.seen_s = now_s - value.seen_s, now_s
        if value.hour == now_s // HOUR_S:
            continue
        value.hour = now_s // HOUR_S
        usual = value.sixteenths >= 16
        if not usual and away_s >= rules.quiet_s:
            value.sightings, value.report_at = 0, 1
        known = key.n >= rules.min_hours and now_s - key.first_s >= rules.learn_s
        p = (r + value.sightings) / (key.n + r + value.sightings)
        strange = known and not usual and p <= rules.most_p
        value.sightings += not usual
        if strange and value.sightings >= value.report_at:
            value.report_at = 4 * value.sightings
            reports.append((at, key.n, r, value.sightings))
        value.sixteenths += 1 if strange else 16
        key.n += value.sixteenths >= 16
    return reports


_STEPS_S = [1, 600, HOUR_S, HOUR_S, HOUR_S, DAY_S, 10 * DAY_S, 60 * DAY_S]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from(_STEPS_S), st.integers(0, 5) | st.integers(0, 30)), max_size=120
    ),
    st.integers(0, 120),
)
def test_as_the_plain_rules(steps: list[tuple[int, int, int]], cut: int) -> None:
    times_s = np.cumsum([10**9, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [Row(key, time_s, value) for (key, _, value), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(rarity.COLUMNS)
    found = _meet(rows[:cut], state=state)
    found += [(at + len(rows[:cut]), n, r, hours) for at, n, r, hours in _meet(rows[cut:], state=state)]
    assert found == _plain(rows, RULES)


def _hourly(hours: range, *values: int) -> list[Row]:
    return [Row(1, hour * HOUR_S + value, value) for hour in hours for value in values]


def test_a_new_value_after_a_long_habit_is_strange_and_one_of_many_is_not() -> None:
    assert _meet([*_hourly(range(20), 1), Row(1, 20 * HOUR_S, 2)]) == [(20, 20, 1, 1)]
    many = [Row(1, hour * HOUR_S, hour) for hour in range(200)]
    assert _meet(many) == []


def test_who_keeps_meeting_new_values_makes_no_more_reports() -> None:
    visits = [Row(1, hour * HOUR_S + 1, 1000 + hour) for hour in range(300, 600, 3)]
    rows = sorted([*_hourly(range(600), 1), *visits], key=lambda row: row.time_s)
    assert 0 < len(_meet(rows, RULES._replace(most_p=0.01))) < 10


def test_sixteen_strange_hours_make_a_habit() -> None:
    reports = _meet([*_hourly(range(1000), 1), *_hourly(range(1000, 1400), 2)])
    assert [sightings for _, _, _, sightings in reports] == [1, 4, 16]


def test_sums_stay_bounded() -> None:
    state = KeyedState(rarity.COLUMNS)
    _meet(_hourly(range(20_000), 1), state=state)
    assert state["hours"].max() < rarity.FORGET_AT
