"""What several kernels take and fill: rows with a number each, and room for reports.

Each is one class, because numba knows a tuple from Python by the names of its class and fields alone: were there two
classes of one name and the same fields, all calls with the second would take its slow way, 0.25 ms each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import KEPT_LINES
from livesec.core.hashing import Keys


class AmountRows(NamedTuple):
    """Rows with a whole number each: how much, or how often; all (n,)."""

    keys: Keys
    times_us: NDArray[np.int64]
    amounts: NDArray[np.int64]
    addresses: NDArray[np.int64]


class ValueRows(NamedTuple):
    """Rows with a value each, any 64-bit hash or number; all (n,)."""

    keys: Keys
    times_us: NDArray[np.int64]
    values: NDArray[np.uint64]
    addresses: NDArray[np.int64]


class EpisodeOut(NamedTuple):
    """Room for reports about an episode: its total and its span so far."""

    at: NDArray[np.int64]
    total: NDArray[np.int64]
    span_us: NDArray[np.int64]
    evidence: NDArray[np.int64]


class WindowOut(NamedTuple):
    """Room for reports about a window."""

    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3)"""
    usual: NDArray[np.float64]
    """(n, 2)"""
    evidence: NDArray[np.int64]


def room_for_episodes(n: int) -> EpisodeOut:
    """Room for `n` reports."""
    at, total, span_us = (np.empty(n, dtype=np.int64) for _ in range(3))
    return EpisodeOut(at, total, span_us, np.empty((n, KEPT_LINES), dtype=np.int64))


def room_for_windows(n: int) -> WindowOut:
    """Room for `n` reports."""
    return WindowOut(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 3), dtype=np.int64),
        usual=np.empty((n, 2), dtype=np.float64),
        evidence=np.empty((n, KEPT_LINES), dtype=np.int64),
    )
