"""Counts per key in fixed windows of time: how unlikely is this many, given the key's earlier windows?

    count += weight of the row                              one window: times with the same time_us // window_us
    offending when count >= floor and ln P(X >= count) <= log_p
                                                            for a key known for `learn_s` with `learn_windows`

X is negative-binomial with the mean and the variance of the closed windows, to which PRIOR_WINDOWS imagined ones with
a Poisson count of mean `prior_mean` are added. Its shape is at most the sum of all counts, which makes it the
Poisson-gamma predictive distribution where counts vary no more than Poisson's, and at most LARGEST_SHAPE: no traffic
is that regular for good. Robust z would fail here, for the MAD of small counts is often 0.

Windows without a row do not count. A window that never offended is learnt when it closes; of the offending ones the
first of each day is, as at most twice the larger of floor and mean + 2 sigma. Counts below KNOWN_FACTOR times the
second largest of those do not offend any more: what came on two days is known. What offends is reported as episode.py
says, and where `once_per_window` at most once a window.

A key not known for so long is judged by `young_limit` alone. All state is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.kernel_rows import AmountRows, WindowOut, room_for_windows
from livesec.baselines.tails import negative_binomial_log_tail
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

NEVER = np.iinfo(np.int64).max
"""As `young_limit`: young keys are not judged."""

PRIOR_WINDOWS = 2
KNOWN_FACTOR = 2
LARGEST_SHAPE = 20.0  # a standard deviation of at least 22 % of the mean
FORGET_AT = 4096  # windows after which all sums are halved
_LARGEST_COUNT = 1 << 24  # in one row or window; squares of 4096 such still fit
_GATE_SIGMAS = 2.0  # below mean + 2 sigma P(X >= count) is above 0.018: the tail need not be worked out
_DAY_US = 86_400_000_000
_QUIET, _OFFENDING, _REPORTED = 0, 1, 2

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # when the key was first seen
        "window": np.int64,  # number of the open window
        "counted": np.int64,  # in the open window
        "gate": np.int64,  # from this count on the open window's tail is worked out; 0 until needed
        "phase": np.uint8,  # of the open window
        "taught_day": np.int32,  # the last day of which an offending window was learnt
        "windows": np.int64,  # learnt
        "largest": np.int64,  # of the offending windows learnt
        "second": np.int64,
        "total": np.int64,  # sum of their counts
        "squares": np.int64,  # sum of their squares
        **EPISODE_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Lengths, floors and limits; see above."""

    window_s: float
    quiet_s: float
    """Pause that ends an episode."""
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the other times."""
    learn_s: float
    learn_windows: int
    floor: int
    log_p: float
    """Logarithm of the tail probability from which on a count offends; at most ln 0.01."""
    prior_mean: float
    young_limit: int = NEVER
    once_per_window: bool = True


class Keyed(NamedTuple):
    """The columns above as kernels take them."""

    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    window: NDArray[np.int64]
    counted: NDArray[np.int64]
    gate: NDArray[np.int64]
    phase: NDArray[np.uint8]
    taught_day: NDArray[np.int32]
    windows: NDArray[np.int64]
    largest: NDArray[np.int64]
    second: NDArray[np.int64]
    total: NDArray[np.int64]
    squares: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@kernel
def _mean_and_shape(keyed: Keyed, slot: int, prior_mean: float) -> tuple[float, float]:
    windows = keyed.windows[slot] + PRIOR_WINDOWS
    total = keyed.total[slot] + PRIOR_WINDOWS * prior_mean
    squares = keyed.squares[slot] + PRIOR_WINDOWS * (prior_mean * prior_mean + prior_mean)
    mean = total / windows
    surplus = squares / windows - mean * mean - mean
    shape = min(total, LARGEST_SHAPE)
    if surplus > 0.0:
        shape = min(shape, mean * mean / surplus)
    return mean, shape


@kernel
def begin(keyed: Keyed, episode: Episode, slot: int, time_us: int, window_us: int) -> None:
    """Make a key as good as never seen, with the window of `time_us` open."""
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.taught_day[slot] = -1
    keyed.windows[slot] = 0
    keyed.largest[slot] = 0
    keyed.second[slot] = 0
    keyed.total[slot] = 0
    keyed.squares[slot] = 0
    end_episode(episode, slot)
    _open(keyed, slot, time_us // window_us)


@kernel
def turn(keyed: Keyed, slot: int, window: int) -> None:
    """Learn the open window, at the time of its last row, and open another."""
    day = keyed.last_us[slot] // _DAY_US
    if keyed.phase[slot] == _QUIET:
        _learn(keyed, slot, keyed.counted[slot])
    elif day != keyed.taught_day[slot]:
        keyed.taught_day[slot] = day
        count = keyed.counted[slot]
        keyed.second[slot] = max(keyed.second[slot], min(keyed.largest[slot], count))
        keyed.largest[slot] = max(keyed.largest[slot], count)
        _learn(keyed, slot, min(count, 2 * keyed.gate[slot]))  # moments are not robust: it must not make itself usual
    _open(keyed, slot, window)


@kernel
def _learn(keyed: Keyed, slot: int, count: int) -> None:
    keyed.windows[slot] += 1
    keyed.total[slot] += count
    keyed.squares[slot] += count * count
    if keyed.windows[slot] >= FORGET_AT:
        keyed.windows[slot] //= 2
        keyed.total[slot] //= 2
        keyed.squares[slot] //= 2
        keyed.largest[slot] //= 2
        keyed.second[slot] //= 2


@kernel
def _open(keyed: Keyed, slot: int, window: int) -> None:
    keyed.window[slot] = window
    keyed.counted[slot] = 0
    keyed.gate[slot] = 0
    keyed.phase[slot] = _QUIET
    keyed.evidence_next[slot] = 0


@kernel
def add(keyed: Keyed, slot: int, weight: int, address: int, lowest: int) -> int:
    """Count `weight` in the open window: its count so far.

    It keeps evidence from a quarter of `lowest`, the least that could offend, on: most windows never come so far.
    """
    count = min(keyed.counted[slot] + min(weight, _LARGEST_COUNT), _LARGEST_COUNT)
    keyed.counted[slot] = count
    if 4 * count >= lowest:
        remember(keyed.evidence, keyed.evidence_next, slot, address)
    return int(count)


@kernel
def _is_young(keyed: Keyed, slot: int, rules: Rules) -> bool:
    age_us = keyed.window[slot] * int(rules.window_s * 1e6) - keyed.first_us[slot]  # alike for the whole window
    return bool(age_us < int(rules.learn_s * 1e6) or keyed.windows[slot] < rules.learn_windows)


@kernel
def _gate(keyed: Keyed, slot: int, rules: Rules) -> int:
    if _is_young(keyed, slot, rules):
        return rules.young_limit
    mean, shape = _mean_and_shape(keyed, slot, rules.prior_mean)
    likely = int(mean + _GATE_SIGMAS * math.sqrt(mean + mean * mean / shape))
    return int(max(rules.floor, likely + 1, KNOWN_FACTOR * keyed.second[slot]))


@kernel
def judge(keyed: Keyed, episode: Episode, slot: int, weight: int, rules: Rules) -> tuple[bool, float]:
    """After `weight` was added: (whether the open window is to be reported, ln p where it offends, else 0)."""
    count = keyed.counted[slot]
    if keyed.gate[slot] == 0:
        keyed.gate[slot] = _gate(keyed, slot, rules)
    if count < keyed.gate[slot]:
        return False, 0.0
    mean, shape = _mean_and_shape(keyed, slot, rules.prior_mean)
    log_p = negative_binomial_log_tail(count, mean, shape)
    if log_p > rules.log_p and not _is_young(keyed, slot, rules):
        return False, 0.0
    amount = count if keyed.phase[slot] == _QUIET else weight
    due = offend(episode, slot, keyed.last_us[slot], amount, int(rules.quiet_s * 1e6))
    if keyed.phase[slot] == _QUIET:
        keyed.phase[slot] = _OFFENDING
    return due and not (rules.once_per_window and keyed.phase[slot] == _REPORTED), log_p


@kernel
def told(keyed: Keyed, episode: Episode, slot: int) -> None:
    """Note that the open window was reported for offending."""
    reported(episode, slot)
    keyed.phase[slot] = _REPORTED


@kernel
def write(keyed: Keyed, episode: Episode, slot: int, log_p: float, row: int, out: WindowOut, report: int) -> None:
    """Put the open window into `out` as report number `report`.

    `numbers`: count, windows learnt, sum of the episode; `usual`: mean of the windows learnt, ln p.
    """
    windows = keyed.windows[slot]
    out.at[report] = row
    out.numbers[report, 0] = keyed.counted[slot]
    out.numbers[report, 1] = windows
    out.numbers[report, 2] = episode.offended[slot] if keyed.phase[slot] != _QUIET else 0
    out.usual[report, 0] = keyed.total[slot] / windows if windows else math.nan
    out.usual[report, 1] = log_p
    copy_evidence(keyed.evidence, slot, out.evidence, report)


@kernel
def _count(index: Index, keyed: Keyed, episode: Episode, given: AmountRows, rules: Rules, out: WindowOut) -> int:
    reports = 0
    lowest = min(rules.floor, rules.young_limit)
    window_us = int(rules.window_s * 1e6)
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            begin(keyed, episode, slot, time_us, window_us)
        now_us = max(keyed.last_us[slot], time_us)
        if now_us // window_us != keyed.window[slot]:
            turn(keyed, slot, now_us // window_us)
        keyed.last_us[slot] = now_us
        weight = given.amounts[row]
        if weight <= 0 or add(keyed, slot, weight, given.addresses[row], lowest) < lowest:
            continue
        due, log_p = judge(keyed, episode, slot, weight, rules)
        if due:
            told(keyed, episode, slot)
            write(keyed, episode, slot, log_p, row, out, reports)
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, the window's count so far, and what is usual for the key.

    `log_p`: ln P(X >= count). `offended`: the sum of the episode's offending windows. `evidence` (n, 8): the
    window's last lines.
    """

    at: NDArray[np.int64]
    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    """Of the windows learnt; NaN where there is none."""
    windows: NDArray[np.int64]
    log_p: NDArray[np.float64]
    offended: NDArray[np.int64]
    evidence: NDArray[np.int64]


def keyed_of(state: KeyedState, prefix: str = "") -> Keyed:
    """The columns of a state, whose names begin with `prefix`; valid until its next `reserve`."""
    return Keyed(
        last_us=state[prefix + "last_us"].view(np.int64),
        first_us=state[prefix + "first_us"].view(np.int64),
        window=state[prefix + "window"].view(np.int64),
        counted=state[prefix + "counted"].view(np.int64),
        gate=state[prefix + "gate"].view(np.int64),
        phase=state[prefix + "phase"].view(np.uint8),
        taught_day=state[prefix + "taught_day"].view(np.int32),
        windows=state[prefix + "windows"].view(np.int64),
        largest=state[prefix + "largest"].view(np.int64),
        second=state[prefix + "second"].view(np.int64),
        total=state[prefix + "total"].view(np.int64),
        squares=state[prefix + "squares"].view(np.int64),
        evidence=state[prefix + "evidence"].view(np.int64),
        evidence_next=state[prefix + "evidence_next"].view(np.int32),
    )


def reports_in(out: WindowOut, found: int) -> Reports:
    """The first `found` reports of `out`."""
    counted, windows, offended = out.numbers[:found].T
    mean, log_p = out.usual[:found].T
    return Reports(out.at[:found], counted, mean, windows, log_p, offended, out.evidence[:found])


def count(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    weights: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Add `weights` (n,) to the windows of `keys` (n,) in row order.

    A weight of 0 or less only makes its window count as one in which the key was active.
    """
    state.reserve(keys)
    out = room_for_windows(len(keys))
    given = AmountRows(keys, times_us, weights, addresses)
    return reports_in(out, _count(state.index, keyed_of(state), episode_of(state), given, rules, out))
