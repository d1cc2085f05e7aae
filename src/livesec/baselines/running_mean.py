"""A value against the mean of its key's earlier values: the livesec seed's idea of a spike, for seed_mode.

    reported when value > factor * total / seen, after at least `min_values`; then total += value, seen += 1

Every offending value is reported and learnt. At FORGET_AT values both sums are halved. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

FORGET_AT = 4096
_LARGEST_VALUE = 1 << 45  # so that the sum cannot overflow

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType({"last_us": np.int64, "total": np.int64, "seen": np.int64})


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    total: NDArray[np.int64]
    seen: NDArray[np.int64]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    values: NDArray[np.int64]


class _Rules(NamedTuple):
    factor: float
    min_values: int
    forget_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    mean: NDArray[np.float64]
    seen: NDArray[np.int64]


@kernel
def _compare(index: Index, keyed: _Keyed, given: _Given, rules: _Rules, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            keyed.last_us[slot] = time_us
            keyed.total[slot] = 0
            keyed.seen[slot] = 0
        keyed.last_us[slot] = max(keyed.last_us[slot], time_us)
        value = min(max(given.values[row], 0), _LARGEST_VALUE)
        seen = keyed.seen[slot]
        if seen >= rules.min_values and value * float(seen) > rules.factor * keyed.total[slot]:
            out.at[reports] = row
            out.mean[reports] = keyed.total[slot] / seen
            out.seen[reports] = seen
            reports += 1
        keyed.total[slot] += value
        keyed.seen[slot] += 1
        if keyed.seen[slot] >= FORGET_AT:
            keyed.total[slot] //= 2
            keyed.seen[slot] //= 2
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """Values that exceeded, (n,): positions in the rows given, mean and number of the earlier values."""

    at: NDArray[np.int64]
    mean: NDArray[np.float64]
    seen: NDArray[np.int64]


def compare(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: NDArray[np.int64],
    *,
    factor: float,
    min_values: int,
    forget_s: float,
) -> Reports:
    """Compare `values` (n,; negative ones count as 0) with those before of the same key, in row order.

    A key without a row for `forget_s` is as good as never seen.
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        total=state["total"].view(np.int64),
        seen=state["seen"].view(np.int64),
    )
    out = _Out(np.empty(n, np.int64), np.empty(n, np.float64), np.empty(n, np.int64))
    rules = _Rules(float(factor), min_values, int(forget_s * 1e6))
    found = _compare(state.index, keyed, _Given(keys, times_us, values), rules, out)
    return Reports(out.at[:found], out.mean[:found], out.seen[:found])
