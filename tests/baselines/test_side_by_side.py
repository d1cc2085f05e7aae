"""side_by_side against a list of what each key used."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import side_by_side
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

WINDOW_S, FRESH_S, LEARN_S, QUIET_S, FORGET_S = 100, 1000, 2000, 3000, 20_000
Row = tuple[int, int, int]  # key, seconds, value
Report = tuple[int, int, int, int, int, int]  # row, since the other, since this, values, rows of the episode, group


def _alternations(rows: list[Row], state: KeyedState) -> list[Report]:
    found = side_by_side.alternations(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.array([10 * row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        window_s=WINDOW_S,
        fresh_s=FRESH_S,
        learn_s=LEARN_S,
        quiet_s=QUIET_S,
        forget_s=FORGET_S,
    )
    columns = (
        found.at,
        found.other_s.astype(int),
        found.before_s.astype(int),
        found.values,
        found.episode,
        found.other_group,
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


class _Plain:
    """One key."""

    def __init__(self, now_s: int) -> None:
        self.begun_s = self.last_s = now_s
        self.first_s: dict[int, int] = {}
        self.uses: list[tuple[int, int]] = []  # (time, value), oldest first
        self.in_turn_s = -QUIET_S
        self.episode = self.report_at = 0

    def use(self, time_s: int, value: int) -> tuple[int, int, int, int, int] | None:
        now_s = self.last_s = max(self.last_s, time_s)
        before = [at for at, (used_s, used) in enumerate(self.uses) if used == value and now_s - used_s < FORGET_S]
        if not before:
            self.first_s[value] = now_s
        told = None
        if before and now_s - self.begun_s >= LEARN_S and now_s - self.uses[before[-1]][0] <= WINDOW_S:
            new = now_s - self.first_s[value] < FRESH_S
            since = self.uses[before[-1] + 1 :]
            others = [(used_s, used) for used_s, used in since if (now_s - self.first_s[used] < FRESH_S) != new]
            if others:
                told = self._told(now_s, *others[-1], self.uses[before[-1]][0])
        self.uses.append((now_s, value))
        return told

    def _told(self, now_s: int, other_s: int, other: int, before_s: int) -> tuple[int, int, int, int, int] | None:
        if now_s - self.in_turn_s >= QUIET_S:
            self.episode = self.report_at = 0
        self.in_turn_s = now_s
        self.episode += 1
        if self.episode < self.report_at:
            return None
        self.report_at = 4 * self.episode
        return now_s - other_s, now_s - before_s, len(self.first_s), self.episode, 10 * other


def _plain(rows: list[Row]) -> list[Report]:
    keys: dict[int, _Plain] = {}
    reports = []
    for at, (key, time_s, value) in enumerate(rows):
        if key not in keys or time_s - keys[key].last_s >= FORGET_S:
            keys[key] = _Plain(time_s)
        told = keys[key].use(time_s, value)
        if told is not None:
            reports.append((at, *told))
    return reports


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2]),
            st.sampled_from([-20, 0, 5, 20, 50, 100, 900, 3000, 20_000]),
            st.integers(1, 4),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_as_a_list_says_in_any_batches(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([gap for _, gap, _ in steps], dtype=np.int64).tolist()
    rows = [(key, 10_000 + time_s, value) for (key, _, value), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(side_by_side.COLUMNS)
    found = _alternations(rows[:cut], state)
    restored = KeyedState(side_by_side.COLUMNS)
    restored.load(state.to_bytes())
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in _alternations(rows[cut:], restored)]
    assert found == _plain(rows)


def test_of_many_values_the_one_unused_longest_is_new_again() -> None:
    many = [(1, 10 * number, 1 + number) for number in range(side_by_side.KEPT_VALUES)]
    beyond = [(1, 5000, 99), (1, 5010, 2), (1, 5020, 99), (1, 5030, 1), (1, 5040, 2), (1, 5050, 1)]
    state = KeyedState(side_by_side.COLUMNS)
    assert [at - len(many) for at, *_ in _alternations(many + beyond, state)] == [2]
