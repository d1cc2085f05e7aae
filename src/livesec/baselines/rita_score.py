"""The four parts of RITA's beacon score, each 0 to 1 (activecm/rita v5, analysis/beacons.go, unrounded).

    regularity  (1 - |Bowley skewness| + (median - MAD) / median) / 2     of intervals, and of sizes
    duration    max(hours from first to last / 24, longest run of hours / 12), 0 below 6 hours with a contact
    histogram   max(1 - coefficient of variation, bimodal fit)            of the contacts per hour
    bimodal     hours in the two most frequent heights / (hours with a contact - 1), 0 below 11 such hours

Hours are the last 24, as a ring: the day wraps around, so a run of hours may go on over its seam.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel

HOURS = 24
LEAST_HOURS = 6  # RITA: duration_min_hours_seen
IDEAL_RUN = 12  # RITA: duration_consistency_ideal_hours_seen
BIMODAL_HOURS = 11  # RITA: histogram_bimodal_min_hours_seen
BIMODAL_OUTLIERS = 1  # RITA: histogram_bimodal_outlier_removal
MODE_SENSITIVITY = 0.05  # RITA: histogram_mode_sensitivity
_LEAST_VALUES = 3


@inner_kernel
def _sort(values: NDArray[np.int64], count: int) -> None:
    for place in range(1, count):
        value = values[place]
        hole = place
        while hole > 0 and values[hole - 1] > value:
            values[hole] = values[hole - 1]
            hole -= 1
        values[hole] = value


@inner_kernel
def _twice_median(values: NDArray[np.int64], first: int, end: int) -> int:
    """Of the sorted `values[first:end]`."""
    count = end - first
    return int(values[first + (count - 1) // 2] + values[first + count // 2])


@kernel
def regularity(values: NDArray[np.int64], count: int, least_spread: int, unit: int) -> tuple[float, float]:
    """(score, median) of `values[:count]`, which are left changed; (0, 0) for fewer than three.

    Below `least_spread` between the quartiles there is no skewness to speak of, and with a median below `unit` the
    second part is 0.
    """
    if count < _LEAST_VALUES:
        return 0.0, 0.0
    _sort(values, count)
    lower = _twice_median(values, 0, count // 2)
    middle = _twice_median(values, 0, count)
    upper = _twice_median(values, count - count // 2, count)
    skewness = 0.0
    if upper - lower >= 2 * least_spread and lower != middle != upper:
        skewness = (lower + upper - 2 * middle) / (upper - lower)
    for place in range(count):
        values[place] = abs(2 * values[place] - middle)
    _sort(values, count)
    twice_mad = _twice_median(values, 0, count) / 2
    close = max(0.0, (middle - twice_mad) / middle) if middle >= 2 * unit else 0.0
    return (1.0 - abs(skewness) + close) / 2.0, middle / 2


@kernel
def hours_seen(hours: NDArray[np.uint16], slot: int) -> int:
    """Hours with a contact."""
    seen = 0
    for hour in range(HOURS):
        seen += int(hours[slot, hour] > 0)
    return seen


@kernel
def duration(hours: NDArray[np.uint16], slot: int, first: int) -> float:
    """The duration score of a ring of hours whose oldest is at `first`."""
    if hours_seen(hours, slot) < LEAST_HOURS:
        return 0.0
    run = 0
    longest = 0
    earliest = -1
    latest = 0
    for step in range(2 * HOURS):
        if hours[slot, (first + step) % HOURS] == 0:
            run = 0
            continue
        run += 1
        longest = max(longest, run)
        if step < HOURS:
            latest = step
            if earliest < 0:
                earliest = step
    return min(1.0, max((latest - earliest + 1) / HOURS, min(longest, HOURS) / IDEAL_RUN))


@inner_kernel
def _flatness(hours: NDArray[np.uint16], slot: int) -> float:
    total = 0
    squares = 0
    for hour in range(HOURS):
        contacts = int(hours[slot, hour])
        total += contacts
        squares += contacts * contacts
    if total == 0:
        return 0.0
    variance = max(0, HOURS * squares - total * total)  # HOURS^2 times it
    return max(0.0, 1.0 - math.sqrt(float(variance)) / total)


@inner_kernel
def _bimodal_fit(hours: NDArray[np.uint16], slot: int) -> float:
    seen = hours_seen(hours, slot)
    if seen < BIMODAL_HOURS:
        return 0.0
    tallest = 0
    for hour in range(HOURS):
        tallest = max(tallest, int(hours[slot, hour]))
    step = math.ceil(tallest * MODE_SENSITIVITY)
    largest = 0
    second = 0
    for hour in range(HOURS):
        height = int(hours[slot, hour]) // step
        alike = 0
        counted = hours[slot, hour] == 0
        for other in range(HOURS):
            if hours[slot, other] > 0 and int(hours[slot, other]) // step == height:
                alike += 1
                counted = counted or other < hour
        if counted:
            continue
        if alike > largest:
            second = largest
            largest = alike
        else:
            second = max(second, alike)
    return min(1.0, (largest + second) / (seen - BIMODAL_OUTLIERS))


@kernel
def histogram(hours: NDArray[np.uint16], slot: int) -> float:
    """The histogram score of a ring of hours."""
    return max(_flatness(hours, slot), _bimodal_fit(hours, slot))
