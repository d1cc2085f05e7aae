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
from livesec.baselines.evidence import EVIDENCE_COLUMNS, KEPT_LINES, copy_evidence, remember
from livesec.baselines.kernel_rows import AmountRows, WindowOut, room_for_windows
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


class Keyed(NamedTuple):
    """The columns above as kernels take them."""

    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    window: NDArray[np.int64]
    volume: NDArray[np.int64]
    limit: NDArray[np.int64]
    phase: NDArray[np.uint8]
    taught_day: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@kernel
def _scale(mad: float, windows: int, rules: Rules) -> float:
    blended = (windows * mad + PRIOR_WINDOWS * rules.prior_mad) / (windows + PRIOR_WINDOWS)
    return float(SIGMA_PER_MAD * max(rules.mad_floor, blended))


@kernel
def _limit(keyed: Keyed, histogram: Histogram, slot: int, rules: Rules) -> int:
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
def begin(keyed: Keyed, histogram: Histogram, episode: Episode, slot: int, time_us: int, window_us: int) -> None:
    """Make a key as good as never seen, with the window of `time_us` open."""
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.taught_day[slot] = -1
    log_histogram.clear(histogram, slot)
    end_episode(episode, slot)
    _open(keyed, slot, time_us // window_us)


@kernel
def turn(keyed: Keyed, histogram: Histogram, slot: int, window: int, learn_windows: int) -> None:
    """Learn the open window, at the time of its last row, and open another."""
    day = keyed.last_us[slot] // _DAY_US
    offended = keyed.phase[slot] != _QUIET and histogram.observations[slot] >= learn_windows
    if not offended or day != keyed.taught_day[slot]:
        log_histogram.learn(histogram, slot, keyed.volume[slot])
    if offended:
        keyed.taught_day[slot] = day
    _open(keyed, slot, window)


@kernel
def _open(keyed: Keyed, slot: int, window: int) -> None:
    keyed.window[slot] = window
    keyed.volume[slot] = 0
    keyed.limit[slot] = 0
    keyed.phase[slot] = _QUIET
    keyed.evidence_next[slot] = 0


@kernel
def add(keyed: Keyed, slot: int, amount: int, address: int, lowest: int) -> int:
    """Add `amount` to the open window: its volume so far.

    Its evidence is what made it large, from a quarter of `lowest`, the least that could offend, on: most windows
    never come so far, and need not touch that memory.
    """
    amount = min(max(amount, 0), LARGEST_AMOUNT)
    volume = min(keyed.volume[slot] + amount, LARGEST_AMOUNT)
    keyed.volume[slot] = volume
    if 4 * volume >= lowest and (8 * amount >= volume or keyed.evidence_next[slot] < KEPT_LINES):
        remember(keyed.evidence, keyed.evidence_next, slot, address)
    return int(volume)


@kernel
def judge(keyed: Keyed, histogram: Histogram, episode: Episode, slot: int, amount: int, rules: Rules) -> bool:
    """After `amount` was added: whether the open window offends and is to be reported."""
    if keyed.limit[slot] == 0:
        keyed.limit[slot] = _limit(keyed, histogram, slot, rules)
    if keyed.volume[slot] < keyed.limit[slot]:
        return False
    offence = keyed.volume[slot] if keyed.phase[slot] == _QUIET else min(max(amount, 0), LARGEST_AMOUNT)
    due = offend(episode, slot, keyed.last_us[slot], offence, int(rules.quiet_s * 1e6))
    if keyed.phase[slot] == _QUIET:
        keyed.phase[slot] = _OFFENDING
    return due and not (rules.once_per_window and keyed.phase[slot] == _REPORTED)


@kernel
def told(keyed: Keyed, episode: Episode, slot: int) -> None:
    """Note that the open window was reported for offending."""
    reported(episode, slot)
    keyed.phase[slot] = _REPORTED


@kernel
def write(
    keyed: Keyed, histogram: Histogram, episode: Episode, slot: int, rules: Rules, row: int, out: WindowOut, report: int
) -> None:
    """Put the open window into `out` as report number `report`.

    `numbers`: volume, observations, sum of the episode; `usual`: median and scale of the logarithms.
    """
    median, mad = log_histogram.median_and_mad(histogram, slot)
    windows = histogram.observations[slot]
    out.at[report] = row
    out.numbers[report, 0] = keyed.volume[slot]
    out.numbers[report, 1] = windows
    out.numbers[report, 2] = episode.offended[slot] if keyed.phase[slot] != _QUIET else 0
    out.usual[report, 0] = median
    out.usual[report, 1] = _scale(mad, windows, rules)
    copy_evidence(keyed.evidence, slot, out.evidence, report)


@kernel
def _fill(
    index: Index,
    keyed: Keyed,
    histogram: Histogram,
    episode: Episode,
    given: AmountRows,
    rules: Rules,
    out: WindowOut,
) -> int:
    reports = 0
    lowest = min(rules.floor, rules.young_limit)
    window_us = int(rules.window_s * 1e6)
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            begin(keyed, histogram, episode, slot, time_us, window_us)
        now_us = max(keyed.last_us[slot], time_us)
        if now_us // window_us != keyed.window[slot]:
            turn(keyed, histogram, slot, now_us // window_us, rules.learn_windows)
        keyed.last_us[slot] = now_us
        amount = given.amounts[row]
        if add(keyed, slot, amount, given.addresses[row], lowest) < lowest:
            continue
        if judge(keyed, histogram, episode, slot, amount, rules):
            told(keyed, episode, slot)
            write(keyed, histogram, episode, slot, rules, row, out, reports)
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


def keyed_of(state: KeyedState) -> Keyed:
    """The columns of a state, valid until its next `reserve`."""
    return Keyed(
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


def reports_in(out: WindowOut, found: int) -> Reports:
    """The first `found` reports of `out`."""
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


def fill(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    amounts: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Add `amounts` (n,) to the windows of `keys` (n,) in row order; negative amounts count as 0."""
    state.reserve(keys)
    out = room_for_windows(len(keys))
    given = AmountRows(keys, times_us, amounts, addresses)
    found = _fill(state.index, keyed_of(state), histogram_of(state), episode_of(state), given, rules, out)
    return reports_in(out, found)
