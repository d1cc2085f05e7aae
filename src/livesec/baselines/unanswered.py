"""Which connections got no answer: what scans leave behind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.rows import Rows

# Zeek's states for an attempt that the other side ignored, refused or broke off at once.
UNANSWERED_STATES = ("S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR")


def unanswered(rows: Rows) -> NDArray[np.bool_]:
    """Network rows without an answer, shape (n,).

    By the connection's state where it is known; else where nothing came back, which needs `bytes_in` to be 0
    and not merely unknown; or because a firewall denied it.
    """
    silent: NDArray[np.bool_] = rows.integers("bytes_in", null=-1) == 0
    if rows.column("conn_state").null_count() < len(rows):
        silent = silent & ~rows.known("conn_state")
        for state in UNANSWERED_STATES:
            silent = silent | rows.is_value("conn_state", state)
    if rows.column("action").null_count() < len(rows):
        silent = silent | rows.is_value("action", "deny")
    return silent
