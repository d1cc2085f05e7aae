"""Which entities of a state have the history that their detector asks for before it judges them by it.

Columns and parameters have the same names in all baselines: a column that counts what was learnt, and the parameter
that says how much of it is enough. Age is what lies between an entity's first row and its last.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from livesec.core.clock import US_PER_S
from livesec.core.state import KeyedState

ENOUGH: Final = (
    ("windows", "learn_windows"),
    ("observations", "learn_windows"),
    ("observations", "learn"),
    ("observations", "learn_days"),
    ("hours", "learn_hours"),
    ("hours", "min_hours"),
    ("observed", "mature"),
)
"""(column, parameter): what is learnt, and how much is enough."""


def asked_for(state: KeyedState, params: object) -> list[tuple[NDArray[np.int64], int]]:
    """(values by slot, least value) of each demand that a detector with `params` makes on its `state`."""
    demands = [
        (state[column].view(np.int64), int(getattr(params, name)))
        for column, name in ENOUGH
        if column in state.column_names and hasattr(params, name)
    ]
    learn_s: Any = getattr(params, "learn_s", None)
    if learn_s is not None and {"first_us", "last_us"} <= state.column_names:
        age_us = state["last_us"].view(np.int64) - state["first_us"].view(np.int64)
        demands.append((age_us, int(learn_s * US_PER_S)))
    return demands


def mature_keys(state: KeyedState, params: object) -> int:
    """How many entities of `state` have all of it."""
    has = state.slots_in_use()
    for values, least in asked_for(state, params):
        has &= values >= least
    return int(np.count_nonzero(has))
