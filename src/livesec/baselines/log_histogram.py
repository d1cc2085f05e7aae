"""Q, the running statistics: per key a histogram of logarithms, from which median, MAD and tail are read.

128 bins, four to an octave, from 64 to 2^38 (bytes, say); their edges are whole numbers, so a value's bin
needs no logarithm. What is smaller counts as 64, what is larger falls into the last bin. At FORGET_AT values
all counts are halved, so that older values fade.

Bounds against the exact figures of the same values' natural logarithms (clipped to 64 .. 2^38; lower
medians), which the tests hold it to: the median is off by at most WIDEST_BIN = ln 1.25, the MAD by at most
twice that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, KeyedState

BINS = 128
FORGET_AT = 4096
WIDEST_BIN = math.log(1.25)
SIGMA_PER_MAD = 1.4826
"""Standard deviation over MAD of a normal distribution."""

_STEPS = 4  # bins per octave
_FIRST_OCTAVE = 6
LOWEST = 1 << _FIRST_OCTAVE
HIGHEST = 1 << (_FIRST_OCTAVE + BINS // _STEPS)
_LOG_EDGES = np.array(
    [math.log(2.0 ** (_FIRST_OCTAVE + edge // _STEPS) * (1 + edge % _STEPS / _STEPS)) for edge in range(BINS + 1)]
)

HISTOGRAM_COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "bins": (np.uint16, BINS),
        "observations": np.int64,  # sum of the bins
    }
)


class Histogram(NamedTuple):
    """The columns above as kernels take them."""

    bins: NDArray[np.uint16]
    observations: NDArray[np.int64]


def histogram_of(state: KeyedState) -> Histogram:
    """The histogram columns of a state, valid until its next `reserve`."""
    return Histogram(state["bins"].view(np.uint16), state["observations"].view(np.int64))


@kernel
def bin_of(value: int) -> int:
    """The bin of a value.

    >>> bin_of(0), bin_of(79), bin_of(80), bin_of(128), bin_of(1 << 60)
    (0, 0, 1, 4, 127)
    """
    if value < LOWEST:
        return 0
    if value >= HIGHEST:
        return BINS - 1
    fraction, exponent = math.frexp(float(value))  # exact: value < 2^53
    return _STEPS * (exponent - 1 - _FIRST_OCTAVE) + int(2 * _STEPS * fraction) - _STEPS


@kernel
def log_of(value: int) -> float:
    """The natural logarithm of a value, clipped to LOWEST .. HIGHEST."""
    return math.log(min(max(value, LOWEST), HIGHEST))


@kernel
def clear(histogram: Histogram, slot: int) -> None:
    """Forget everything of a slot."""
    for place in range(BINS):
        histogram.bins[slot, place] = 0
    histogram.observations[slot] = 0


@kernel
def learn(histogram: Histogram, slot: int, value: int) -> None:
    """Add a value."""
    histogram.bins[slot, bin_of(value)] += 1
    histogram.observations[slot] += 1
    if histogram.observations[slot] >= FORGET_AT:
        left = 0
        for place in range(BINS):
            histogram.bins[slot, place] //= 2
            left += int(histogram.bins[slot, place])
        histogram.observations[slot] = left


@kernel
def quantile(histogram: Histogram, slot: int, rank: int) -> float:
    """The logarithm of the value with `rank` (1: the smallest), interpolated in its bin.

    There must be so many observations.
    """
    below = 0
    place = 0
    while below + int(histogram.bins[slot, place]) < rank:
        below += int(histogram.bins[slot, place])
        place += 1
    share = (rank - below - 0.5) / int(histogram.bins[slot, place])
    return float(_LOG_EDGES[place] + share * (_LOG_EDGES[place + 1] - _LOG_EDGES[place]))


@kernel
def median_and_mad(histogram: Histogram, slot: int) -> tuple[float, float]:
    """(median, median absolute deviation) of the logarithms; (0, 0) without observations.

    The MAD is the distance around the median that holds half of the values, taken as even within each bin.
    """
    total = histogram.observations[slot]
    if total == 0:
        return 0.0, 0.0
    median = quantile(histogram, slot, (total + 1) // 2)
    left = 0
    while left < BINS - 1 and _LOG_EDGES[left + 1] < median:
        left += 1
    right = left
    wanted = (0.5 - 1e-9) * total  # a bin's two parts may sum to a rounding less than the bin
    held = 0.0
    distance = 0.0
    while True:
        density = 0.0  # values per unit of distance, over both sides
        step_left = math.inf
        step_right = math.inf
        if left >= 0:
            density += histogram.bins[slot, left] / (_LOG_EDGES[left + 1] - _LOG_EDGES[left])
            step_left = median - _LOG_EDGES[left]
        if right < BINS:
            density += histogram.bins[slot, right] / (_LOG_EDGES[right + 1] - _LOG_EDGES[right])
            step_right = _LOG_EDGES[right + 1] - median
        reach = min(step_left, step_right)
        if held + density * (reach - distance) >= wanted or reach == math.inf:
            return median, distance + (wanted - held) / density if density > 0.0 else distance
        held += density * (reach - distance)
        distance = reach
        if step_left == reach:
            left -= 1
        if step_right == reach:
            right += 1


@kernel
def edge_above(histogram: Histogram, slot: int, count: int) -> float:
    """The logarithm of the upper edge of the `count`-th largest value's bin; 0 where there is none."""
    above = 0
    for step in range(BINS):
        place = BINS - 1 - step
        above += int(histogram.bins[slot, place])
        if above >= count:
            return float(_LOG_EDGES[place + 1])
    return 0.0


@kernel
def tail_above(histogram: Histogram, slot: int, rank: int) -> tuple[float, int, float]:
    """(edge, values, excess) of the upper tail that begins with the bin of `rank`.

    The logarithm of that bin's lower edge, how many values lie above it, and the sum of their logarithms'
    excess.
    """
    below = 0
    place = 0
    while below + int(histogram.bins[slot, place]) < rank:
        below += int(histogram.bins[slot, place])
        place += 1
    edge = float(_LOG_EDGES[place])
    values = 0
    excess = 0.0
    for higher in range(place, BINS):
        count = int(histogram.bins[slot, higher])
        values += count
        excess += count * (0.5 * float(_LOG_EDGES[higher] + _LOG_EDGES[higher + 1]) - edge)
    return edge, values, excess
