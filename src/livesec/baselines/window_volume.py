"""Volume per key in fixed windows of time, each tested while it fills against the windows before it.

    volume += amount of the row         one window: the times with the same time_us // window_us
    offending when volume >= limit      for a key known for `learn_s` with `learn_windows` windows

    limit = max(floor, factor * median, factor * the known_after-th largest window, exp(median + z * scale))
    scale = SIGMA_PER_MAD * max(mad_floor, (n * MAD + PRIOR_WINDOWS * prior_mad) / (n + PRIOR_WINDOWS))

Median, MAD and the largest windows are those of the key's closed windows (log_histogram). Only windows with traffic
count. A window that never offended teaches the histogram when it closes; of the offending ones, once there are
`learn_windows`, the first of each day does, so that an attacker has to come back for days to be taken for usual, and a
new nightly job is usual after `known_after` nights. What offends is reported as episode.py says, and where
`once_per_window` at most once a window.

A key not known for so long is judged by `young_limit` instead of floor and z. All state is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import log_histogram
from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.log_histogram import HISTOGRAM_COLUMNS, SIGMA_PER_MAD, Histogram, histogram_of
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

NEVER = np.iinfo(np.int64).max
"""As `young_limit`: young keys are not judged."""

PRIOR_WINDOWS = 20  # windows that the prior spread weighs as much as
LARGEST_AMOUNT = 1 << 45  # 35 TB in one row; larger ones are somebody's joke and would overflow the sums
_DAY_US = 86_400_000_000
_QUIET, _OFFENDING, _REPORTED = 0, 1, 2

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # when the key was first seen
        "window": np.int64,  # number of the open window
        "volume": np.int64,  # in the open window
        "limit": np.int64,  # of the open window; 0 until it is needed
        "phase": np.uint8,  # of the open window
        "taught_day": np.int32,  # the last day of which an offending window was learnt
        **HISTOGRAM_COLUMNS,
        **EPISODE_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Lengths, floors and limits; see above. Volumes are whole numbers of a unit such as bytes."""

    window_s: float
    quiet_s: float
    """Pause that ends an episode."""
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the other times."""
    learn_s: float
    learn_windows: int
    floor: int
    factor: float
    z: float
    known_after: int = 2
    mad_floor: float = 0.25
    prior_mad: float = 1.0
    young_limit: int = NEVER
    once_per_window: bool = True


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    window: NDArray[np.int64]
    volume: NDArray[np.int64]
    limit: NDArray[np.int64]
    phase: NDArray[np.uint8]
    taught_day: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    amounts: NDArray[np.int64]
    addresses: NDArray[np.int64]


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): volume, observations, sum of the episode."""
    usual: NDArray[np.float64]
    """(n, 2): median and scale of the logarithms."""
    evidence: NDArray[np.int64]


@kernel
def _scale(mad: float, windows: int, rules: Rules) -> float:
    blended = (windows * mad + PRIOR_WINDOWS * rules.prior_mad) / (windows + PRIOR_WINDOWS)
    return float(SIGMA_PER_MAD * max(rules.mad_floor, blended))


@kernel
def _limit(keyed: _Keyed, histogram: Histogram, slot: int, rules: Rules) -> int:
    windows = histogram.observations[slot]
    age_us = keyed.window[slot] * int(rules.window_s * 1e6) - keyed.first_us[slot]  # alike for the whole window
    young = age_us < int(rules.learn_s * 1e6) or windows < rules.learn_windows
    if young and (rules.young_limit == NEVER or windows == 0):
        return rules.young_limit
    median, mad = log_histogram.median_and_mad(histogram, slot)
    known = log_histogram.edge_above(histogram, slot, rules.known_after)
    logarithm = max(median, known) + math.log(rules.factor)
    if young:
        return int(max(float(rules.young_limit), math.exp(logarithm)))
    logarithm = max(logarithm, median + rules.z * _scale(mad, windows, rules))
    return int(max(float(rules.floor), math.exp(min(logarithm, 40.0))))


@kernel
def _close(keyed: _Keyed, histogram: Histogram, slot: int, learn_windows: int) -> None:
    if keyed.phase[slot] != _QUIET and histogram.observations[slot] >= learn_windows:
        day = keyed.last_us[slot] // _DAY_US
        if day == keyed.taught_day[slot]:
            return
        keyed.taught_day[slot] = day
    log_histogram.learn(histogram, slot, keyed.volume[slot])


@kernel
def _open(keyed: _Keyed, slot: int, window: int) -> None:
    keyed.window[slot] = window
    keyed.volume[slot] = 0
    keyed.limit[slot] = 0
    keyed.phase[slot] = _QUIET
    keyed.evidence_next[slot] = 0


@kernel
def _fill(
    index: Index,
    keyed: _Keyed,
    histogram: Histogram,
    episode: Episode,
    given: _Given,
    rules: Rules,
    out: _Out,
) -> int:
    reports = 0
    lowest = min(rules.floor, rules.young_limit)
    window_us = int(rules.window_s * 1e6)
    quiet_us = int(rules.quiet_s * 1e6)
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.taught_day[slot] = -1
            log_histogram.clear(histogram, slot)
            end_episode(episode, slot)
            _open(keyed, slot, time_us // window_us)
        now_us = max(keyed.last_us[slot], time_us)
        window = now_us // window_us
        if window != keyed.window[slot]:
            _close(keyed, histogram, slot, rules.learn_windows)
            _open(keyed, slot, window)
        keyed.last_us[slot] = now_us
        amount = min(max(given.amounts[row], 0), LARGEST_AMOUNT)
        keyed.volume[slot] = min(keyed.volume[slot] + amount, LARGEST_AMOUNT)
        if 8 * amount >= keyed.volume[slot]:  # the window's evidence is what made it large
            remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if keyed.volume[slot] < lowest:
            continue
        if keyed.limit[slot] == 0:
            keyed.limit[slot] = _limit(keyed, histogram, slot, rules)
        if keyed.volume[slot] < keyed.limit[slot]:
            continue
        offence = keyed.volume[slot] if keyed.phase[slot] == _QUIET else amount
        due = offend(episode, slot, now_us, offence, quiet_us)
        if keyed.phase[slot] == _QUIET:
            keyed.phase[slot] = _OFFENDING
        if due and not (rules.once_per_window and keyed.phase[slot] == _REPORTED):
            reported(episode, slot)
            keyed.phase[slot] = _REPORTED
            median, mad = log_histogram.median_and_mad(histogram, slot)
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.volume[slot]
            out.numbers[reports, 1] = histogram.observations[slot]
            out.numbers[reports, 2] = episode.offended[slot]
            out.usual[reports, 0] = median
            out.usual[reports, 1] = _scale(mad, histogram.observations[slot], rules)
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, the window's volume so far, and what is usual for the key.

    `z`: how many scales the volume's logarithm lies above the median's. `offended`: the sum of the episode's
    offending windows, `offended_z` its z. `evidence` (n, 8): lines that made the window large.
    """

    at: NDArray[np.int64]
    volume: NDArray[np.int64]
    median: NDArray[np.float64]
    """Of the closed windows' volumes; NaN where there is none."""
    windows: NDArray[np.int64]
    z: NDArray[np.float64]
    offended: NDArray[np.int64]
    offended_z: NDArray[np.float64]
    evidence: NDArray[np.int64]


def _keyed(state: KeyedState) -> _Keyed:
    return _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        window=state["window"].view(np.int64),
        volume=state["volume"].view(np.int64),
        limit=state["limit"].view(np.int64),
        phase=state["phase"].view(np.uint8),
        taught_day=state["taught_day"].view(np.int32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )


def _logs(volumes: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.clip(volumes, log_histogram.LOWEST, log_histogram.HIGHEST)))


def fill(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    amounts: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Add `amounts` (n,) to the windows of `keys` (n,) in row order; negative amounts count as 0."""
    n = len(keys)
    state.reserve(keys)
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 3), dtype=np.int64),
        usual=np.empty((n, 2), dtype=np.float64),
        evidence=np.empty((n, state["evidence"].shape[1]), dtype=np.int64),
    )
    given = _Given(keys, times_us, amounts, addresses)
    found = _fill(state.index, _keyed(state), histogram_of(state), episode_of(state), given, rules, out)
    volume, windows, offended = out.numbers[:found].T
    logarithm, scale = out.usual[:found].T
    known = np.where(windows > 0, scale, np.nan)
    return Reports(
        at=out.at[:found],
        volume=volume,
        median=np.where(windows > 0, np.exp(logarithm), np.nan),
        windows=windows,
        z=(_logs(volume) - logarithm) / known,
        offended=offended,
        offended_z=(_logs(offended) - logarithm) / known,
        evidence=out.evidence[:found],
    )
