"""Which login rows are guesses at an account."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.rows import Rows


def guesses(rows: Rows) -> NDArray[np.bool_]:
    """Failures, and unfinished attempts from outside, shape (n,).

    A connection dropped before authentication that comes from an internal address is not one: load balancers and
    monitors of one's own look at the port all day.
    """
    inside = rows.is_value("outcome", "attempt") & (rows.integers("is_internal") == 1)
    return np.asarray((rows.is_value("outcome", "failure") | rows.is_value("outcome", "attempt")) & ~inside)


def named_as_typed(rows: Rows) -> NDArray[np.bool_]:
    """Failures for an account that exists as far as the log tells, shape (n,): what a person's typing error gives."""
    return rows.is_value("outcome", "failure") & ~rows.is_value("reason", "invalid_user") & rows.known("user")
