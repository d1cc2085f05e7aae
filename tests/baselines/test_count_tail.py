"""count_tail against a plain reading of its rules, and its behaviour on counts that a person can picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import count_tail
from livesec.baselines.count_tail import Rules
from livesec.baselines.tails import negative_binomial_log_tail
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, weight
Report = tuple[int, int]  # row, count

RULES = Rules(
    window_s=60,
    quiet_s=3600,
    forget_s=30 * 86_400,
    learn_s=1200,
    learn_windows=20,
    floor=50,
    log_p=math.log(1e-6),
    prior_mean=1.0,
)


def _count(rows: list[Row], rules: Rules = RULES, state: KeyedState | None = None) -> count_tail.Reports:
    return count_tail.count(
        KeyedState(count_tail.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )


def _found(rows: list[Row], rules: Rules = RULES) -> list[Report]:
    reports = _count(rows, rules)
    return list(zip(reports.at.tolist(), reports.count.tolist(), strict=True))


@dataclass
class _Host:
    first_s: float
    last_s: float
    window: int
    count: int = 0
    offending: bool = False
    told: bool = False
    learned: list[int] = field(default_factory=list)
    taught_day: int | None = None
    taught: list[int] = field(default_factory=list)
    offence_s: float = -math.inf
    offended: int = 0
    report_at: int = 0

    def young(self, rules: Rules) -> bool:
        return self.window * rules.window_s - self.first_s < rules.learn_s or len(self.learned) < rules.learn_windows

    def gate(self, rules: Rules) -> int:
        if self.young(rules):
            return rules.young_limit
        mean, shape = self._mean_and_shape(rules)
        second = sorted([0, 0, *self.taught])[-2]
        return max(rules.floor, 1 + int(mean + 2 * math.sqrt(mean + mean**2 / shape)), 2 * second)

    def log_p(self, rules: Rules) -> float:
        mean, shape = self._mean_and_shape(rules)
        return negative_binomial_log_tail(self.count, mean, shape)

    def _mean_and_shape(self, rules: Rules) -> tuple[float, float]:
        n = len(self.learned) + 2
        total = sum(self.learned) + 2 * rules.prior_mean
        squares = sum(count**2 for count in self.learned) + 2 * (rules.prior_mean**2 + rules.prior_mean)
        mean = total / n
        variance = squares / n - mean**2
        shape = min(total, 20.0, mean**2 / (variance - mean) if variance > mean else math.inf)
        return mean, shape


def _plain(rows: list[Row], rules: Rules) -> list[Report]:
    hosts: dict[int, _Host] = {}
    reports = []
    for at, (key, time_s, weight) in enumerate(rows):
        host = hosts.get(key)
        if host is None or time_s - host.last_s >= rules.forget_s:
            host = hosts[key] = _Host(time_s, time_s, int(time_s // rules.window_s))
        now_s = max(host.last_s, time_s)
        window = int(now_s // rules.window_s)
        if window != host.window:
            day = int(host.last_s // 86_400)
            if not host.offending or day != host.taught_day:
                host.learned.append(min(host.count, 2 * host.gate(rules)) if host.offending else host.count)
                if host.offending:
                    host.taught_day = day
                    host.taught.append(host.count)
            host.window, host.count, host.offending, host.told = window, 0, False, False
        host.last_s = now_s
        host.count += weight
        if weight == 0:
            continue
        if host.young(rules):
            if host.count < rules.young_limit:
                continue
        elif host.count < host.gate(rules) or host.log_p(rules) > rules.log_p:
            continue
        if now_s - host.offence_s >= rules.quiet_s:
            host.offended = host.report_at = 0
        host.offence_s = now_s
        host.offended += weight if host.offending else host.count
        host.offending = True
        if host.offended >= host.report_at and not (host.told and rules.once_per_window):
            host.report_at = 4 * host.offended
            host.told = True
            reports.append((at, host.count))
    return reports


_STEPS = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from([0.0, 5.0, 61.0, 70.0, 600.0, 4000.0]),
        st.sampled_from([0, 1, 1, 2, 3, 10, 40]),
    ),
    max_size=150,
)


@settings(deadline=None, max_examples=examples(60))
@given(_STEPS, st.integers(0, 150), st.sampled_from([count_tail.NEVER, 12]), st.sampled_from([1, 15]))
def test_as_the_plain_rules(steps: list[Row], cut: int, young_limit: int, floor: int) -> None:
    rules = RULES._replace(
        floor=floor, young_limit=young_limit, learn_windows=3, learn_s=100, log_p=math.log(0.01), quiet_s=300
    )
    clock_s = 0.0
    rows = []
    for number, (key, step_s, weight) in enumerate(steps):
        clock_s += step_s
        rows.append((key, max(0.0, clock_s - 90) if number % 9 == 8 else clock_s, weight))
    state = KeyedState(count_tail.COLUMNS)
    first = _count(rows[:cut], rules, state)
    restored = KeyedState(count_tail.COLUMNS)
    restored.load(state.to_bytes())
    second = _count(rows[cut:], rules, restored)
    found = [*zip(first.at.tolist(), first.count.tolist(), strict=True)]
    found += [(at + len(rows[:cut]), count) for at, count in zip(second.at, second.count, strict=True)]
    assert found == _plain(rows, rules)


def _minutes(minutes: int, mean: float) -> list[Row]:
    counts = np.random.default_rng(2).poisson(mean, minutes)
    return [(1, 60.0 * minute, int(count)) for minute, count in enumerate(counts)]


def test_many_more_than_usual_is_found_before_its_minute_ends() -> None:
    burst = [(1, 18_000.0 + second, 10) for second in range(50)]
    reports = _count(_minutes(300, 20.0) + burst)
    assert len(reports.at) == 1
    assert 50 < reports.count[0] < 150  # of the minute's 500
    assert reports.mean[0] == pytest.approx(20.0, rel=0.05)
    assert reports.log_p[0] <= math.log(1e-6)
    assert reports.windows[0] == 300


def test_an_attack_does_not_make_itself_usual() -> None:
    attack = [(1, 18_000.0 + 60 * minute, 1000) for minute in range(64)]
    assert [count for _, count in _found(_minutes(300, 20.0) + attack)] == [1000] * 4  # 1, 4, 16, 64 minutes


def test_a_new_job_of_every_day_becomes_usual_within_days() -> None:
    days = [
        row
        for day in range(10)
        for row in [
            *((1, 86_400.0 * day + time_s, count) for _, time_s, count in _minutes(300, 20.0)),
            (1, 86_400.0 * day + 20_000, 1000),
        ]
    ]
    assert [days[at][1] // 86_400 for at, _ in _found(days)] == [0, 1]


def test_a_busy_host_is_no_news() -> None:
    assert _found(_minutes(2000, 400.0)) == []


def test_below_the_floor_nothing_is_many() -> None:
    assert _found([*_minutes(300, 0.5), (1, 18_000.0, 49)]) == []
    assert _found([*_minutes(300, 0.5), (1, 18_000.0, 50)]) == [(300, 50)]


def test_young_keys_are_judged_by_the_young_limit_alone() -> None:
    assert _found([(1, 0.0, 10_000)]) == []
    assert _found([(1, 0.0, 99), (1, 1.0, 1)], RULES._replace(young_limit=100)) == [(1, 100)]


def test_absurd_weights_do_not_overflow() -> None:
    rows = _minutes(300, 5.0) + [(1, 18_000.0 + 60 * step, 2**62) for step in range(5000)] + [(1, 4e5, -3)]
    reports = _count(rows)
    assert 5 <= len(reports.at) <= 20
    assert (reports.count > 0).all() and (reports.offended > 0).all()
