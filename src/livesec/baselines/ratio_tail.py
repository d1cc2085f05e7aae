"""Sent to received bytes per key and window of time, tested while it fills against the key's earlier windows.

    quotient = sent / received, at most 64         shift = (q - 1) / (q + 1) - the same of the median quotient
    offending when sent >= floor, shift >= least_shift, the quotient exceeds the known_after-th largest learnt and its
    tail probability (size_tail.log_tail) is at most exp(log_p); for a key known for `learn_s` with `learn_windows`

A window's quotient is the highest at which it was tested, or the last if it never was; so what is learnt is what is
judged. Windows of fewer than `least_bytes` both ways teach nothing. A window that never offended teaches when it
closes; of the offending ones the first of each day does. What offends is reported as episode.py says by the bytes
sent, at most once a window. All state is integers: quotients are kept as multiples of 1 / UNIT.
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
from livesec.baselines.log_histogram import HISTOGRAM_COLUMNS, Histogram, histogram_of
from livesec.baselines.size_tail import log_tail
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

UNIT = 1 << 22  # the histogram begins with a quotient of 1 / 65,536
MOST_ONE_SIDED = 64.0  # our choice: an hour that begins with an upload has any quotient, and all beyond this are alike
_LARGEST = 1 << 45  # bytes in one row or window
_DAY_US = 86_400_000_000
_QUIET, _OFFENDING, _REPORTED = 0, 1, 2

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,  # when the key was first seen
        "window": np.int64,  # number of the open window
        "sent": np.int64,  # in the open window
        "received": np.int64,
        "peak": np.int64,  # the highest quotient tested in the open window; 0 without a test
        "phase": np.uint8,  # of the open window
        "taught_day": np.int32,  # the last day of which an offending window was learnt
        **HISTOGRAM_COLUMNS,
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
    least_bytes: int
    floor: int
    least_shift: float
    log_p: float
    known_after: int = 2


class _RatioState(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    window: NDArray[np.int64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    peak: NDArray[np.int64]
    phase: NDArray[np.uint8]
    taught_day: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _RatioRows(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    addresses: NDArray[np.int64]


class _RatioOut(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 4): sent, received, windows learnt, sum of the episode."""
    usual: NDArray[np.float64]
    """(n, 2): logarithm of the median quotient in units, ln P."""
    evidence: NDArray[np.int64]


@kernel
def _quotient(keyed: _RatioState, slot: int) -> int:
    return int(min(keyed.sent[slot] / max(keyed.received[slot], 1), MOST_ONE_SIDED) * UNIT)


@kernel
def _open(keyed: _RatioState, slot: int, window: int) -> None:
    keyed.window[slot] = window
    keyed.sent[slot] = 0
    keyed.received[slot] = 0
    keyed.peak[slot] = 0
    keyed.phase[slot] = _QUIET
    keyed.evidence_next[slot] = 0


@kernel
def _begin(keyed: _RatioState, histogram: Histogram, episode: Episode, slot: int, time_us: int, window_us: int) -> None:
    keyed.last_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.taught_day[slot] = -1
    log_histogram.clear(histogram, slot)
    end_episode(episode, slot)
    _open(keyed, slot, time_us // window_us)


@kernel
def _turn(keyed: _RatioState, histogram: Histogram, slot: int, window: int, least_bytes: int) -> None:
    """Learn the open window, at the time of its last row, and open another."""
    day = keyed.last_us[slot] // _DAY_US
    offended = keyed.phase[slot] != _QUIET
    enough = keyed.sent[slot] + keyed.received[slot] >= least_bytes
    if enough and (not offended or day != keyed.taught_day[slot]):
        log_histogram.learn(histogram, slot, max(keyed.peak[slot], _quotient(keyed, slot)))
    if offended:
        keyed.taught_day[slot] = day
    _open(keyed, slot, window)


@kernel
def _log_p(keyed: _RatioState, histogram: Histogram, slot: int, quotient: int, rules: Rules) -> float:
    """Ln P of the open window's quotient where it offends, else 0."""
    age_us = keyed.window[slot] * int(rules.window_s * 1e6) - keyed.first_us[slot]  # alike for the whole window
    if age_us < int(rules.learn_s * 1e6) or histogram.observations[slot] < rules.learn_windows:
        return 0.0
    median, _ = log_histogram.median_and_mad(histogram, slot)
    usual = math.exp(median) / UNIT
    now = quotient / UNIT
    if (now - 1.0) / (now + 1.0) - (usual - 1.0) / (usual + 1.0) < rules.least_shift:
        return 0.0
    if log_histogram.log_of(quotient) <= log_histogram.edge_above(histogram, slot, rules.known_after):
        return 0.0
    log_p = log_tail(histogram, slot, quotient, UNIT, rules.learn_windows)
    return log_p if log_p <= rules.log_p else 0.0


@kernel
def _fill(
    index: Index,
    keyed: _RatioState,
    histogram: Histogram,
    episode: Episode,
    given: _RatioRows,
    rules: Rules,
    out: _RatioOut,
) -> int:
    reports = 0
    window_us = int(rules.window_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= int(rules.forget_s * 1e6):
            _begin(keyed, histogram, episode, slot, time_us, window_us)
        now_us = max(keyed.last_us[slot], time_us)
        if now_us // window_us != keyed.window[slot]:
            _turn(keyed, histogram, slot, now_us // window_us, rules.least_bytes)
        keyed.last_us[slot] = now_us
        sent = min(max(given.sent[row], 0), _LARGEST)
        keyed.sent[slot] = min(keyed.sent[slot] + sent, _LARGEST)
        keyed.received[slot] = min(keyed.received[slot] + min(max(given.received[row], 0), _LARGEST), _LARGEST)
        if 8 * sent >= keyed.sent[slot]:
            remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if keyed.sent[slot] < rules.floor:
            continue
        quotient = _quotient(keyed, slot)
        keyed.peak[slot] = max(keyed.peak[slot], quotient)
        log_p = _log_p(keyed, histogram, slot, quotient, rules)
        if log_p == 0.0:
            continue
        amount = keyed.sent[slot] if keyed.phase[slot] == _QUIET else sent
        due = offend(episode, slot, now_us, amount, int(rules.quiet_s * 1e6))
        if due and keyed.phase[slot] != _REPORTED:
            reported(episode, slot)
            keyed.phase[slot] = _REPORTED
            out.at[reports] = row
            out.numbers[reports, 0] = keyed.sent[slot]
            out.numbers[reports, 1] = keyed.received[slot]
            out.numbers[reports, 2] = histogram.observations[slot]
            out.numbers[reports, 3] = episode.offended[slot]
            out.usual[reports, 0], _ = log_histogram.median_and_mad(histogram, slot)
            out.usual[reports, 1] = log_p
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
        elif keyed.phase[slot] == _QUIET:
            keyed.phase[slot] = _OFFENDING
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): where, the window's bytes so far, and what is usual for the key."""

    at: NDArray[np.int64]
    sent: NDArray[np.int64]
    received: NDArray[np.int64]
    usual: NDArray[np.float64]
    """Median of the learnt windows' quotients."""
    windows: NDArray[np.int64]
    log_p: NDArray[np.float64]
    """ln P(quotient at least so high)."""
    offended: NDArray[np.int64]
    """Bytes sent in the episode's offending windows."""
    evidence: NDArray[np.int64]
    """(n, 8): lines that sent an eighth of the window's bytes or more."""


def fill(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    sent: NDArray[np.int64],
    received: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Add what `keys` (n,) sent and received to their windows in row order; negative bytes count as 0."""
    n = len(keys)
    state.reserve(keys)
    keyed = _RatioState(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        window=state["window"].view(np.int64),
        sent=state["sent"].view(np.int64),
        received=state["received"].view(np.int64),
        peak=state["peak"].view(np.int64),
        phase=state["phase"].view(np.uint8),
        taught_day=state["taught_day"].view(np.int32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _RatioOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 4), dtype=np.int64),
        usual=np.empty((n, 2), dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    given = _RatioRows(keys, times_us, sent, received, addresses)
    found = _fill(state.index, keyed, histogram_of(state), episode_of(state), given, rules, out)
    total, back, windows, offended = out.numbers[:found].T
    median, log_p = out.usual[:found].T
    return Reports(
        at=out.at[:found],
        sent=total,
        received=back,
        usual=np.exp(median) / UNIT,
        windows=windows,
        log_p=log_p,
        offended=offended,
        evidence=out.evidence[:found],
    )
