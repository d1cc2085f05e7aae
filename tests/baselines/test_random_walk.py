"""random_walk, and known_values with it, against a plain reading of their rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baselines.known_values_plain import PlainKnown

from livesec.baselines import random_walk
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

QUICK = random_walk.Rules(0.99, 0.01, pause_s=100, half_life_s=0, spacing_s=0, quiet_s=1000, forget_s=5000)
SLOW = random_walk.Rules(0.99, 0.001, pause_s=0, half_life_s=500, spacing_s=40, quiet_s=1000, forget_s=5000)
Row = tuple[int, float, int, bool]  # key, seconds, target, failed
Report = tuple[int, int, int, float]  # row, failures, first contacts, span


def walk(rows: list[Row], rules: random_walk.Rules, state: KeyedState | None = None) -> list[Report]:
    reports = random_walk.walk(
        KeyedState(random_walk.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.array([row[3] for row in rows], dtype=np.bool_),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )
    spans = reports.span_s.round(3).tolist()
    return list(zip(reports.at.tolist(), reports.failures.tolist(), reports.contacts.tolist(), spans, strict=True))


@dataclass
class Host:
    last_s: float
    contact_s: float
    failed_s: float
    scan_s: float
    known: PlainKnown = field(default_factory=PlainKnown)
    walk: float = 0.0
    contacts: int = 0
    failures: list[float] = field(default_factory=list)
    report_at: int = 0

    def restart(self) -> None:
        self.walk, self.contacts, self.failures = 0.0, 0, []

    def step(self, failed: bool, rules: random_walk.Rules) -> bool:
        """Whether it was a failure that counts."""
        passed_s, self.contact_s = self.last_s - self.contact_s, self.last_s
        if 0 < rules.pause_s <= passed_s:
            self.restart()
        if rules.half_life_s:
            self.walk *= 0.5 ** (passed_s / rules.half_life_s)
        if failed and self.last_s - self.failed_s < rules.spacing_s:
            return False
        self.contacts += 1
        self.walk += math.log(4) if failed else -math.log(4)
        if self.walk <= math.log((1 - rules.detection) / (1 - rules.false_alarm)):
            self.restart()
        if failed:
            self.failed_s = self.last_s
            self.failures.append(self.last_s)
        return failed


def plain(rows: list[Row], rules: random_walk.Rules) -> list[Report]:
    limit = math.log(rules.detection / rules.false_alarm)
    hosts: dict[int, Host] = {}
    reports = []
    for at, (key, time_s, target, failed) in enumerate(rows):
        host = hosts.get(key)
        if host is None or time_s - host.last_s >= rules.forget_s:
            host = hosts[key] = Host(time_s, time_s, time_s - rules.spacing_s, time_s)
        host.last_s = max(host.last_s, time_s)
        if not host.known.meet(target) or not host.step(failed, rules):
            continue
        host.walk = min(host.walk, limit)
        if host.walk < limit:
            continue
        if host.last_s - host.scan_s >= rules.quiet_s:
            host.report_at = 0
        host.scan_s = host.last_s
        failures = len(host.failures)
        if failures >= host.report_at:
            host.report_at = 4 * failures
            reports.append((at, failures, host.contacts, round(host.last_s - host.failures[0], 3)))
    return reports


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from([-5.0, 0.0, 1.0, 39.0, 40.0, 41.0, 99.0, 100.0, 700.0, 1000.0, 5000.0]),
            st.integers(0, 40).map(lambda number: number << 57 | number % 9),
            st.sampled_from([True, True, True, False]),
        ),
        max_size=80,
    ),
    st.integers(0, 80),
    st.sampled_from([QUICK, SLOW]),
)
def test_as_the_plain_rules(steps: list[Row], cut: int, rules: random_walk.Rules) -> None:
    times_s = np.cumsum([1000.0, *(step for _, step, _, _ in steps)])[1:].tolist()
    rows = [(key, time_s, target, failed) for (key, _, target, failed), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(random_walk.COLUMNS)
    found = walk(rows[:cut], rules, state)
    for at, failures, contacts, span_s in walk(rows[cut:], rules, state):
        found.append((at + len(rows[:cut]), failures, contacts, span_s))
    assert found == plain(rows, rules)


def test_four_failures_are_a_scan_and_of_the_known_none_counts() -> None:
    assert walk([(1, float(n), n << 60, True) for n in range(4)], QUICK) == [(3, 4, 4, 3.0)]
    assert walk([(1, float(n), n % 3 << 60, True) for n in range(40)], QUICK) == []


def test_slow_walk_fades_and_spaces_its_failures() -> None:
    assert walk([(1, 40.0 * n, n << 60, True) for n in range(7)], SLOW) == [(5, 6, 6, 200.0)]
    assert walk([(1, 20.0 * n, n << 60, True) for n in range(10)], SLOW) == []
    assert walk([(1, 400.0 * n, n << 60, True) for n in range(12)], SLOW) == []
