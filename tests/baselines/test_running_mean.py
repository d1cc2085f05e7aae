"""running_mean against a plain reading of its rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import running_mean
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, value


def _compare(rows: list[Row], state: KeyedState | None = None) -> running_mean.Reports:
    return running_mean.compare(
        KeyedState(running_mean.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        factor=3.0,
        min_values=3,
        forget_s=1000,
    )


def _plain(rows: list[Row]) -> list[int]:
    seen: dict[int, list[int]] = {}
    last_s: dict[int, float] = {}
    reports = []
    for at, (key, time_s, value) in enumerate(rows):
        if time_s - last_s.get(key, time_s) >= 1000:
            seen[key] = []
            last_s[key] = time_s
        last_s[key] = max(last_s.get(key, time_s), time_s)
        earlier = seen.setdefault(key, [])
        if len(earlier) >= 3 and value * len(earlier) > 3 * sum(earlier):
            reports.append(at)
        earlier.append(value)
    return reports


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.sampled_from([0.0, 1.0, 1000.0]), st.integers(0, 10**7))),
    st.integers(0, 30),
)
def test_as_the_plain_rules(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([0.0, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [(key, time_s, value) for (key, _, value), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(running_mean.COLUMNS)
    found = _compare(rows[:cut], state).at.tolist()
    found += [at + len(rows[:cut]) for at in _compare(rows[cut:], state).at.tolist()]
    assert found == _plain(rows)


def test_more_than_three_times_the_mean_of_those_before() -> None:
    reports = _compare([(1, 0.0, 100), (1, 1.0, 200), (1, 2.0, 300), (1, 3.0, 600), (1, 4.0, 901)])
    assert reports.at.tolist() == [4]
    assert reports.mean[0] == pytest.approx(300)
    assert reports.seen[0] == 4
