"""Words for whether something was there when the log began: then nobody knows how old it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livesec.core.human_units import time_text


def began(from_start: NDArray[np.bool_], learn_s: float) -> Sequence[str]:
    """When each was first seen, as a column of details; `learn_s`: how long everything in a log is new.

    >>> began(np.array([True, False]), 86_400.0)
    ['within the first 24 h of the log, so it may be older', 'after the first 24 h of the log']
    """
    first = f"the first {time_text(learn_s)} of the log"
    return [f"within {first}, so it may be older" if early else f"after {first}" for early in from_start.tolist()]
