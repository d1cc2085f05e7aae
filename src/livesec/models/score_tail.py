"""How rare a forest's score is, by the scores of samples that are known to be mostly ordinary.

The TAIL_SHARE lowest of n scores are the tail. Its depth below its limit t is taken as exponential (a GPD of shape 0;
scores end at -1, so that what is true falls faster and the figure is on the careful side):

    P(S <= s) = TAIL_SHARE * exp(-(t - s) / excess)         s <= t; excess: mean depth of the tail

It is not believed beyond 1 / (BEYOND * (n + 1))^2, as in baselines/tail_of_scores: a thousand packets say nothing about
one in a billion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

TAIL_SHARE: Final = 0.02  # our choice: 20 of a thousand
BEYOND: Final = 2.0
MIN_SCORES: Final = 200


@dataclass(frozen=True)
class ScoreTail:
    """What is kept of n scores."""

    scores: int
    limit: float
    """In [-1, 0): TAIL_SHARE of the scores are this or lower."""
    excess: float
    """Above 0: mean distance of those below the limit."""

    def log_p(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The logarithm of the chance of a score so low, shape (n,); 0 above the limit, where it is not asked.

        >>> ScoreTail(1000, -0.6, 0.01).log_p(np.array([-0.5, -0.6, -0.65])).round(2).tolist()
        [0.0, -3.91, -8.91]
        """
        below = math.log(TAIL_SHARE) - (self.limit - scores) / self.excess
        floor = -2.0 * math.log(BEYOND * (self.scores + 1))
        return np.where(scores <= self.limit, np.maximum(below, floor), 0.0)


def tail_of(scores: NDArray[np.float64]) -> ScoreTail:
    """The tail of `scores` (n,). Raises ValueError for fewer than MIN_SCORES, or where all in it are alike."""
    if len(scores) < MIN_SCORES:
        raise ValueError(f"{len(scores)} scores are too few to say what is rare; {MIN_SCORES} are the least")
    limit = float(np.quantile(scores, TAIL_SHARE, method="lower"))
    excess = float(np.mean(limit - scores[scores <= limit]))
    if excess <= 0.0:
        raise ValueError("the lowest scores are all the same: the samples are too much alike")
    return ScoreTail(len(scores), limit, excess)
