"""rising_level against a plain reading of its rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import rising_level
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, level
Report = tuple[int, int, float]  # row, rows of the episode, span


def rise(rows: list[Row], state: KeyedState) -> list[Report]:
    reports = rising_level.rise(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        quiet_s=100,
    )
    return list(zip(reports.at.tolist(), reports.rows.tolist(), reports.span_s.tolist(), strict=True))


def plain(rows: list[Row]) -> list[Report]:
    episodes: dict[int, list[tuple[float, int]]] = {}
    reports = []
    for at, (key, time_s, level) in enumerate(rows):
        before = episodes.get(key, [])
        if not before or time_s - max(row[0] for row in before) >= 100:
            before = []
        episodes[key] = [*before, (time_s, level)]
        if level > max([0, *(row[1] for row in before)]):
            times_s = [row[0] for row in episodes[key]]
            reports.append((at, len(times_s), max(times_s) - times_s[0]))
    return reports


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.sampled_from([-5.0, 0.0, 1.0, 99.0, 100.0]), st.integers(-1, 4))),
    st.integers(0, 30),
)
def test_as_the_plain_rules(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([1000.0, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [(key, time_s, level) for (key, _, level), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(rising_level.COLUMNS)
    found = rise(rows[:cut], state)
    found += [(at + len(rows[:cut]), count, span_s) for at, count, span_s in rise(rows[cut:], state)]
    assert found == plain(rows)


def test_only_what_rises_is_news() -> None:
    rows = [(1, float(at), level) for at, level in enumerate([0, 2, 1, 2, 4])]
    assert rise(rows, KeyedState(rising_level.COLUMNS)) == [(1, 2, 1.0), (4, 5, 4.0)]
