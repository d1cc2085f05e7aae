"""Which file transfers put a file somewhere under a name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.rows import Rows

_ACTIONS = ("upload", "copy", "move", "rename")


def written(rows: Rows) -> NDArray[np.bool_]:
    """Uploads, copies, moves and renames that did not fail, shape (n,)."""
    wanted = np.logical_or.reduce([rows.is_value("action", action) for action in _ACTIONS])
    return np.asarray(wanted & ~rows.is_value("outcome", "failure"))
