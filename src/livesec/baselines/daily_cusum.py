"""CUSUM of daily volumes per key: a little more than usual, day after day, adds up.

    v = ln(volume of the day + UNIT)        a day without volume, on which the key was seen, counts too
    z = (v - median) / (SIGMA_PER_MAD * max(MAD_FLOOR, MAD)), at most LARGEST_Z
    S <- max(0, S + z - slack)              when the day closes
    offending when max(0, S + z - slack) >= limit for the open day as it fills

Median and MAD are those of the days learnt (log_histogram), of which there must be `learn_days`. A day teaches when it
closes with S below half of the limit, and else one day in four: an attacker who raises his volume slowly meets his own
past only at that pace, while S holds what he has taken since. Under usual days S exceeds h about exp(-2 * slack * h) of
the time (Siegmund 1985). What offends is reported as episode.py says, by its bytes, and whenever S is STEP times that
of the last report. S is a floating-point number; its steps are taken in the order of rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import log_histogram
from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.kernel_rows import AmountRows
from livesec.baselines.log_histogram import HISTOGRAM_COLUMNS, SIGMA_PER_MAD, Histogram, histogram_of
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

UNIT = 1_000_000
"""Bytes below which a day is as good as without volume."""
MAD_FLOOR = 0.5
LARGEST_Z = 3.0
STEP = 1.5
_LARGEST = 1 << 45
_TEACHES = 4  # of days that are suspected
_DAY_US = 86_400_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "day": np.int64,  # number of the open day
        "volume": np.int64,  # of the open day
        "level": np.float64,  # S before the open day
        "raised_days": np.int64,  # closed days since S was last 0
        "raised": np.int64,  # their volume
        "offends": np.uint8,  # whether the open day does
        "told": np.float64,  # S at the episode's last report
        **HISTOGRAM_COLUMNS,
        **EPISODE_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Slack and limit in standard deviations; see above."""

    slack: float
    limit: float
    learn_days: int
    floor: int
    """Volume below which a day never offends."""
    quiet_us: int
    forget_us: int


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    day: NDArray[np.int64]
    volume: NDArray[np.int64]
    level: NDArray[np.float64]
    raised_days: NDArray[np.int64]
    raised: NDArray[np.int64]
    offends: NDArray[np.uint8]
    told: NDArray[np.float64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 4): volume, days raised, volume in them, days learnt."""
    levels: NDArray[np.float64]
    """(n, 2): S, logarithm of the median."""
    evidence: NDArray[np.int64]


@kernel
def _level(keyed: _Keyed, histogram: Histogram, slot: int, rules: Rules) -> tuple[float, float]:
    """(S with the open day, median of the logarithms); S as before while too little is known."""
    if histogram.observations[slot] < rules.learn_days:
        return keyed.level[slot], 0.0
    median, mad = log_histogram.median_and_mad(histogram, slot)
    z = (log_histogram.log_of(keyed.volume[slot] + UNIT) - median) / (SIGMA_PER_MAD * max(MAD_FLOOR, mad))
    return max(0.0, keyed.level[slot] + min(z, LARGEST_Z) - rules.slack), median


@kernel
def _close(keyed: _Keyed, histogram: Histogram, slot: int, rules: Rules) -> None:
    level, _ = _level(keyed, histogram, slot, rules)
    keyed.level[slot] = level
    if level > 0.0:
        keyed.raised_days[slot] += 1
        keyed.raised[slot] = min(keyed.raised[slot] + keyed.volume[slot], _LARGEST)
    else:
        keyed.raised_days[slot] = 0
        keyed.raised[slot] = 0
        keyed.evidence_next[slot] = 0
    if level < 0.5 * rules.limit or keyed.day[slot] % _TEACHES == 0:
        log_histogram.learn(histogram, slot, keyed.volume[slot] + UNIT)
    keyed.volume[slot] = 0
    keyed.offends[slot] = 0


@kernel
def _begin(keyed: _Keyed, histogram: Histogram, episode: Episode, slot: int, time_us: int) -> None:
    keyed.last_us[slot] = time_us
    keyed.day[slot] = time_us // _DAY_US
    keyed.volume[slot] = 0
    keyed.level[slot] = 0.0
    keyed.raised_days[slot] = 0
    keyed.raised[slot] = 0
    keyed.offends[slot] = 0
    keyed.told[slot] = 0.0
    keyed.evidence_next[slot] = 0
    log_histogram.clear(histogram, slot)
    end_episode(episode, slot)


@kernel
def _add_up(
    index: Index,
    keyed: _Keyed,
    histogram: Histogram,
    episode: Episode,
    given: AmountRows,
    rules: Rules,
    out: _Out,
) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            _begin(keyed, histogram, episode, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        if now_us // _DAY_US != keyed.day[slot]:
            _close(keyed, histogram, slot, rules)
            keyed.day[slot] = now_us // _DAY_US
        amount = min(max(given.amounts[row], 0), _LARGEST)
        if amount == 0:
            continue
        keyed.volume[slot] = min(keyed.volume[slot] + amount, _LARGEST)
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if keyed.volume[slot] < rules.floor or histogram.observations[slot] < rules.learn_days:
            continue
        level, median = _level(keyed, histogram, slot, rules)
        if level < rules.limit:
            continue
        more = amount if keyed.offends[slot] else keyed.volume[slot]
        keyed.offends[slot] = 1
        if now_us - episode.offence_us[slot] >= rules.quiet_us:
            keyed.told[slot] = 0.0
        due = offend(episode, slot, now_us, more, rules.quiet_us)
        if due or level >= STEP * keyed.told[slot]:
            reported(episode, slot)
            keyed.told[slot] = level
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.volume[slot]
            out.numbers[reports, 1] = keyed.raised_days[slot]
            out.numbers[reports, 2] = keyed.raised[slot]
            out.numbers[reports, 3] = histogram.observations[slot]
            out.levels[reports, 0] = level
            out.levels[reports, 1] = median
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, and how it came to it."""

    at: NDArray[np.int64]
    volume: NDArray[np.int64]
    """Of the open day so far."""
    raised_days: NDArray[np.int64]
    """Days with more than usual, the open one with them."""
    raised: NDArray[np.int64]
    """Volume of these days."""
    days: NDArray[np.int64]
    """Days learnt."""
    level: NDArray[np.float64]
    """S."""
    usual: NDArray[np.float64]
    """Median volume of a day."""
    evidence: NDArray[np.int64]


def add_up(state: KeyedState, given: AmountRows, rules: Rules) -> Reports:
    """Add the amounts of `given` to their keys' days, in row order; one of 0 only says that the key was there."""
    state.reserve(given.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        day=state["day"].view(np.int64),
        volume=state["volume"].view(np.int64),
        level=state["level"].view(np.float64),
        raised_days=state["raised_days"].view(np.int64),
        raised=state["raised"].view(np.int64),
        offends=state["offends"].view(np.uint8),
        told=state["told"].view(np.float64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    n = len(given.keys)
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 4), dtype=np.int64),
        levels=np.empty((n, 2), dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    found = _add_up(state.index, keyed, histogram_of(state), episode_of(state), given, rules, out)
    volume, raised_days, raised, days = out.numbers[:found].T
    level, median = out.levels[:found].T
    usual = np.maximum(np.exp(median) - UNIT, 0.0)
    return Reports(out.at[:found], volume, raised_days + 1, raised + volume, days, level, usual, out.evidence[:found])
