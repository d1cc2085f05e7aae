"""first_seen against dictionaries."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import first_seen
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

KEPT, LEARN_S, LEARN_HOURS, QUIET_S, FORGET_S = 3, 7200, 3, 5000, 40_000
Row = tuple[int, int, int]  # key, seconds, value
Report = tuple[int, int, int, int, int]  # row, hours, news, known, episode


def _first_times(rows: list[Row], state: KeyedState | None = None) -> list[Report]:
    found = first_seen.first_times(
        KeyedState(first_seen.columns(KEPT)) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        learn_s=LEARN_S,
        learn_hours=LEARN_HOURS,
        quiet_s=QUIET_S,
        forget_s=FORGET_S,
    )
    columns = (found.at, found.hours, found.news, found.known, found.episode)
    return list(zip(*(column.tolist() for column in columns), strict=True))


class _Plain:
    """One key."""

    def __init__(self, now_s: int) -> None:
        self.first_s = self.last_s = now_s
        self.hours = 1
        self.news = 0
        self.values: dict[int, int] = {}  # value to when it was last seen, in the order in which places were taken
        self.episode = 0
        self.report_at = 0
        self.new_s = -QUIET_S

    def see(self, time_s: int, value: int) -> tuple[int, int, int, int] | None:
        now_s = max(self.last_s, time_s)
        self.hours += now_s // 3600 != self.last_s // 3600
        self.last_s = now_s
        known = len(self.values)
        old = value in self.values and now_s - self.values[value] < FORGET_S
        if value not in self.values and known == KEPT:
            oldest = min(self.values, key=lambda one: self.values[one])
            self.values = {value if one == oldest else one: seen for one, seen in self.values.items()}
        self.values[value] = now_s
        if old or now_s - self.first_s < LEARN_S or self.hours < LEARN_HOURS:
            return None
        if now_s - self.new_s >= QUIET_S:
            self.episode = self.report_at = 0
        self.new_s = now_s
        self.episode += 1
        self.news += 1
        if self.episode < self.report_at:
            return None
        self.report_at = 4 * self.episode
        return self.hours, self.news - 1, known, self.episode


def _plain(rows: list[Row]) -> list[Report]:
    keys: dict[int, _Plain] = {}
    reports = []
    for at, (key, time_s, value) in enumerate(rows):
        if key not in keys or time_s - keys[key].last_s >= FORGET_S:
            keys[key] = _Plain(time_s)
        told = keys[key].see(time_s, value)
        if told is not None:
            reports.append((at, *told))
    return reports


_ROWS = st.lists(
    st.tuples(st.integers(1, 2), st.sampled_from([-300, 0, 60, 1800, 3600, 5000, 41_000]), st.integers(1, 9)),
    max_size=60,
).map(
    lambda steps: [
        (key, 100_000 + time_s, value)
        for (key, _, value), time_s in zip(
            steps, np.cumsum([gap for _, gap, _ in steps], dtype=np.int64).tolist(), strict=True
        )
    ]
)


@settings(deadline=None, max_examples=200)
@given(_ROWS, st.integers(0, 60))
def test_as_dictionaries_say_in_any_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(first_seen.columns(KEPT))
    found = _first_times(rows[:cut], state)
    restored = KeyedState(first_seen.columns(KEPT))
    restored.load(state.to_bytes())
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in _first_times(rows[cut:], restored)]
    assert found == _plain(rows)


def test_p_falls_with_history_and_rises_with_what_came_new() -> None:
    found = first_seen.FirstTimes(
        *(np.array(column) for column in ([0, 1, 2], [9, 99, 99], [0, 0, 9], [1] * 3, [1] * 3))
    )
    assert found.p.round(4).tolist() == [0.1, 0.01, 0.0917]
