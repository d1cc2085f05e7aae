"""rita_score against plain readings of RITA's analysis/beacons.go."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import rita_score

DAYS = st.lists(st.sampled_from([0, 0, 1, 2, 12, 13, 40]), min_size=24, max_size=24)


def regularity(values: list[int], least_spread: int, unit: int) -> float:
    if len(values) < 3:
        return 0.0
    half, ordered = len(values) // 2, sorted(values)
    q1, q2, q3 = (statistics.median(part) for part in (ordered[:half], ordered, ordered[-half:]))
    skewness = (q1 + q3 - 2 * q2) / (q3 - q1) if q3 - q1 >= least_spread and q2 not in (q1, q3) else 0.0
    mad = statistics.median(abs(value - q2) for value in values)
    close = max(0.0, (q2 - mad) / q2) if q2 >= unit else 0.0
    return (1 - abs(skewness) + close) / 2


def duration(hours: list[int]) -> float:
    seen = [hour for hour, contacts in enumerate(hours) if contacts]
    if len(seen) < 6:
        return 0.0
    runs = "".join("x" if contacts else " " for contacts in hours * 2).split()
    longest = min(24, max(map(len, runs)))
    return min(1.0, max((seen[-1] - seen[0] + 1) / 24, longest / 12))


def histogram(hours: list[int]) -> float:
    mean = sum(hours) / 24
    flat = 1 - statistics.pstdev(hours) / mean if mean else 0.0
    step = math.ceil(max(hours) * 0.05)
    heights = Counter(contacts // step for contacts in hours if contacts)
    seen = sum(heights.values())
    fit = sum(count for _, count in heights.most_common(2)) / (seen - 1) if seen >= 11 else 0.0
    return max(0.0, flat, min(1.0, fit))


@settings(deadline=None)
@given(st.lists(st.integers(0, 60_000), max_size=64), st.sampled_from([10, 10_000]), st.sampled_from([1, 1000]))
def test_regularity(values: list[int], least_spread: int, unit: int) -> None:
    scratch = np.array([*values, 7, 7, 7], dtype=np.int64)
    score, median = rita_score.regularity(scratch, len(values), least_spread, unit)
    assert score == pytest.approx(regularity(values, least_spread, unit), abs=1e-12)
    assert median == (statistics.median(values) if len(values) >= 3 else 0)


@settings(deadline=None)
@given(DAYS, st.integers(0, 23))
def test_duration_and_histogram_of_a_ring(hours: list[int], first: int) -> None:
    ring = np.zeros((2, 24), dtype=np.uint16)
    ring[1] = np.roll(hours, first)
    assert rita_score.hours_seen(ring, 1) == sum(contacts > 0 for contacts in hours)
    assert rita_score.duration(ring, 1, first) == pytest.approx(duration(hours))
    assert rita_score.histogram(ring, 1) == pytest.approx(histogram(hours))


def test_a_clock_scores_1_and_a_person_less() -> None:
    scores = [
        rita_score.regularity(np.array(gaps_ms, dtype=np.int64), 5, 10_000, 1000)[0]
        for gaps_ms in ([300_000] * 5, [5_000, 8_000, 60_000, 900_000, 4_000_000])
    ]
    assert scores[0] == 1.0
    assert scores[1] == pytest.approx((1 - 0.9565 + (60 - 55) / 60) / 2, abs=1e-3)
