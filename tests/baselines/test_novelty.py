"""novelty against sets of all values."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import novelty
from livesec.baselines.kernel_rows import ValueRows
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, int, int]  # key, seconds, value
RULES = novelty.Rules(learn_us=300_000_000, learn_rows=5, limit=0.4, forget_us=7_200_000_000)


def _found(rows: list[Row], state: KeyedState) -> list[tuple[int, int, int, float]]:
    keys, times, values = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    given_rows = ValueRows(
        number_keys(keys.copy()), times * 1_000_000, number_keys(values.copy()), np.arange(len(rows))
    )
    reports = novelty.meet_all(state, given_rows, RULES)
    columns = (reports.at, reports.rows, reports.values, reports.age_s)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _plain(rows: list[Row]) -> list[tuple[int, int, int, float]]:
    known: dict[int, tuple[int, int, list[int]]] = {}  # first and last time, values
    reports = []
    for at, (key, time_s, value) in enumerate(rows):
        if key not in known or time_s - known[key][1] >= 7200:
            known[key] = (time_s, time_s, [])
        first_s, last_s, values = known[key]
        last_s = max(last_s, time_s)
        news = len(set(values))
        old_enough = last_s - first_s >= 300 and len(values) >= 5
        if value not in values and old_enough and news / (len(values) + news) <= 0.4:
            reports.append((at, len(values), news, float(last_s - first_s)))
        known[key] = (first_s, last_s, [*values, value])
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    now_s, rows = 100_000, []
    for gap in draw(st.lists(st.sampled_from([-30, 0, 1, 60, 100, 299, 7199, 7200]), max_size=50)):
        now_s += gap
        rows.append((draw(st.integers(1, 2)), now_s, draw(st.integers(1, 9))))
    return rows


@settings(deadline=None, max_examples=examples(200))
@given(_rows(), st.integers(0, 50))
def test_as_sets_of_all_values_say_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(novelty.COLUMNS)
    first = _found(rows[:cut], state) if rows[:cut] else []
    later = _found(rows[cut:], state) if rows[cut:] else []
    assert first + [(at + cut, *told) for at, *told in later] == _plain(rows)
