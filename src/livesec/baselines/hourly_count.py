"""Counts per key and hour, or part of one, against the same hour of the day on earlier days: how unlikely is this many?

    count += weight of the row                       one window: times with the same time_us // (1 h / parts)
    offending when count >= floor and ln P(X >= count) <= log_p
                                                     for a key known for `learn_s`

X is negative-binomial with the mean and the variance of the closed windows of the same hour of the day and of the two
beside it, to which those of PRIOR_HOURS imagined hours are added, with Poisson counts of the mean of the whole day. Its
shape is at most the sum of all counts, and at most LARGEST_SHAPE (see count_tail). Windows without a row are learnt as
0, of a pause the last week; an offending one as at most mean + 2 sigma, so that an attack does not make the next one
usual. Every FORGET_AT days of an hour its sums are halved. What offends is reported as episode.py says. All state is
integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.count_tail import Reports, reports_in
from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.kernel_rows import AmountRows, WindowOut, room_for_windows
from livesec.baselines.tails import negative_binomial_log_tail
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

HOUR_US: Final = 3_600_000_000
PRIOR_HOURS: Final = 2
LARGEST_SHAPE: Final = 20.0
FORGET_AT: Final = 28  # days: the half-life is then about 14 to 28 (DETECTIONS: season)
_DAY: Final = 24
_WEEK: Final = 7 * _DAY  # hours
_GATE_SIGMAS: Final = 2.0
_LARGEST_COUNT: Final = 1 << 24

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # when the key was first seen
        "window": np.int64,  # number of the open window
        "counted": np.int64,  # in the open window
        "gate": np.int64,  # from this count on the open window's tail is worked out
        "offending": np.uint8,  # whether the open window is
        "windows": (np.int64, _DAY),  # learnt of each hour of the day
        "total": (np.int64, _DAY),  # sum of their counts
        "squares": (np.int64, _DAY),  # sum of their squares
        **EPISODE_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Lengths, floor and limit; see above."""

    learn_s: float
    floor: int
    log_p: float
    """Logarithm of the tail probability from which on a count offends; at most ln 0.01."""
    quiet_s: float
    """Pause that ends an episode."""
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the other times."""
    parts: int = 1
    """Windows of an hour."""


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    window: NDArray[np.int64]
    counted: NDArray[np.int64]
    gate: NDArray[np.int64]
    offending: NDArray[np.uint8]
    windows: NDArray[np.int64]
    total: NDArray[np.int64]
    squares: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@inner_kernel
def _begin(keyed: _Keyed, episode: Episode, slot: int, time_us: int) -> None:
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    for hour in range(_DAY):
        keyed.windows[slot, hour] = 0
        keyed.total[slot, hour] = 0
        keyed.squares[slot, hour] = 0
    end_episode(episode, slot)


@inner_kernel
def _mean_and_shape(keyed: _Keyed, slot: int, window: int, parts: int) -> tuple[float, float]:
    """Of the counts to be expected in a window."""
    hour = window // parts
    learnt = 0
    total = 0
    squares = 0
    for beside in range(hour - 1, hour + 2):
        learnt += keyed.windows[slot, beside % _DAY]
        total += keyed.total[slot, beside % _DAY]
        squares += keyed.squares[slot, beside % _DAY]
    all_learnt = 0
    all_total = 0
    for other in range(_DAY):
        all_learnt += keyed.windows[slot, other]
        all_total += keyed.total[slot, other]
    prior = (all_total + 1.0) / (all_learnt + 1.0)
    imagined = PRIOR_HOURS * parts
    windows = learnt + imagined
    mean = (total + imagined * prior) / windows
    surplus = (squares + imagined * (prior * prior + prior)) / windows - mean * mean - mean
    shape = min(total + imagined * prior, LARGEST_SHAPE)
    if surplus > 0.0:
        shape = min(shape, mean * mean / surplus)
    return mean, shape


@inner_kernel
def _likely(keyed: _Keyed, slot: int, window: int, parts: int) -> int:
    """Mean + 2 sigma, rounded down: P(X >= more) is above 0.018 up to there."""
    mean, shape = _mean_and_shape(keyed, slot, window, parts)
    return int(mean + _GATE_SIGMAS * math.sqrt(mean + mean * mean / shape))


@inner_kernel
def _learn(keyed: _Keyed, slot: int, window: int, count: int, parts: int) -> None:
    place = window // parts % _DAY
    keyed.windows[slot, place] += 1
    keyed.total[slot, place] += count
    keyed.squares[slot, place] += count * count
    if keyed.windows[slot, place] >= FORGET_AT * parts:
        keyed.windows[slot, place] //= 2
        keyed.total[slot, place] //= 2
        keyed.squares[slot, place] //= 2


@inner_kernel
def _turn(keyed: _Keyed, slot: int, window: int, parts: int) -> None:
    """Learn the open window and those after it that had no row."""
    count = keyed.counted[slot]
    if keyed.offending[slot] != 0:
        count = min(count, _likely(keyed, slot, keyed.window[slot], parts))
    _learn(keyed, slot, keyed.window[slot], count, parts)
    for silent in range(max(keyed.window[slot] + 1, window - _WEEK * parts), window):
        _learn(keyed, slot, silent, 0, parts)


@inner_kernel
def _open(keyed: _Keyed, slot: int, window: int, rules: Rules) -> None:
    keyed.window[slot] = window
    keyed.counted[slot] = 0
    keyed.offending[slot] = 0
    keyed.evidence_next[slot] = 0
    keyed.gate[slot] = max(rules.floor, _likely(keyed, slot, window, rules.parts) + 1)


@inner_kernel
def _write(
    keyed: _Keyed, episode: Episode, slot: int, mean: float, log_p: float, row: int, out: WindowOut, report: int
) -> None:
    learnt = 0
    for hour in range(_DAY):
        learnt += keyed.windows[slot, hour]
    out.at[report] = row
    out.numbers[report, 0] = keyed.counted[slot]
    out.numbers[report, 1] = learnt
    out.numbers[report, 2] = episode.offended[slot]
    out.usual[report, 0] = mean
    out.usual[report, 1] = log_p
    copy_evidence(keyed.evidence, slot, out.evidence, report)


@kernel
def _count(index: Index, keyed: _Keyed, episode: Episode, given: AmountRows, rules: Rules, out: WindowOut) -> int:
    reports = 0
    window_us = HOUR_US // rules.parts
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        begins = fresh or time_us - keyed.last_us[slot] >= int(rules.forget_s * 1e6)
        if begins:
            _begin(keyed, episode, slot, time_us)
        now_us = max(keyed.last_us[slot], time_us)
        window = now_us // window_us
        if not begins and window != keyed.window[slot]:
            _turn(keyed, slot, window, rules.parts)
        if begins or window != keyed.window[slot]:
            _open(keyed, slot, window, rules)
        keyed.last_us[slot] = now_us
        weight = min(max(given.amounts[row], 0), _LARGEST_COUNT)
        keyed.counted[slot] = min(keyed.counted[slot] + weight, _LARGEST_COUNT)
        if 4 * keyed.counted[slot] >= rules.floor:
            remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        age_us = window * window_us - keyed.first_us[slot]
        if keyed.counted[slot] < keyed.gate[slot] or age_us < int(rules.learn_s * 1e6):
            continue
        mean, shape = _mean_and_shape(keyed, slot, window, rules.parts)
        log_p = negative_binomial_log_tail(keyed.counted[slot], mean, shape)
        if log_p > rules.log_p:
            continue
        amount = weight if keyed.offending[slot] != 0 else keyed.counted[slot]
        keyed.offending[slot] = 1
        if offend(episode, slot, now_us, amount, int(rules.quiet_s * 1e6)):
            reported(episode, slot)
            _write(keyed, episode, slot, mean, log_p, row, out, reports)
            reports += 1
    return reports


def count(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    weights: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Add `weights` (n,) to the windows of `keys` (n,) in row order.

    Of the reports, `mean` is what was to be expected in that window and `windows` those learnt.
    """
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        window=state["window"].view(np.int64),
        counted=state["counted"].view(np.int64),
        gate=state["gate"].view(np.int64),
        offending=state["offending"].view(np.uint8),
        windows=state["windows"].view(np.int64),
        total=state["total"].view(np.int64),
        squares=state["squares"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_windows(len(keys))
    given = AmountRows(keys, times_us, weights, addresses)
    return reports_in(out, _count(state.index, keyed, episode_of(state), given, rules, out))
