"""Which side of the organisation's border the two ends of a connection are on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.rows import Rows


def outwards(rows: Rows) -> NDArray[np.bool_]:
    """Connections from inside to outside, shape (n,); False where the destination's side is unknown.

    A source is inside if its address is, or if the log itself calls the connection outbound: a rented server has none
    but public addresses.
    """
    foreign = rows.integers("dst_is_internal", null=1) == 0
    own = rows.integers("is_internal") == 1
    if rows.column("direction").null_count() < len(rows):
        own = own | rows.is_value("direction", "outbound")
    return np.asarray(foreign & own)


def inwards(rows: Rows) -> NDArray[np.bool_]:
    """Connections from outside to inside, shape (n,); False where the source's side is unknown.

    A destination is inside if its address is, or if the log itself calls the connection inbound, as in `outwards`.
    """
    foreign = rows.integers("is_internal", null=1) == 0
    own = rows.integers("dst_is_internal") == 1
    if rows.column("direction").null_count() < len(rows):
        own = own | rows.is_value("direction", "inbound")
    return np.asarray(foreign & own)


def inside(rows: Rows) -> NDArray[np.bool_]:
    """Connections between two internal addresses, shape (n,); False where a side is unknown."""
    return np.asarray((rows.integers("is_internal") == 1) & (rows.integers("dst_is_internal") == 1))
