"""size_tail against a plain reading of its rules, and its behaviour on sizes that a person can picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import log_histogram, size_tail
from livesec.baselines.log_histogram import Histogram
from livesec.baselines.size_tail import Rules
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, bytes
MB = 10**6
RULES = Rules(floor=10 * MB, young_limit=100 * MB, learn=20, log_p=math.log(1e-3), quiet_s=3600, forget_s=30 * 86_400)


def _judge(rows: list[Row], rules: Rules = RULES, state: KeyedState | None = None) -> size_tail.Reports:
    return size_tail.judge(
        KeyedState(size_tail.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )


@dataclass
class _User:
    last_s: float
    learned: list[int] = field(default_factory=list)
    taught_day: int | None = None
    offence_s: float = -math.inf
    offended: int = 0
    report_at: int = 0

    def histogram(self) -> Histogram:
        histogram = Histogram(np.zeros((1, log_histogram.BINS), np.uint16), np.zeros(1, np.int64))
        for size in self.learned:
            log_histogram.learn(histogram, 0, size)
        return histogram

    def log_p(self, size: int, rules: Rules) -> float:
        if len(self.learned) < rules.learn:
            return math.log(0.1) - 5 * math.log(1 + max(0.0, math.log(size / rules.floor)) / 5)
        rank = max(1, math.ceil(0.9 * len(self.learned)))
        edge, values, excess = log_histogram.tail_above(self.histogram(), 0, rank)
        beyond = max(0.0, log_histogram.log_of(size) - edge)
        return math.log(values / len(self.learned)) - (values + 5) * math.log(1 + beyond / (excess + 5))

    def is_large(self, size: int, rules: Rules) -> bool:
        if size < rules.floor:
            return False
        if len(self.learned) < rules.learn:
            return size >= rules.young_limit
        known = log_histogram.edge_above(self.histogram(), 0, rules.known_after)
        return self.log_p(size, rules) <= rules.log_p and log_histogram.log_of(size) > known


def _plain(rows: list[Row], rules: Rules) -> list[int]:
    users: dict[int, _User] = {}
    reports = []
    for at, (key, time_s, size) in enumerate(rows):
        user = users.get(key)
        if user is None or time_s - user.last_s >= rules.forget_s:
            user = users[key] = _User(time_s)
        now_s = user.last_s = max(user.last_s, time_s)
        if not user.is_large(size, rules):
            user.learned.append(size)
            continue
        if now_s - user.offence_s >= rules.quiet_s:
            user.offended = user.report_at = 0
        user.offence_s = now_s
        user.offended += size
        if user.offended >= user.report_at:
            user.report_at = 4 * user.offended
            reports.append(at)
        if len(user.learned) < rules.learn or int(now_s // 86_400) != user.taught_day:
            user.taught_day = int(now_s // 86_400)
            user.learned.append(size)
    return reports


_STEPS = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from([0.0, 10.0, 2000.0, 5000.0, 90_000.0]),
        st.sampled_from([0, 50, 3000, 80_000, 2 * MB, 11 * MB, 99 * MB, 100 * MB, 500 * MB, 10**10]),
    ),
    max_size=120,
)


@settings(deadline=None, max_examples=examples(60))
@given(_STEPS, st.integers(0, 120))
def test_as_the_plain_rules(steps: list[Row], cut: int) -> None:
    rules = RULES._replace(learn=5, log_p=math.log(0.02))
    clock_s = 0.0
    rows = []
    for number, (key, step_s, size) in enumerate(steps):
        clock_s += step_s
        rows.append((key, max(0.0, clock_s - 400) if number % 9 == 8 else clock_s, size))
    state = KeyedState(size_tail.COLUMNS)
    found = _judge(rows[:cut], rules, state).at.tolist()
    restored = KeyedState(size_tail.COLUMNS)
    restored.load(state.to_bytes())
    found += [at + len(rows[:cut]) for at in _judge(rows[cut:], rules, restored).at.tolist()]
    assert found == _plain(rows, rules)


def _documents(count: int) -> list[Row]:
    sizes = np.random.default_rng(4).lognormal(math.log(300_000), 1.0, count).astype(np.int64)
    return [(1, 600.0 * number, int(size)) for number, size in enumerate(sizes)]


def test_a_disk_image_from_somebody_who_writes_letters() -> None:
    reports = _judge([*_documents(500), (1, 400_000.0, 2000 * MB)])
    assert reports.at.tolist() == [500]
    assert reports.median[0] == pytest.approx(300_000, rel=0.1)
    assert reports.ninetieth[0] == pytest.approx(300_000 * math.exp(1.2816), rel=0.15)
    assert reports.log_p[0] < math.log(1e-4)


def test_the_tail_is_near_that_of_the_sizes() -> None:
    state = KeyedState(size_tail.COLUMNS)
    pareto = (MB * np.random.default_rng(5).pareto(1.5, 4000) + MB).astype(np.int64)
    _judge([(1, 60.0 * number, int(size)) for number, size in enumerate(pareto)], state=state)
    histogram = log_histogram.histogram_of(state)
    found = size_tail.log_tail(histogram, 0, 1000 * MB, RULES.floor, RULES.learn)
    assert found == pytest.approx(-1.5 * math.log(1000), rel=0.12)  # P(X > x) = (x / 1 MB)^-1.5


def test_large_files_are_no_news_from_somebody_who_edits_film() -> None:
    sizes = np.random.default_rng(6).lognormal(math.log(300 * MB), 0.9, 400).astype(np.int64)
    assert len(_judge([(1, 600.0 * n, int(size)) for n, size in enumerate(sizes)]).at) <= 2


def test_young_accounts_are_judged_by_the_fixed_size() -> None:
    assert _judge([(1, 0.0, 100 * MB - 1)]).at.tolist() == []
    assert _judge([(1, 0.0, 100 * MB)]).at.tolist() == [0]


def test_many_large_files_are_a_few_reports() -> None:
    haul = [(1, 400_000.0 + 30 * number, 500 * MB) for number in range(64)]
    assert [at - 500 for at in _judge(_documents(500) + haul).at.tolist()] == [0, 3, 15, 63]


def test_the_same_large_file_every_night_becomes_usual() -> None:
    nights = [(1, 400_000.0 + 86_400 * night, 2000 * MB) for night in range(6)]
    assert [at - 500 for at in _judge(_documents(500) + nights).at.tolist()] == [0, 1]


def test_absurd_sizes_do_not_overflow() -> None:
    rows = [*_documents(50), *((1, 40_000.0 + n, 2**62) for n in range(3000)), (1, 50_000.0, -1)]
    assert (_judge(rows).offended > 0).all()
