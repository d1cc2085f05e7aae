"""distinct_tail: what it counts is judged as count_tail judges the same counts."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import count_tail, distinct_tail
from livesec.baselines.count_tail import Rules
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, value

RULES = Rules(
    window_s=3600,
    quiet_s=7200,
    forget_s=30 * 86_400,
    learn_s=0,
    learn_windows=5,
    floor=1,
    log_p=math.log(0.01),
    prior_mean=0.25,
    young_limit=6,
    once_per_window=False,
)


def _distinct(rows: list[Row], state: KeyedState | None = None) -> tuple[list[tuple[int, int]], list[bool]]:
    reports, burst = distinct_tail.count_distinct(
        KeyedState(distinct_tail.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.arange(len(rows), dtype=np.int64),
        RULES,
        burst=5,
        leak_s=5.0,
    )
    return list(zip(reports.at.tolist(), reports.count.tolist(), strict=True)), burst.tolist()


def _weights(rows: list[Row]) -> list[int]:
    """1 for a value that its key has not had in the open hour, 0 otherwise."""
    last_s: dict[int, float] = {}
    had: dict[tuple[int, int], set[int]] = {}
    weights = []
    for key, time_s, value in rows:
        last_s[key] = max(last_s.get(key, time_s), time_s)
        hour = had.setdefault((key, int(last_s[key] // 3600)), set())
        weights.append(int(value != 0 and value not in hour))
        hour.add(value)
    return weights


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from([0.0, 300.0, 900.0, 4000.0]), st.integers(0, 12)), max_size=120
    ),
    st.integers(0, 120),
)
def test_counts_as_count_tail_does(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([0.0, *(step + 26.0 for _, step, _ in steps)])[1:].tolist()  # too slow for a burst
    rows = [(key, time_s, value) for (key, _, value), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(distinct_tail.COLUMNS)
    found, bursts = _distinct(rows[:cut], state)
    restored = KeyedState(distinct_tail.COLUMNS)
    restored.load(state.to_bytes())
    more, more_bursts = _distinct(rows[cut:], restored)
    found += [(at + len(rows[:cut]), count) for at, count in more]
    expected = count_tail.count(
        KeyedState(count_tail.COLUMNS),
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array(_weights(rows), dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        RULES,
    )
    assert found == list(zip(expected.at.tolist(), expected.count.tolist(), strict=True))
    assert not any(bursts + more_bursts)


def test_a_file_saved_thirty_times_is_one_file() -> None:
    assert _distinct([(1, 60.0 * n, 7) for n in range(30)]) == ([], [])


def test_a_burst_in_a_reported_hour_is_reported_once_more() -> None:
    clean = [(1, 3600.0 * hour, 0) for hour in range(200)]
    slow = [(1, 720_000.0 + 60 * n, 1 + n) for n in range(2)]  # nobody expected one, so the first is reported
    fast = [(1, 720_600.0 + n, 10 + n) for n in range(9)]
    found, bursts = _distinct(clean + slow + fast)
    assert [(at - 200, count) for at, count in found] == [(0, 1), (3, 4), (6, 7)]
    assert bursts == [False, False, True]
