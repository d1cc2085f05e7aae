"""log_histogram against the exact median, MAD and tail of the same values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livesec.baselines import log_histogram
from livesec.baselines.log_histogram import Histogram

_VALUES = st.one_of(
    st.integers(-5, 1 << 50),
    st.floats(0.0, 27.0).map(lambda logarithm: int(math.exp(logarithm))),
    st.sampled_from([0, 64, 79, 80, 1500, 1501, 10**6, 10**9, (1 << 38) - 1, 1 << 38]),
)


def _empty() -> Histogram:
    return Histogram(np.zeros((1, log_histogram.BINS), np.uint16), np.zeros(1, np.int64))


def _filled(values: list[int]) -> Histogram:
    histogram = _empty()
    for value in values:
        log_histogram.learn(histogram, 0, value)
    return histogram


def _logs(values: list[int]) -> NDArray[np.float64]:
    clipped = [min(max(value, log_histogram.LOWEST), log_histogram.HIGHEST) for value in values]
    return np.sort(np.log(np.array(clipped, dtype=np.float64)))


def _lower_median(ordered: NDArray[np.float64]) -> float:
    return float(ordered[(len(ordered) + 1) // 2 - 1])


@settings(deadline=None)
@given(_VALUES)
def test_a_value_lies_between_the_edges_of_its_bin(value: int) -> None:
    place = log_histogram.bin_of(value)
    edges = [
        2 ** (6 + edge // 4) * (4 + edge % 4) // 4 for edge in range(log_histogram.BINS + 1)
    ]  # 64, 80, 96, 112, 128, 160, ...
    clipped = min(max(value, edges[0]), edges[-1] - 1)
    assert edges[place] <= clipped < edges[place + 1]


@settings(deadline=None)
@given(st.lists(_VALUES, min_size=1, max_size=80))
@example([0, 0, 0, 0, 192, 192, 192, 192, 192, 320])  # the median's bin holds exactly half
def test_median_and_mad_keep_the_stated_bounds(values: list[int]) -> None:
    median, mad = log_histogram.median_and_mad(_filled(values), 0)
    exact = _lower_median(_logs(values))
    exact_mad = _lower_median(np.sort(np.abs(_logs(values) - exact)))
    assert abs(median - exact) <= log_histogram.WIDEST_BIN + 1e-9
    assert abs(mad - exact_mad) <= 2 * log_histogram.WIDEST_BIN + 1e-9


def test_typical_error_is_far_below_the_bound() -> None:
    values = np.random.default_rng(3).lognormal(math.log(50_000), 1.0, 1000).astype(np.int64).tolist()
    median, mad = log_histogram.median_and_mad(_filled(values), 0)
    exact = _lower_median(_logs(values))
    exact_mad = _lower_median(np.sort(np.abs(_logs(values) - exact)))
    assert median == pytest.approx(exact, abs=0.02)
    assert mad == pytest.approx(exact_mad, abs=0.02)


def test_equal_values_have_no_spread_to_speak_of() -> None:
    median, mad = log_histogram.median_and_mad(_filled([1000] * 50), 0)
    assert 896 < math.exp(median) < 1024
    assert mad < log_histogram.WIDEST_BIN


def test_nothing_learned_gives_zeros() -> None:
    assert log_histogram.median_and_mad(_empty(), 0) == (0.0, 0.0)
    assert log_histogram.edge_above(_empty(), 0, 1) == 0.0


def test_edge_above_is_the_upper_edge_of_the_second_largest() -> None:
    histogram = _filled([100, 200, 1000, 10**9])
    assert math.exp(log_histogram.edge_above(histogram, 0, 2)) == pytest.approx(1024)
    assert log_histogram.edge_above(histogram, 0, 5) == 0.0


def test_tail_above_sums_the_excess_over_the_edge() -> None:
    edge, values, excess = log_histogram.tail_above(_filled([100, 100, 128, 256, 512]), 0, 3)
    assert math.exp(edge) == pytest.approx(128)
    assert values == 3
    assert excess == pytest.approx(math.log(2) + math.log(4) + 3 * math.log(160 / 128) / 2)


def test_old_values_fade() -> None:
    values = [1000] * (log_histogram.FORGET_AT - 1) + [10**6] * (log_histogram.FORGET_AT // 2 + 2)
    histogram = _filled(values)
    assert histogram.observations[0] < log_histogram.FORGET_AT
    assert math.exp(log_histogram.median_and_mad(histogram, 0)[0]) == pytest.approx(10**6, rel=0.25)


def test_clear_forgets() -> None:
    histogram = _filled([5, 500, 50_000])
    log_histogram.clear(histogram, 0)
    assert int(histogram.observations[0]) == 0 and not histogram.bins.any()
