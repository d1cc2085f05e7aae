"""familiarity and tail_of_scores against dictionaries and lists."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import familiarity
from livesec.baselines.tail_of_scores import BINS, Scores, score_log_tail
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

REPORT_P, LEARN_HOURS, QUIET_S, FORGET_S = 0.05, 6, 7200, 400_000
HOUR_S = 3600
Report = tuple[int, int, int, int]  # row, hours, news, rows of the episode
Number = tuple[float, float]  # score, ln p


class Row(NamedTuple):
    key: int
    time_s: int
    values: tuple[int, int, int, int]


def _tail(scores: list[tuple[float, float]], score: float) -> float:
    """ln P(S >= score); `scores` are (score, weight)."""
    n = sum(weight for _, weight in scores)
    bins: Counter[int] = Counter()
    for one, weight in scores:
        bins[min(BINS - 1, int(one / 0.25))] += weight  # type: ignore[assignment]  # parts of sixteenths are exact
    wanted = max(5 * 16, int(n * 16) // 10) / 16
    limit = BINS
    while limit > 0 and sum(weight for place, weight in bins.items() if place >= limit) < wanted:
        limit -= 1
    over = {place: weight for place, weight in bins.items() if place >= limit}
    k = sum(over.values())
    if score <= limit * 0.25:
        return 0.0
    excess = sum(weight * ((place + 0.5) * 0.25 - limit * 0.25) for place, weight in over.items())
    log_p = math.log((k + 1) / (n + 1)) - (score - limit * 0.25) / ((excess + 10 * 0.75) / (k + 10))
    return min(0.0, max(log_p, -2 * math.log(2 * (n + 1))))


class _Plain:
    """One key."""

    def __init__(self, now_s: int) -> None:
        self.last_s = now_s
        self.hours: set[int] = set()
        self.weights: list[dict[int, float]] = [{} for _ in range(4)]
        self.learnt: set[tuple[int, int, int]] = set()  # feature, value, hour
        self.day = [0.0] * 24
        self.scores: list[tuple[float, float]] = []
        self.strange_s = -QUIET_S
        self.episode = self.report_at = 0

    def _surprise(self, feature: int, value: int) -> tuple[bool, float]:
        weights = self.weights[feature]
        known = max(1, sum(weight >= 1 for weight in weights.values()))
        n = sum(weights.values())
        if weights.get(value, 0) >= 1:
            return True, -math.log(weights[value] / (n + known))
        return False, -math.log(known / (n + known))

    def score(self, values: tuple[int, ...], hour: int) -> tuple[float, int]:
        smooth = 0.5 * self.day[hour] + 0.25 * (self.day[hour - 1] + self.day[(hour + 1) % 24])
        score = -math.log(24 * (smooth + 6 / 24) / (sum(self.day) + 6))
        surprises = {at: self._surprise(at, value) for at, value in enumerate(values) if value}
        news = sum(1 << at for at, (known, _) in surprises.items() if not known)
        if 3 in surprises:
            score += surprises.pop(3)[1]
        places = list(surprises)
        first_known = next((i for i, at in enumerate(places) if surprises[at][0]), len(places))
        score += sum(surprises[at][1] for at in places[max(0, first_known - 1) : first_known + 1])
        return max(0.0, score), news

    def see(self, row: Row) -> tuple[int, int, int, float, float] | None:
        now_s = self.last_s = max(self.last_s, row.time_s)
        hour, clock_hour = row.time_s // HOUR_S % 24, now_s // HOUR_S
        score, news = self.score(row.values, hour)
        told, part = None, 1.0
        if len(self.hours) >= LEARN_HOURS:
            log_p = _tail(self.scores, score)
            if news and log_p <= math.log(REPORT_P):
                part = 1 / 16
                told = self._told(now_s, news, score, log_p)
        learns = clock_hour not in self.hours
        for feature, value in enumerate(row.values):
            if value and (feature, value, clock_hour) not in self.learnt:
                self.learnt.add((feature, value, clock_hour))
                self.weights[feature][value] = self.weights[feature].get(value, 0.0) + part
                learns = True
        if clock_hour not in self.hours:
            self.hours.add(clock_hour)
            self.day[hour] += part
        if learns:
            self.scores.append((score, part))
        return told

    def _told(self, now_s: int, news: int, score: float, log_p: float) -> tuple[int, int, int, float, float] | None:
        if now_s - self.strange_s >= QUIET_S:
            self.episode = self.report_at = 0
        self.strange_s = now_s
        self.episode += 1
        if self.episode < self.report_at:
            return None
        self.report_at = 4 * self.episode
        return len(self.hours), news, self.episode, score, log_p


def _plain(rows: list[Row]) -> tuple[list[Report], list[Number]]:
    keys: dict[int, _Plain] = {}
    reports, numbers = [], []
    for at, row in enumerate(rows):
        if row.key not in keys or row.time_s - keys[row.key].last_s >= FORGET_S:
            keys[row.key] = _Plain(row.time_s)
        told = keys[row.key].see(row)
        if told is not None:
            reports.append((at, *told[:3]))
            numbers.append(told[3:])
    return reports, numbers


def _strangers(rows: list[Row], state: KeyedState) -> tuple[list[Report], list[Number]]:
    times_s = np.array([row.time_s for row in rows], dtype=np.int64)
    found = familiarity.strangers(
        state,
        number_keys(np.array([row.key for row in rows], dtype=np.int64)),
        times_s * 1_000_000,
        np.array([row.values for row in rows], dtype=np.uint64).reshape(-1, 4),
        times_s // HOUR_S % 24,
        report_p=REPORT_P,
        learn_hours=LEARN_HOURS,
        quiet_s=QUIET_S,
        forget_s=FORGET_S,
    )
    columns = (found.at, found.hours, found.news, found.episode)
    reports = list(zip(*(column.tolist() for column in columns), strict=True))
    return reports, list(zip(found.score.tolist(), found.log_p.tolist(), strict=True))


_USUAL = st.tuples(st.sampled_from([1, 1, 1, 2]), st.just(5), st.just(6), st.sampled_from([7, 7, 8]))
_ANY = st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(0, 7), st.integers(0, 9))
_GAPS = st.sampled_from([-200, 60, 900, 3600, 7300, 50_000])


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    rows, now_s = [], 1_000_000
    for _ in range(draw(st.integers(0, 25))):
        now_s += draw(_GAPS)
        rows.append(Row(1, now_s, draw(_USUAL)))
    for _ in range(draw(st.integers(0, 25))):
        now_s += draw(st.one_of(_GAPS, st.just(400_000)))
        rows.append(Row(draw(st.sampled_from([1, 1, 2])), now_s, draw(st.one_of(_USUAL, _ANY))))
    return rows


@settings(deadline=None, max_examples=200)
@given(_rows(), st.integers(0, 50))
def test_as_dictionaries_say_in_any_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(familiarity.COLUMNS)
    found, numbers = _strangers(rows[:cut], state)
    restored = KeyedState(familiarity.COLUMNS)
    restored.load(state.to_bytes())
    more, more_numbers = _strangers(rows[cut:], restored)
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in more]
    expected, expected_numbers = _plain(rows)
    assert found == expected
    for one, other in zip(numbers + more_numbers, expected_numbers, strict=True):
        assert one == pytest.approx(other, abs=1e-9)


def test_a_stranger_stays_one_for_sixteen_hours() -> None:
    usual = [Row(1, 1_000_000 + HOUR_S * hour, (1, 5, 6, 7)) for hour in range(200)]
    strange = [Row(1, 1_000_000 + HOUR_S * (200 + hour), (2, 8, 9, 10)) for hour in range(17)]
    state = KeyedState(familiarity.COLUMNS)
    assert _strangers(usual, state) == ([], [])
    reports, _ = _strangers(strange, state)
    assert [(at, news, episode) for at, _, news, episode in reports] == [(0, 15, 1), (3, 15, 4), (15, 15, 16)]
    assert _strangers([strange[-1]], state) == ([], []), "the seventeenth hour is not strange"


def test_old_weights_fade_and_do_not_overflow() -> None:
    state = KeyedState(familiarity.COLUMNS)
    _strangers([Row(1, HOUR_S * hour, (1, 5, 6, 7)) for hour in range(9000)], state)
    assert 1024 < state["weight"].max() / 16 <= 4096
    assert state["scored"].max() / 16 <= 4096


@pytest.mark.parametrize("score", [0.0, 1.0, 3.0, 9.0, 1e9])
def test_the_tail_falls_as_one_in_so_many(score: float) -> None:
    counts = np.zeros((1, BINS), dtype=np.int32)
    counts[0, :8] = [1600, 800, 400, 200, 100, 50, 25, 25]
    earlier = [((place + 0.5) * 0.25, count / 16) for place, count in enumerate(counts[0].tolist())]
    found = score_log_tail(Scores(counts, counts.sum(axis=1, dtype=np.int64)), 0, score)
    assert found == pytest.approx(_tail(earlier, score), abs=1e-9)
    assert found >= -2 * math.log(2 * 201)
