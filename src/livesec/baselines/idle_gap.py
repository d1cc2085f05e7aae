"""How long each key was silent before it came back.

    gap = now - last; told when gap >= min_gap, for a key seen before

A key without a row for `forget_s` is as good as never seen. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.kernel_rows import AmountRows
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

_DAY_US = 86_400_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "days": np.int64,  # days with a row
        "returns": np.int64,  # times it came back so late
        "address": np.int64,  # line of the last row
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    days: NDArray[np.int64]
    returns: NDArray[np.int64]
    address: NDArray[np.int64]


class _Out(NamedTuple):
    at: NDArray[np.int64]
    gaps: NDArray[np.int64]
    """(n, 4): gap in us, days with rows before, returns before, line address of the row before."""


@kernel
def _pass(index: Index, keyed: _Keyed, given: AmountRows, min_gap_us: int, forget_us: int, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            keyed.last_us[slot] = time_us
            keyed.days[slot] = 1
            keyed.returns[slot] = 0
        gap_us = time_us - keyed.last_us[slot]
        if gap_us >= min_gap_us:
            out.at[reports] = row
            out.gaps[reports, 0] = gap_us
            out.gaps[reports, 1] = keyed.days[slot]
            out.gaps[reports, 2] = keyed.returns[slot]
            out.gaps[reports, 3] = keyed.address[slot]
            keyed.returns[slot] += 1
            reports += 1
        now_us = max(keyed.last_us[slot], time_us)
        if now_us // _DAY_US != keyed.last_us[slot] // _DAY_US:
            keyed.days[slot] += 1
        keyed.last_us[slot] = now_us
        keyed.address[slot] = given.addresses[row]
    return reports


@dataclass(frozen=True, slots=True)
class Gaps:
    """Keys that came back; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    gap_s: NDArray[np.float64]
    days: NDArray[np.int64]
    """Days with a row before."""
    returns: NDArray[np.int64]
    """Earlier gaps as long."""
    address: NDArray[np.int64]
    """Line of the row before the gap."""


def gaps(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    addresses: NDArray[np.int64],
    *,
    min_gap_s: float,
    forget_s: float,
) -> Gaps:
    """The rows of `keys` (n,), in order, that come at least `min_gap_s` after their key's last one."""
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        days=state["days"].view(np.int64),
        returns=state["returns"].view(np.int64),
        address=state["address"].view(np.int64),
    )
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 4), dtype=np.int64))
    given = AmountRows(keys, times_us, times_us, addresses)
    found = _pass(state.index, keyed, given, int(min_gap_s * 1e6), int(forget_s * 1e6), out)
    gap_us, days, returns, address = out.gaps[:found].T
    return Gaps(out.at[:found], gap_us / 1e6, days, returns, address)
