"""Which network rows can be first contacts of one machine with another inside, and what was contacted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.border import inside
from livesec.core.hashing import Keys
from livesec.core.rows import Rows


def attempts_inside(rows: Rows) -> NDArray[np.bool_]:
    """TCP connections between two internal addresses whose outcome is known, shape (n,).

    Where no protocol is named it is taken as TCP. Datagrams are left out: many are never answered by design.
    """
    tcp = rows.is_value("protocol", "tcp")
    if rows.column("protocol").null_count():
        tcp = tcp | ~rows.known("protocol")
    told = rows.known("bytes_in")
    if not told.all():
        told = told | rows.known("conn_state") | rows.known("action")
    return np.asarray(inside(rows) & tcp & told)


def target_keys(rows: Rows, at: NDArray[np.int64]) -> Keys:
    """The address and port that the rows at positions `at` contacted, shape (n,); the address where no port is told."""
    targets = rows.key("dst_ip", "dst_port")[at]
    return np.where(targets == 0, rows.key("dst_ip")[at], targets)
