"""The size of one thing, such as a file, against the sizes of the same key: how far out in their tail is it?

Above u, the lower edge of the bin of the 90th percentile, the logarithms' excess over u is taken as exponential (a
Pareto tail of the size) with a gamma prior on its rate, which makes the predictive tail

    P(size >= x) = m / n * (1 + (ln x - u) / S) ^ -M     n sizes, m of them from u on; at most 1
    M = m + PRIOR_VALUES     S = sum of the m excesses + PRIOR_VALUES * PRIOR_EXCESS

heavier the fewer sizes are known. Before `learn` sizes are learnt, u is `floor`, m / n is TAIL_SHARE and the prior
alone speaks: of everybody's files one in ten is that large.

A size offends when it is at least `floor`, exceeds the known_after-th largest learnt and P <= exp(log_p), or, before
`learn` sizes are learnt, when it is at least `young_limit`. From then on sizes that offend are learnt once a day, all
others always. What offends is reported as episode.py says, by the sum of sizes. All state is integers.
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
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

TAIL_SHARE = 0.1  # of the sizes, that make the tail
PRIOR_VALUES = 5
PRIOR_EXCESS = 1.0
LARGEST_SIZE = 1 << 50  # a petabyte; larger ones are somebody's joke and would overflow the sums
NEVER = LARGEST_SIZE + 1
"""As `young_limit`: young keys are not judged."""

_DAY_US = 86_400_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "taught_day": np.int32,  # the last day of which an offending size was learnt
        **HISTOGRAM_COLUMNS,
        **EPISODE_COLUMNS,
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """Floors and limits; see above. Sizes are whole numbers of a unit such as bytes."""

    floor: int
    young_limit: int
    learn: int
    log_p: float
    quiet_s: float
    """Pause that ends an episode."""
    forget_s: float
    """After so long without a row a key is as good as never seen; longer than the pause."""
    known_after: int = 2


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    taught_day: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    sizes: NDArray[np.int64]
    addresses: NDArray[np.int64]


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 2): sizes learnt, sum of the episode."""
    usual: NDArray[np.float64]
    """(n, 3): logarithms of median and 90th percentile, ln P."""
    evidence: NDArray[np.int64]


@kernel
def log_tail(histogram: Histogram, slot: int, size: int, floor: int, learn: int) -> float:
    """The logarithm of P(size >= `size`), see above."""
    sizes = histogram.observations[slot]
    start = log_histogram.log_of(floor)
    share = TAIL_SHARE
    values = 0
    excess = 0.0
    if sizes >= learn:
        rank = max(1, math.ceil((1.0 - TAIL_SHARE) * sizes))
        start, values, excess = log_histogram.tail_above(histogram, slot, rank)
        share = values / sizes
    beyond = max(0.0, log_histogram.log_of(size) - start) / (excess + PRIOR_VALUES * PRIOR_EXCESS)
    return math.log(share) - (values + PRIOR_VALUES) * math.log1p(beyond)


@kernel
def _is_large(histogram: Histogram, slot: int, size: int, log_p: float, rules: Rules) -> bool:
    if histogram.observations[slot] < rules.learn:
        return bool(size >= rules.young_limit)
    known = log_histogram.edge_above(histogram, slot, rules.known_after)
    return bool(log_p <= rules.log_p and log_histogram.log_of(size) > known)


@kernel
def _judge(
    index: Index, keyed: _Keyed, histogram: Histogram, episode: Episode, given: _Given, rules: Rules, out: _Out
) -> int:
    reports = 0
    quiet_us = int(rules.quiet_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= int(rules.forget_s * 1e6):
            keyed.last_us[slot] = time_us
            keyed.taught_day[slot] = -1
            keyed.evidence_next[slot] = 0
            log_histogram.clear(histogram, slot)
            end_episode(episode, slot)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        size = min(max(given.sizes[row], 0), LARGEST_SIZE)
        log_p = 0.0
        if size >= min(rules.floor, rules.young_limit):
            log_p = log_tail(histogram, slot, size, rules.floor, rules.learn)
        if size < rules.floor or not _is_large(histogram, slot, size, log_p, rules):
            log_histogram.learn(histogram, slot, size)
            continue
        due = offend(episode, slot, now_us, size, quiet_us)
        if episode.offended[slot] == size:  # the episode's first
            keyed.evidence_next[slot] = 0
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        if due:
            reported(episode, slot)
            median, _ = log_histogram.median_and_mad(histogram, slot)
            sizes = histogram.observations[slot]
            out.at[reports] = row
            out.numbers[reports, 0] = sizes
            out.numbers[reports, 1] = episode.offended[slot]
            out.usual[reports, 0] = median
            out.usual[reports, 1] = (
                log_histogram.quantile(histogram, slot, math.ceil((1.0 - TAIL_SHARE) * sizes)) if sizes else 0.0
            )
            out.usual[reports, 2] = log_p
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
        if histogram.observations[slot] < rules.learn or now_us // _DAY_US != keyed.taught_day[slot]:
            keyed.taught_day[slot] = now_us // _DAY_US
            log_histogram.learn(histogram, slot, size)
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was reported, (n,): positions in the rows given, and what is usual for the key."""

    at: NDArray[np.int64]
    median: NDArray[np.float64]
    """Of the sizes learnt; NaN where there is none, as `ninetieth`."""
    ninetieth: NDArray[np.float64]
    """The size that one in ten exceeds."""
    sizes: NDArray[np.int64]
    """How many were learnt."""
    log_p: NDArray[np.float64]
    offended: NDArray[np.int64]
    """The sum of the episode's offending sizes."""
    evidence: NDArray[np.int64]
    """(n, 8): the lines of the episode's last offending sizes."""


def judge(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    sizes: NDArray[np.int64],
    addresses: NDArray[np.int64],
    rules: Rules,
) -> Reports:
    """Judge and learn `sizes` (n,) of `keys` (n,) in row order; negative sizes count as 0."""
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        taught_day=state["taught_day"].view(np.int32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 2), dtype=np.int64),
        usual=np.empty((n, 3), dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
    given = _Given(keys, times_us, sizes, addresses)
    found = _judge(state.index, keyed, histogram_of(state), episode_of(state), given, rules, out)
    learnt, offended = out.numbers[:found].T
    median, ninetieth, log_p = out.usual[:found].T
    return Reports(
        at=out.at[:found],
        median=np.where(learnt > 0, np.exp(median), np.nan),
        ninetieth=np.where(learnt > 0, np.exp(ninetieth), np.nan),
        sizes=learnt,
        log_p=log_p,
        offended=offended,
        evidence=out.evidence[:found],
    )
