"""Tail probabilities as logarithms, and the confidence that follows from one."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import kernel

_EXACT_TERMS = 64
_ERFC_FAILS_AT = 25.0  # erfc(z / sqrt 2) is still a normal number there


@kernel
def normal_log_tail(z: float) -> float:
    """The logarithm of P(Z >= z) for a standard normal Z; in the far tail, from z = 25, within 0.002 of it.

    >>> round(normal_log_tail(0.0), 4), round(normal_log_tail(4.753), 2), round(normal_log_tail(40.0), 1)
    (-0.6931, -13.81, -804.6)
    """
    if z < _ERFC_FAILS_AT:
        return math.log(0.5 * math.erfc(z / math.sqrt(2.0)))
    return -0.5 * z * z - math.log(z * math.sqrt(2.0 * math.pi))


@kernel
def negative_binomial_log_tail(count: int, mean: float, shape: float) -> float:
    """The logarithm of P(X >= count) for a negative-binomial X of variance mean + mean^2 / shape.

    Exact terms, then a geometric bound of the rest: never too small, and from two sigmas above the mean on
    (the use it is made for) at most 0.2 too large. 0 up to the mean.

    >>> round(math.exp(negative_binomial_log_tail(3, 1.0, 1.0)), 6)  # geometric: (1/2)^3
    0.125
    """
    if count <= mean or count <= 0:
        return 0.0
    share = mean / (shape + mean)
    first = math.lgamma(count + shape) - math.lgamma(shape) - math.lgamma(count + 1.0)
    first += shape * math.log(shape / (shape + mean)) + count * math.log(share)
    term = 1.0
    total = 0.0
    for step in range(_EXACT_TERMS):
        total += term
        term *= share * (count + step + shape) / (count + step + 1.0)
    last = count + _EXACT_TERMS
    total += term / (1.0 - max(share, share * (last + shape) / (last + 1.0)))
    return min(0.0, first + math.log(total))


@cache
def normal_limit(p: float) -> float:
    """The z that a standard normal exceeds with probability `p`, 0 < p <= 0.5; found by bisection.

    >>> round(normal_limit(1e-6), 3)
    4.753
    """
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if normal_log_tail(middle) > math.log(p) else (low, middle)
    return high


def one_in(log_p: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many tries one such takes, 1 / p, shape (n,); at most 1e15, beyond which a number says nothing.

    >>> one_in(np.log(np.array([0.01, 1e-30]))).round(6).tolist()
    [100.0, 1000000000000000.0]
    """
    return np.minimum(np.exp(np.minimum(-log_p, 40.0)), 1e15)


def confidence(log_p: NDArray[np.float64], p_star: float) -> NDArray[np.float64]:
    """The least of 1 and ln p / ln p*, shape (n,): 1 where p is the budgeted threshold or rarer.

    >>> confidence(np.log(np.array([1e-2, 1e-4, 1e-9])), 1e-4).tolist()
    [0.5, 1.0, 1.0]
    """
    return np.clip(log_p / math.log(p_star), 1e-6, 1.0)
