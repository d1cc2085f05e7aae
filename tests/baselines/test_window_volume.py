"""window_volume against a plain reading of its rules, and its behaviour on days that a person can picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import log_histogram, window_volume
from livesec.baselines.log_histogram import Histogram
from livesec.baselines.window_volume import Rules
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, int]  # key, seconds, bytes
Report = tuple[int, int]  # row, volume

RULES = Rules(
    window_s=300,
    quiet_s=3600,
    forget_s=30 * 86_400,
    learn_s=7200,
    learn_windows=5,
    floor=10_000,
    factor=3.0,
    z=4.0,
)
HOUR_S = 3600.0
DAY_S = 86_400.0


def _fill(rows: list[Row], rules: Rules = RULES, state: KeyedState | None = None) -> window_volume.Reports:
    return window_volume.fill(
        KeyedState(window_volume.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        rules,
    )


def _found(rows: list[Row], rules: Rules = RULES) -> list[Report]:
    reports = _fill(rows, rules)
    return list(zip(reports.at.tolist(), reports.volume.tolist(), strict=True))


@dataclass
class _Host:
    first_s: float
    last_s: float
    window: int
    volume: int = 0
    offending: bool = False
    told: bool = False
    learned: list[int] = field(default_factory=list)
    taught_day: int | None = None
    offence_s: float = -math.inf
    offended: int = 0
    report_at: int = 0

    def limit(self, rules: Rules) -> float:
        if self.window * rules.window_s - self.first_s < rules.learn_s or len(self.learned) < rules.learn_windows:
            return math.inf
        histogram = Histogram(np.zeros((1, log_histogram.BINS), np.uint16), np.zeros(1, np.int64))
        for volume in self.learned:
            log_histogram.learn(histogram, 0, volume)
        median, mad = log_histogram.median_and_mad(histogram, 0)
        n = len(self.learned)
        scale = 1.4826 * max(rules.mad_floor, (n * mad + 20 * rules.prior_mad) / (n + 20))
        second_largest = math.exp(log_histogram.edge_above(histogram, 0, 2))
        return max(
            rules.floor,
            rules.factor * math.exp(median),
            rules.factor * second_largest,
            math.exp(median + rules.z * scale),
        )


def _plain(rows: list[Row], rules: Rules) -> list[Report]:
    hosts: dict[int, _Host] = {}
    reports = []
    for at, (key, time_s, amount) in enumerate(rows):
        window = int(time_s // rules.window_s)
        host = hosts.get(key)
        if host is None or time_s - host.last_s >= rules.forget_s:
            host = hosts[key] = _Host(time_s, time_s, window)
        now_s = max(host.last_s, time_s)
        window = int(now_s // rules.window_s)
        if window != host.window:
            day = int(host.last_s // DAY_S)
            mature = len(host.learned) >= rules.learn_windows
            if not host.offending or not mature or day != host.taught_day:
                if host.offending and mature:
                    host.taught_day = day
                host.learned.append(host.volume)
            host.window, host.volume, host.offending, host.told = window, 0, False, False
        host.last_s = now_s
        host.volume += amount
        if host.volume < int(min(host.limit(rules), 1e18)):
            continue
        if now_s - host.offence_s >= rules.quiet_s:
            host.offended = host.report_at = 0
        host.offence_s = now_s
        host.offended += amount if host.offending else host.volume
        host.offending = True
        if host.offended >= host.report_at and not (host.told and rules.once_per_window):
            host.report_at = 4 * host.offended
            host.told = True
            reports.append((at, host.volume))
    return reports


_STEPS = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.sampled_from([0.0, 20.0, 200.0, 300.0, 900.0, 20_000.0]),
        st.sampled_from([0, 70, 900, 5_000, 12_000, 200_000, 9_000_000, 10**9]),
    ),
    max_size=120,
)


@settings(deadline=None, max_examples=examples(60))
@given(_STEPS, st.integers(0, 120), st.booleans())
def test_as_the_plain_rules(steps: list[Row], cut: int, once_per_window: bool) -> None:
    rules = RULES._replace(once_per_window=once_per_window, learn_windows=2)
    clock_s = 0.0
    rows = []
    for number, (key, step_s, amount) in enumerate(steps):
        clock_s += step_s
        rows.append((key, max(0.0, clock_s - 400) if number % 9 == 8 else clock_s, amount))
    state = KeyedState(window_volume.COLUMNS)
    first = _fill(rows[:cut], rules, state)
    restored = KeyedState(window_volume.COLUMNS)
    restored.load(state.to_bytes())
    second = _fill(rows[cut:], rules, restored)
    found = [*zip(first.at.tolist(), first.volume.tolist(), strict=True)]
    found += [(at + len(rows[:cut]), volume) for at, volume in zip(second.at, second.volume, strict=True)]
    assert found == _plain(rows, rules)


def _office_days(days: int, each: int = 20_000) -> list[Row]:
    """A window of about `each` bytes every ten minutes of the day."""
    random = np.random.default_rng(1)
    minutes = np.arange(0, days * 1440, 10)
    return [(1, 60.0 * minute, int(each * random.lognormal(0, 0.5))) for minute in minutes.tolist()]


def test_a_flood_is_found_while_its_window_fills() -> None:
    quiet = _office_days(3)
    flood = [(1, 3 * DAY_S + 10 + second, 100_000) for second in range(200)]
    reports = _fill(quiet + flood)
    assert len(reports.at) == 1  # once in the window
    assert reports.volume[0] < 3_000_000  # not at its end, 20 MB
    assert reports.median[0] == pytest.approx(20_000, rel=0.1)
    assert reports.z[0] >= 4.0
    assert reports.windows[0] == 432
    last_line = len(quiet) + 200 - 1
    assert set(reports.evidence[0].tolist()) <= {-1, *range(len(quiet), last_line)}


def test_a_flood_of_hours_is_reported_as_its_sum_quadruples() -> None:
    flood = [(1, 3 * DAY_S + 300 * window, 10**9) for window in range(64)]
    assert [volume for _, volume in _found(_office_days(3) + flood)] == [10**9] * 4  # 1, 4, 16, 64 windows


def test_the_same_volume_again_and_again_becomes_usual_after_two_days() -> None:
    rows = _office_days(8)
    rows += [(1, day * DAY_S + 3600 + 5, 4 * 10**9) for day in range(3, 8)]
    rows.sort(key=lambda row: row[1])
    nights = [rows[at][1] // DAY_S for at, _ in _found(rows)]
    assert nights == [3, 4]


def test_an_attacker_cannot_teach_in_one_day() -> None:
    rows = _office_days(4) + [(1, 3 * DAY_S + 600 * step + 5, 10**9) for step in range(100)]
    state = KeyedState(window_volume.COLUMNS)
    _fill(sorted(rows, key=lambda row: row[1]), state=state)
    assert int(state["bins"][0, log_histogram.bin_of(10**9)]) == 1


def test_young_keys_are_not_judged() -> None:
    assert _found([(1, 0.0, 100), (1, 400.0, 10**12)]) == []


def test_a_young_limit_judges_young_keys() -> None:
    rules = RULES._replace(young_limit=10**7)
    assert _found([(1, 0.0, 100), (1, 400.0, 10**7 - 1)], rules) == []
    assert _found([(1, 0.0, 100), (1, 400.0, 10**7)], rules) == [(1, 10**7)]


def test_absurd_amounts_do_not_overflow() -> None:
    rows = _office_days(3) + [(1, 3 * DAY_S + 300.0 * step, 2**62) for step in range(40)] + [(1, 4 * DAY_S, -5)]
    assert all(volume == window_volume.LARGEST_AMOUNT for _, volume in _found(rows))
