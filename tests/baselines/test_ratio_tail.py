"""ratio_tail against a plain reading of its rules; its histogram and tail have tests of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import log_histogram, ratio_tail
from livesec.baselines.size_tail import log_tail
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int, int]  # key, seconds, sent, received
Report = tuple[int, int, int, int, int]  # row, sent, received, windows learnt, sum of the episode

RULES = ratio_tail.Rules(
    window_s=3600,
    quiet_s=20_000,
    forget_s=20 * 86_400,
    learn_s=40_000,
    learn_windows=10,
    least_bytes=1000,
    floor=5000,
    least_shift=0.5,
    log_p=math.log(0.2),
)


def fill(rows: list[Row], state: KeyedState | None = None) -> list[Report]:
    reports = ratio_tail.fill(
        KeyedState(ratio_tail.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.array([row[3] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        RULES,
    )
    columns = (reports.at, reports.sent, reports.received, reports.windows, reports.offended)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def score_of(quotient: float) -> float:
    return (quotient - 1) / (quotient + 1)


@dataclass
class Host:
    first_s: float
    last_s: float
    window: int
    sent: int = 0
    received: int = 0
    tested: list[int] = field(default_factory=list)
    offending: bool = False
    told: bool = False
    learnt: list[int] = field(default_factory=list)
    taught_day: int = -1
    offence_s: float = -math.inf
    offended: int = 0
    report_at: int = 0

    def quotient(self) -> int:
        return int(min(self.sent / max(self.received, 1), 64.0) * ratio_tail.UNIT)

    def turn(self, window: int) -> None:
        day = int(self.last_s // 86_400)
        if self.sent + self.received >= RULES.least_bytes and not (self.offending and day == self.taught_day):
            self.learnt.append(max([self.quotient(), *self.tested]))
        if self.offending:
            self.taught_day = day
        self.window, self.sent, self.received = window, 0, 0
        self.tested, self.offending, self.told = [], False, False

    def offends(self) -> bool:
        if self.window * 3600 - self.first_s < RULES.learn_s or len(self.learnt) < RULES.learn_windows:
            return False
        state = KeyedState(log_histogram.HISTOGRAM_COLUMNS)
        histogram = log_histogram.histogram_of(state)
        log_histogram.clear(histogram, 0)
        for quotient in self.learnt:
            log_histogram.learn(histogram, 0, quotient)
        usual = math.exp(log_histogram.median_and_mad(histogram, 0)[0]) / ratio_tail.UNIT
        now = self.quotient()
        shift = score_of(now / ratio_tail.UNIT) - score_of(usual)
        known = log_histogram.edge_above(histogram, 0, 2)
        log_p = log_tail(histogram, 0, now, ratio_tail.UNIT, RULES.learn_windows)
        return shift >= RULES.least_shift and log_histogram.log_of(now) > known and log_p <= RULES.log_p


def plain(rows: list[Row]) -> list[Report]:
    hosts: dict[int, Host] = {}
    reports = []
    for at, (key, time_s, sent, received) in enumerate(rows):
        host = hosts.get(key)
        if host is None or time_s - host.last_s >= RULES.forget_s:
            host = hosts[key] = Host(time_s, time_s, int(time_s // 3600))
        now_s = max(host.last_s, time_s)
        if int(now_s // 3600) != host.window:
            host.turn(int(now_s // 3600))
        host.last_s = now_s
        host.sent += max(sent, 0)
        host.received += max(received, 0)
        if host.sent < RULES.floor:
            continue
        host.tested.append(host.quotient())
        if not host.offends():
            continue
        if now_s - host.offence_s >= RULES.quiet_s:
            host.offended = host.report_at = 0
        host.offence_s = now_s
        host.offended += max(sent, 0) if host.offending else host.sent
        host.offending = True
        if host.offended >= host.report_at and not host.told:
            host.report_at, host.told = 4 * host.offended, True
            reports.append((at, host.sent, host.received, len(host.learnt), host.offended))
    return reports


@settings(deadline=None, max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 2),
            st.sampled_from([-9.0, 0.0, 600.0, 3600.0, 3600.0, 9000.0]),
            st.sampled_from([-1, 10, 100, 400, 6000, 90_000]),
            st.sampled_from([0, 900, 5000, 20_000]),
        ),
        max_size=100,
    ),
    st.integers(0, 100),
)
def test_as_the_plain_rules(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([1000.0, *(step[1] for step in steps)])[1:].tolist()
    rows = [(key, time_s, sent, back) for (key, _, sent, back), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(ratio_tail.COLUMNS)
    found = fill(rows[:cut], state)
    for at, *numbers in fill(rows[cut:], state):
        sent, received, windows, offended = numbers
        found.append((at + len(rows[:cut]), sent, received, windows, offended))
    assert found == plain(rows)


@pytest.mark.parametrize(("sent", "news"), [(4999, False), (5000, True)])
def test_a_receiver_that_sends_is_news_from_the_floor_on(sent: int, news: bool) -> None:
    usual = [(1, 3600.0 * hour, 500, 20_000) for hour in range(60)]
    found = fill([*usual, (1, 216_000.0, sent, 200), (1, 216_600.0, sent, 200), (1, 219_600.0, sent, 200)])
    assert [at for at, *_ in found] == ([60] if news else [61])
