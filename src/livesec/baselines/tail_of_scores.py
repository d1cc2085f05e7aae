"""The tail of each key's earlier scores: how often is one as high as this?

Scores are counted in BINS bins of BIN_WIDTH, from 0; the last one is open. Above the EXCEEDED highest scores, or the
highest tenth where that is more, the tail is taken as exponential (a GPD of shape 0, as SPOT, Siffer et al. KDD 2017,
fits with a free one: too much freedom for the few scores of one person):

    P(S >= s) = (k + 1) / (n + 1) * exp(-(s - t) / excess)      k of n scores are t or more; s > t

    excess = (k * mean excess over t + PRIOR_SCORES * PRIOR_EXCESS) / (k + PRIOR_SCORES)

It is not believed beyond 1 / (BEYOND * (n + 1))^2: fifty scores say nothing about one in a million. Counts are in
sixteenths, so that a suspicious score can teach less than a whole one; all state is integers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, KeyedState

BINS: Final = 64
BIN_WIDTH: Final = 0.25
WHOLE: Final = 16  # one score, in sixteenths
EXCEEDED: Final = 5
PRIOR_SCORES: Final = 10
PRIOR_EXCESS: Final = 0.75  # our choice: two percent of what exceeds the limit exceeds it by 3
BEYOND: Final = 2.0  # our choice: one in 10,000 takes 50 scores
FORGET_AT: Final = 4096 * WHOLE  # all counts are halved then
_SHARE: Final = 10

SCORE_COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType({"scores": (np.int32, BINS), "scored": np.int64})


class Scores(NamedTuple):
    """The columns above as kernels take them."""

    scores: NDArray[np.int32]
    scored: NDArray[np.int64]


def scores_of(state: KeyedState) -> Scores:
    """The score columns of a state; valid until its next `reserve`."""
    return Scores(state["scores"].view(np.int32), state["scored"].view(np.int64))


@inner_kernel
def forget_scores(scores: Scores, slot: int) -> None:
    """Begin without a score."""
    scores.scored[slot] = 0
    for place in range(BINS):
        scores.scores[slot, place] = 0


@inner_kernel
def learn_score(scores: Scores, slot: int, score: float, sixteenths: int) -> None:
    """Count `score`."""
    scores.scores[slot, min(BINS - 1, int(max(0.0, score) / BIN_WIDTH))] += sixteenths
    scores.scored[slot] += sixteenths
    if scores.scored[slot] >= FORGET_AT:
        scores.scored[slot] = 0
        for place in range(BINS):
            scores.scores[slot, place] //= 2
            scores.scored[slot] += scores.scores[slot, place]


@kernel
def score_log_tail(scores: Scores, slot: int, score: float) -> float:
    """The logarithm of P(S >= score), at most 0."""
    wanted = max(EXCEEDED * WHOLE, scores.scored[slot] // _SHARE)
    above = 0
    place = BINS
    moment = 0.0  # sum of count times middle of the bin
    while place > 0 and above < wanted:
        place -= 1
        count = scores.scores[slot, place]
        above += count
        moment += count * (place + 0.5) * BIN_WIDTH
    limit = place * BIN_WIDTH
    if score <= limit:
        return 0.0
    exceeded = above / WHOLE
    excess = (moment / WHOLE - exceeded * limit + PRIOR_SCORES * PRIOR_EXCESS) / (exceeded + PRIOR_SCORES)
    known = scores.scored[slot] / WHOLE + 1.0
    log_p = math.log((exceeded + 1.0) / known) - (score - limit) / excess
    return min(0.0, max(log_p, -2.0 * math.log(BEYOND * known)))
