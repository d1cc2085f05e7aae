"""The first time that a key meets a value, judged by how often its values were new before.

    p = r / (n + r)       n rows of the key so far, r of them with a new value: its own rate of news
    reported when a value is new, the key is known for `learn_us` with `learn_rows` rows, and p <= limit

Values are known as known_values.py keeps them. Who meets new values all the time is never reported; so an attacker who
makes news slowly enough gets p up, and what he then meets is not found. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.kernel_rows import ValueRows
from livesec.baselines.known_values import KNOWN_COLUMNS, forget_values, meet
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "first_us": np.int64,
        "rows": np.int64,
        "news": np.int64,
        **KNOWN_COLUMNS,
    }
)


class Rules(NamedTuple):
    """How much must be known, and how rare news must be; see above."""

    learn_us: int
    learn_rows: int
    limit: float
    forget_us: int


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    rows: NDArray[np.int64]
    news: NDArray[np.int64]
    known: NDArray[np.uint32]


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.int64]
    """(n, 3): rows before, news before, microseconds since the first."""


@kernel
def _meet_all(index: Index, keyed: _Keyed, given: ValueRows, rules: Rules, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            keyed.last_us[slot] = time_us
            keyed.first_us[slot] = time_us
            keyed.rows[slot] = 0
            keyed.news[slot] = 0
            forget_values(keyed.known, slot)
        keyed.last_us[slot] = max(keyed.last_us[slot], time_us)
        rows, news = keyed.rows[slot], keyed.news[slot]
        age_us = keyed.last_us[slot] - keyed.first_us[slot]
        keyed.rows[slot] += 1
        if not meet(keyed.known, slot, given.values[row]):
            continue
        keyed.news[slot] += 1
        if age_us >= rules.learn_us and rows >= rules.learn_rows and news <= rules.limit * (rows + news):
            out.at[reports] = row
            out.numbers[reports, 0] = rows
            out.numbers[reports, 1] = news
            out.numbers[reports, 2] = age_us
            reports += 1
    return reports


@dataclass(frozen=True, slots=True)
class Reports:
    """What was new, (n,): where, and what was known before."""

    at: NDArray[np.int64]
    rows: NDArray[np.int64]
    values: NDArray[np.int64]
    """Different values met before."""
    age_s: NDArray[np.float64]
    p: NDArray[np.float64]


def meet_all(state: KeyedState, given: ValueRows, rules: Rules) -> Reports:
    """Let the keys of `given` meet its values in row order."""
    state.reserve(given.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        rows=state["rows"].view(np.int64),
        news=state["news"].view(np.int64),
        known=state["known"].view(np.uint32),
    )
    n = len(given.keys)
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 3), dtype=np.int64))
    found = _meet_all(state.index, keyed, given, rules, out)
    rows, values, age_us = out.numbers[:found].T
    return Reports(out.at[:found], rows, values, age_us / 1e6, values / np.maximum(rows + values, 1))
