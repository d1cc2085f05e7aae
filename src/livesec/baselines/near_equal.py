"""Amounts of nearly the same size in quick succession, per key: the last KEPT amounts tell.

    equal    |amount - newest| * 1000 <= per_mille * newest, at most `window_s` before the newest
    reported when `least` of the last KEPT are equal; then whenever an episode's equal ones have grown fourfold

Other amounts in between do no harm unless they are more than KEPT - least. An episode ends when no amount was equal to
enough others for `quiet_s`. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import AmountRows, EpisodeOut, room_for_episodes
from livesec.baselines.leaky_bucket import Reports
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT = 16
LARGEST = 1 << 50  # a thousandfold of it still fits

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "times_us": (np.int64, KEPT),
        "amounts": (np.int64, KEPT),
        "kept": np.int64,  # amounts put so far
        "equal_us": np.int64,  # of the last amount that was equal to enough others
        "first_us": np.int64,  # start of the episode
        "total": np.int64,  # equal amounts of the episode
        "report_at": np.int64,  # total of the next report; 0 without an episode
        **EVIDENCE_COLUMNS,
    }
)


class Rules(NamedTuple):
    """How many, how equal, and times; see above. `least` is at most KEPT."""

    least: int
    per_mille: int
    window_us: int
    quiet_us: int
    """Longer than the window."""


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    times_us: NDArray[np.int64]
    amounts: NDArray[np.int64]
    kept: NDArray[np.int64]
    equal_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    total: NDArray[np.int64]
    report_at: NDArray[np.int64]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


@inner_kernel
def _equal(keyed: _Keyed, slot: int, now_us: int, amount: int, rules: Rules) -> int:
    """How many of the kept amounts are equal to `amount`, and since when the earliest of them is there."""
    found = 0
    for place in range(min(keyed.kept[slot], KEPT)):
        near = abs(keyed.amounts[slot, place] - amount) * 1000 <= rules.per_mille * amount
        if near and now_us - keyed.times_us[slot, place] <= rules.window_us:
            found += 1
    return found


@kernel
def _compare(index: Index, keyed: _Keyed, given: AmountRows, rules: Rules, out: EpisodeOut) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.quiet_us:
            keyed.last_us[slot] = time_us
            keyed.kept[slot] = 0
            keyed.report_at[slot] = 0
            keyed.evidence_next[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        amount = min(max(given.amounts[row], 0), LARGEST)
        place = keyed.kept[slot] % KEPT
        keyed.amounts[slot, place] = amount
        keyed.times_us[slot, place] = now_us
        keyed.kept[slot] += 1
        remember(keyed.evidence, keyed.evidence_next, slot, given.addresses[row])
        equal = _equal(keyed, slot, now_us, amount, rules)
        if equal < rules.least:
            continue
        if keyed.report_at[slot] == 0 or now_us - keyed.equal_us[slot] >= rules.quiet_us:
            keyed.first_us[slot] = now_us
            keyed.total[slot] = equal - 1
            keyed.report_at[slot] = 1
        keyed.equal_us[slot] = now_us
        keyed.total[slot] += 1
        if keyed.total[slot] >= keyed.report_at[slot]:
            keyed.report_at[slot] = GROWTH * keyed.total[slot]
            out.at[reports] = row
            out.total[reports] = keyed.total[slot]
            out.span_us[reports] = now_us - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


def compare(state: KeyedState, given: AmountRows, rules: Rules) -> Reports:
    """Take the amounts of `given` in row order.

    `Reports.span_s` is the time since the first report's row. Raises ValueError for more `least` than are kept.
    """
    if not 1 <= rules.least <= KEPT:
        raise ValueError(f"least {rules.least} is outside 1 to {KEPT}, the amounts kept")
    state.reserve(given.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        times_us=state["times_us"].view(np.int64),
        amounts=state["amounts"].view(np.int64),
        kept=state["kept"].view(np.int64),
        equal_us=state["equal_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        total=state["total"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(len(given.keys))
    found = _compare(state.index, keyed, given, rules, out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])
