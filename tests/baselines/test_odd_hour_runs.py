"""odd_hour_runs against a plain reading of its rules, on top of hour_profile's own reports."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import hour_profile, odd_hour_runs
from livesec.baselines.odd_hour_runs import FORGET_AT, KINDS
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

HOUR_S, DAY_S = 3600, 86_400
MONDAY_S = 20_514 * DAY_S  # 2026-03-02
IDLE_S = 90 * DAY_S
RULES = odd_hour_runs.RunRules(floor=2, log_p=math.log(0.2), learn_acts=6, pause_us=1800 * 1_000_000)
HOURS: dict[str, Any] = {
    "suspect": np.zeros(24, dtype=np.bool_),
    "prior": hour_profile.hour_prior(np.arange(24) >= 22, 8.0),
    "report_p": 0.1,
    "warm": 5,
    "mature": 5,
    "half_life_days": 14.0,
    "idle_s": float(IDLE_S),
}


class Row(NamedTuple):
    key: int
    time_s: int
    kind: int


Report = tuple[int, int, float, int]  # row, run, seconds since its first, acts learnt


def _follow(rows: list[Row], state: KeyedState) -> tuple[list[Report], list[float]]:
    times_us = np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64)
    found = odd_hour_runs.follow(
        state,
        number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        times_us,
        times_us // (HOUR_S * 1_000_000),
        np.array([row.kind for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        hour_profile.hour_limits(**HOURS),
        RULES,
    )
    columns = (found.at, found.run, found.span_s, found.acts)
    return list(zip(*(column.tolist() for column in columns), strict=True)), found.log_p.tolist()


class _Plain:
    """One key; its strange hours are those that hour_profile says."""

    def __init__(self) -> None:
        self.acts, self.again = [0] * KINDS, [0] * KINDS
        self.kind, self.last_s = -1, -(10**9)
        self.run = self.from_s = self.report_at = 0

    def see(self, row: Row, now_s: int, strange: bool) -> tuple[int, float, int, float] | None:
        same = row.kind == self.kind and now_s - self.last_s < 1800
        if not same:
            self.kind, self.run, self.from_s, self.report_at = row.kind, 0, now_s, 1
        self.run, self.last_s = self.run + 1, now_s
        if not strange:
            self.acts[row.kind] += 1
            self.again[row.kind] += same
            if sum(self.acts) >= FORGET_AT:
                self.acts, self.again = [one // 2 for one in self.acts], [one // 2 for one in self.again]
            return None
        first = (self.acts[row.kind] + 1) / (sum(self.acts) + KINDS)
        again = (self.again[row.kind] + 1) / (self.acts[row.kind] + 2)
        log_p = math.log(first) + (self.run - 1) * math.log(again)
        if self.run < max(2, self.report_at) or sum(self.acts) < 6 or log_p > RULES.log_p:
            return None
        self.report_at = 4 * self.run
        return self.run, float(now_s - self.from_s), sum(self.acts), log_p


def _strange_hours(rows: list[Row]) -> set[tuple[int, int]]:
    """(key, clock hour) of the strange hours: those that a state just before finds strange, whatever it reports."""
    found = set()
    keyed: dict[int, KeyedState] = {}
    for row in rows:
        state = keyed.setdefault(row.key, KeyedState(hour_profile.COLUMNS))
        before = int(state["strange_us"].view(np.int64)[0]) if len(state) else None
        before_count = int(state["strange"].view(np.int64)[0]) if len(state) else 0
        hour_profile.strange_hours(
            state,
            number_keys(np.array([row.key], dtype=np.int64)),
            np.array([row.time_s * 1_000_000], dtype=np.int64),
            np.array([row.time_s // HOUR_S], dtype=np.int64),
            hour_profile.hour_limits(**HOURS),
        )
        after, count = int(state["strange_us"].view(np.int64)[0]), int(state["strange"].view(np.int64)[0])
        if before is not None and count > 0 and (after, count) != (before, before_count):
            found.add((row.key, row.time_s // HOUR_S))
    return found


def _plain(rows: list[Row]) -> tuple[list[Report], list[float]]:
    strange = _strange_hours(rows)
    keys: dict[int, _Plain] = {}
    last_s: dict[int, int] = {}
    reports, log_ps = [], []
    for at, row in enumerate(rows):
        now_s = max(row.time_s, last_s.get(row.key, 0))
        if row.key not in keys or row.time_s - last_s[row.key] >= IDLE_S:
            keys[row.key], now_s = _Plain(), row.time_s
        last_s[row.key] = now_s
        told = keys[row.key].see(row, now_s, (row.key, now_s // HOUR_S) in strange)
        if told is not None:
            reports.append((at, *told[:3]))
            log_ps.append(told[3])
    return reports, log_ps


def _workdays(days: int) -> list[Row]:
    """Six acts, now this, now that, at 9, 10 and 11 h."""
    return [
        Row(1, MONDAY_S + day * DAY_S + 9 * HOUR_S + number * 1200, number % 3)
        for day in range(days)
        for number in range(9)
    ]


@settings(deadline=None, max_examples=200)
@given(
    st.integers(0, 6),
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2]),
            st.sampled_from([0, 60, 600, 1799, 1800, 3600, 40_000, DAY_S, IDLE_S]),
            st.sampled_from([0, 0, 0, 1, 2, 7]),
        ),
        max_size=60,
    ),
    st.integers(0, 100),
)
def test_as_the_plain_rules_in_any_batches(days: int, steps: list[tuple[int, int, int]], cut: int) -> None:
    rows = _workdays(days)
    time_s = rows[-1].time_s if rows else MONDAY_S
    for key, gap_s, kind in steps:
        time_s += gap_s
        rows.append(Row(key, time_s, kind))
    state = KeyedState(odd_hour_runs.COLUMNS)
    found, log_ps = _follow(rows[:cut], state)
    restored = KeyedState(odd_hour_runs.COLUMNS)
    restored.load(state.to_bytes())
    more, more_log_ps = _follow(rows[cut:], restored)
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in more]
    expected, expected_log_ps = _plain(rows)
    assert found == expected
    assert log_ps + more_log_ps == pytest.approx(expected_log_ps)


def test_who_does_the_same_again_by_day_may_at_night() -> None:
    ten_minutes = [MONDAY_S + day * DAY_S + 9 * HOUR_S + part * 600 for day in range(4) for part in range(48)]
    night = [Row(1, MONDAY_S + 4 * DAY_S + 3 * HOUR_S + part * 60, 0) for part in range(10)]
    batches = [Row(1, time_s, part // 24 % 2) for part, time_s in enumerate(ten_minutes)]
    assert _follow(batches + night, KeyedState(odd_hour_runs.COLUMNS)) == ([], [])
    mixed = [Row(1, time_s, part % 3) for part, time_s in enumerate(ten_minutes)]
    reports, _ = _follow(mixed + night, KeyedState(odd_hour_runs.COLUMNS))
    assert [run for _, run, _, _ in reports] == [2, 8]
