"""Tail probabilities against sums and published quantiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import tails


def _log_pmf(count: int, mean: float, shape: float) -> float:
    share = mean / (shape + mean)
    ways = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1)
    return ways + shape * math.log1p(-share) + count * math.log(share)


@settings(deadline=None)
@given(st.integers(1, 300), st.floats(0.01, 60.0), st.floats(0.25, 20.0))
def test_negative_binomial_tail_is_the_sum_of_its_terms(count: int, mean: float, shape: float) -> None:
    found = tails.negative_binomial_log_tail(count, mean, shape)
    if count <= mean:
        assert found == 0.0
        return
    terms = [_log_pmf(other, mean, shape) for other in range(count, count + 5_000)]
    exact = terms[0] + math.log(math.fsum(math.exp(term - terms[0]) for term in terms))
    assert found >= exact - 1e-6  # never too small
    if count >= mean + 2 * math.sqrt(mean + mean * mean / shape):
        assert found <= exact + 0.4


def test_a_large_shape_gives_the_tail_of_poisson() -> None:
    poisson = 1 - sum(math.exp(-2.0) * 2.0**k / math.factorial(k) for k in range(8))
    assert math.exp(tails.negative_binomial_log_tail(8, 2.0, 1e7)) == pytest.approx(poisson, rel=1e-3)


def test_normal_quantiles() -> None:
    assert tails.normal_limit(0.025) == pytest.approx(1.95996, abs=1e-4)
    assert tails.normal_limit(1e-9) == pytest.approx(5.99781, abs=1e-4)


def test_the_far_tail_continues_the_near_one() -> None:
    before, after = tails.normal_log_tail(24.9999), tails.normal_log_tail(25.0001)
    assert 0 < before - after < 0.01


def test_confidence_is_a_share_of_the_budgeted_logarithm() -> None:
    found = tails.confidence(np.log(np.array([1.0, 1e-3, 1e-6, 1e-12])), 1e-6)
    assert found.tolist() == pytest.approx([1e-6, 0.5, 1.0, 1.0])
