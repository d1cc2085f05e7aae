"""hourly_count against lists of counts by hour of the day."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import hourly_count
from livesec.baselines.hourly_count import FORGET_AT, Rules
from livesec.baselines.tails import negative_binomial_log_tail
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

RULES = Rules(learn_s=50_000, floor=4, log_p=math.log(0.01), quiet_s=9000, forget_s=1_000_000)
HOUR_S = 3600
Row = tuple[int, int, int]  # key, seconds, weight
Report = tuple[int, int, int, int]  # row, count, windows learnt, sum of the episode
Number = tuple[float, float]  # mean, ln p


class _Plain:
    """One key."""

    def __init__(self, now_s: int, rules: Rules) -> None:
        self.rules = rules
        self.first_s = self.last_s = now_s
        self.counts: dict[int, list[int]] = {hour: [0, 0, 0] for hour in range(24)}  # windows, sum, squares
        self.counted = 0
        self.offending = False
        self.offence_s = -(10**9)
        self.offended = self.report_at = 0

    def _expected(self, window: int) -> tuple[float, float]:
        hour = window // self.rules.parts
        learnt, total, squares = (
            sum(self.counts[beside % 24][which] for beside in (hour - 1, hour, hour + 1)) for which in range(3)
        )
        prior = (sum(own[1] for own in self.counts.values()) + 1) / (sum(own[0] for own in self.counts.values()) + 1)
        imagined = 2 * self.rules.parts
        mean = (total + imagined * prior) / (learnt + imagined)
        surplus = (squares + imagined * (prior**2 + prior)) / (learnt + imagined) - mean**2 - mean
        shape = min(total + imagined * prior, 20.0)
        return mean, min(shape, mean**2 / surplus) if surplus > 0 else shape

    def _likely(self, window: int) -> int:
        mean, shape = self._expected(window)
        return int(mean + 2 * math.sqrt(mean + mean**2 / shape))

    def _learn(self, window: int, count: int) -> None:
        own = self.counts[window // self.rules.parts % 24]
        own[:] = [own[0] + 1, own[1] + count, own[2] + count**2]
        if own[0] >= FORGET_AT * self.rules.parts:
            own[:] = [value // 2 for value in own]

    def see(self, time_s: int, weight: int) -> tuple[int, int, int, float, float] | None:
        before, self.last_s = self.last_s, max(self.last_s, time_s)
        rules, window_s = self.rules, HOUR_S // self.rules.parts
        now_s, window = self.last_s, self.last_s // window_s
        if window != before // window_s:
            last = before // window_s
            self._learn(last, min(self.counted, self._likely(last)) if self.offending else self.counted)
            for silent in range(max(last + 1, window - 168 * rules.parts), window):
                self._learn(silent, 0)
            self.counted, self.offending = 0, False
        self.counted += weight
        gate = max(rules.floor, self._likely(window) + 1)
        if self.counted < gate or window * window_s - self.first_s < rules.learn_s:
            return None
        mean, shape = self._expected(window)
        log_p = negative_binomial_log_tail(self.counted, mean, shape)
        if log_p > rules.log_p:
            return None
        if now_s - self.offence_s >= rules.quiet_s:
            self.offended = self.report_at = 0
        self.offence_s = now_s
        self.offended += weight if self.offending else self.counted
        self.offending = True
        if self.offended < self.report_at:
            return None
        self.report_at = 4 * self.offended
        return self.counted, sum(own[0] for own in self.counts.values()), self.offended, mean, log_p


def _plain(rows: list[Row], rules: Rules) -> tuple[list[Report], list[Number]]:
    keys: dict[int, _Plain] = {}
    reports, numbers = [], []
    for at, (key, time_s, weight) in enumerate(rows):
        if key not in keys or time_s - keys[key].last_s >= rules.forget_s:
            keys[key] = _Plain(time_s, rules)
        told = keys[key].see(time_s, weight)
        if told is not None:
            reports.append((at, *told[:3]))
            numbers.append(told[3:])
    return reports, numbers


def _count(rows: list[Row], state: KeyedState, rules: Rules = RULES) -> tuple[list[Report], list[Number]]:
    found = hourly_count.count(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )
    columns = (found.at, found.count, found.windows, found.offended)
    reports = list(zip(*(column.tolist() for column in columns), strict=True))
    return reports, list(zip(found.mean.tolist(), found.log_p.tolist(), strict=True))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2]),
            st.sampled_from([-60, 0, 60, 1800, 3600, 9000, 86_400, 400_000, 1_000_000]),
            st.sampled_from([1, 1, 2, 5, 40]),
        ),
        max_size=80,
    ),
    st.integers(0, 80),
    st.sampled_from([1, 4]),
)
def test_as_lists_say_in_any_batches(steps: list[Row], cut: int, parts: int) -> None:
    rules = RULES._replace(parts=parts)
    times_s = np.cumsum([gap for _, gap, _ in steps], dtype=np.int64).tolist()
    rows = [(key, 1_000_000 + time_s, weight) for (key, _, weight), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(hourly_count.COLUMNS)
    found, numbers = _count(rows[:cut], state, rules)
    restored = KeyedState(hourly_count.COLUMNS)
    restored.load(state.to_bytes())
    more, more_numbers = _count(rows[cut:], restored, rules)
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in more]
    expected, expected_numbers = _plain(rows, rules)
    assert found == expected
    for one, other in zip(numbers + more_numbers, expected_numbers, strict=True):
        assert one == pytest.approx(other)


def test_an_attack_every_hour_does_not_become_usual_within_a_day() -> None:
    quiet = [(1, 1800 * half, 1) for half in range(24 * 2 * 14)]
    attack = [(1, 14 * 86_400 + HOUR_S * hour, 100) for hour in range(24)]
    state = KeyedState(hourly_count.COLUMNS)
    assert _count(quiet, state) == ([], [])
    reports, numbers = _count(attack, state)
    assert [offended for *_, offended in reports] == [100, 400, 1600]
    assert max(mean for mean, _ in numbers) < 4
