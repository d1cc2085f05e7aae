"""The last few line addresses of each key: what an anomaly shows as its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from livesec.core.batch import NO_ADDRESS
from livesec.core.jit import inner_kernel
from livesec.core.state import ColumnSpec

KEPT_LINES = 8

EVIDENCE_COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {"evidence": (np.int64, KEPT_LINES), "evidence_next": np.int32}
)


@inner_kernel
def remember(evidence: NDArray[np.int64], evidence_next: NDArray[np.int32], slot: int, address: int) -> None:
    """Put `address` into the ring of `slot`; `evidence_next` counts what was put since the ring was last emptied.

    Emptying is `evidence_next[slot] = 0`: the next call clears the ring first.
    """
    width = evidence.shape[1]
    if evidence_next[slot] == 0:
        for place in range(width):
            evidence[slot, place] = NO_ADDRESS
    evidence[slot, evidence_next[slot] % width] = address
    evidence_next[slot] += 1
    if evidence_next[slot] >= 2 * width:  # keep it small; only its remainder and "not 0" matter
        evidence_next[slot] = width


@inner_kernel
def copy_evidence(evidence: NDArray[np.int64], slot: int, out: NDArray[np.int64], report: int) -> None:
    """Copy the ring of `slot` into row `report` of `out`; a loop, since a slice takes numba seconds to compile."""
    for place in range(evidence.shape[1]):
        out[report, place] = evidence[slot, place]
