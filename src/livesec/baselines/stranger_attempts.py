"""Attempts within a window from keys that never succeeded, with allowance for one person at one prompt.

    needed  n, or n + 1 while all attempts of the episode are typing errors for one account within `sitting_s`
    full    when `needed` attempts came within `window_s` and none ever succeeded

A success makes the key known: it is not reported again until it was idle for `forget_s`, after which it is as
good as never seen. An episode lasts until no attempt came for `window_s`. It is reported
once: an address that goes on is what bf_fast and bf_slow are for. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.evidence import EVIDENCE_COLUMNS, copy_evidence, remember
from livesec.baselines.kernel_rows import EpisodeOut, room_for_episodes
from livesec.baselines.leaky_bucket import Reports
from livesec.baselines.nth_in_window import nth_last_us, push, ring_columns
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch


def columns(attempts: int) -> Mapping[str, ColumnSpec]:
    """State columns where `attempts` within the window are too many."""
    return MappingProxyType(
        {
            "last_us": np.int64,  # last row of any kind
            "attempt_us": np.int64,  # last attempt
            "first_us": np.int64,  # start of the episode
            "known": np.int8,  # 1 after a success
            "one_prompt": np.int8,  # 1 while the episode may be one person who mistypes
            "account": np.uint64,  # whom the episode's first attempt named
            "total": np.int64,  # attempts of the episode
            "reported": np.int8,  # 1 once the episode was reported
            **ring_columns(attempts + 1),
            **EVIDENCE_COLUMNS,
        }
    )


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    attempt_us: NDArray[np.int64]
    first_us: NDArray[np.int64]
    known: NDArray[np.int8]
    one_prompt: NDArray[np.int8]
    account: NDArray[np.uint64]
    total: NDArray[np.int64]
    reported: NDArray[np.int8]
    ring_us: NDArray[np.int64]
    ring_next: NDArray[np.int32]
    evidence: NDArray[np.int64]
    evidence_next: NDArray[np.int32]


class LoginRows(NamedTuple):
    """What is judged; all (n,), in row order."""

    keys: Keys
    times_us: NDArray[np.int64]
    success: NDArray[np.bool_]
    weights: NDArray[np.int64]
    """Attempts that each row stands for, at least 1."""
    accounts: Keys
    """Whom it names; 0 where unknown."""
    typed: NDArray[np.bool_]
    """Whether it can be a typing error."""
    addresses: NDArray[np.int64]


class _Limits(NamedTuple):
    window_us: int
    sitting_us: int
    forget_us: int


@inner_kernel
def _begin_episode(keyed: _Keyed, slot: int, time_us: int, account: np.uint64) -> None:
    keyed.attempt_us[slot] = time_us
    keyed.first_us[slot] = time_us
    keyed.one_prompt[slot] = 1
    keyed.account[slot] = account
    keyed.total[slot] = 0
    keyed.reported[slot] = 0
    keyed.ring_next[slot] = 0
    keyed.evidence_next[slot] = 0


@inner_kernel
def _is_full(keyed: _Keyed, slot: int, now_us: int, limits: _Limits) -> bool:
    needed = keyed.ring_us.shape[1] - 1 + keyed.one_prompt[slot]
    if keyed.ring_next[slot] < needed:
        return False
    return now_us - nth_last_us(keyed.ring_us, keyed.ring_next, slot, needed) <= limits.window_us


@kernel
def _count(index: Index, keyed: _Keyed, rows: LoginRows, limits: _Limits, out: EpisodeOut) -> int:
    reports = 0
    for row in range(len(rows.keys)):
        slot, fresh = touch(index, rows.keys[row])
        time_us = rows.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.forget_us:
            keyed.last_us[slot] = time_us
            keyed.known[slot] = 0
            _begin_episode(keyed, slot, time_us, rows.accounts[row])
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        if rows.success[row]:
            keyed.known[slot] = 1
        if keyed.known[slot] == 1:
            continue
        if now_us - keyed.attempt_us[slot] >= limits.window_us:
            _begin_episode(keyed, slot, now_us, rows.accounts[row])
        keyed.attempt_us[slot] = now_us
        other_account = rows.accounts[row] != keyed.account[slot]
        if other_account or not rows.typed[row] or now_us - keyed.first_us[slot] > limits.sitting_us:
            keyed.one_prompt[slot] = 0
        keyed.total[slot] += rows.weights[row]
        push(keyed.ring_us, keyed.ring_next, slot, now_us, rows.weights[row])
        remember(keyed.evidence, keyed.evidence_next, slot, rows.addresses[row])
        if keyed.reported[slot] == 0 and _is_full(keyed, slot, now_us, limits):
            keyed.reported[slot] = 1
            out.at[reports] = row
            out.total[reports] = keyed.total[slot]
            out.span_us[reports] = now_us - keyed.first_us[slot]
            copy_evidence(keyed.evidence, slot, out.evidence, reports)
            reports += 1
    return reports


def count(state: KeyedState, rows: LoginRows, *, window_s: float, sitting_s: float, forget_s: float) -> Reports:
    """Count the attempts of each key and learn from its successes, in row order.

    `forget_s` must not be shorter than `window_s`; a key idle for so long is treated as never seen.
    """
    if forget_s < window_s:
        raise ValueError(f"forget_s {forget_s} is shorter than window_s {window_s}")
    n = len(rows.keys)
    state.reserve(rows.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        attempt_us=state["attempt_us"].view(np.int64),
        first_us=state["first_us"].view(np.int64),
        known=state["known"].view(np.int8),
        one_prompt=state["one_prompt"].view(np.int8),
        account=state["account"].view(np.uint64),
        total=state["total"].view(np.int64),
        reported=state["reported"].view(np.int8),
        ring_us=state["ring_us"].view(np.int64),
        ring_next=state["ring_next"].view(np.int32),
        evidence=state["evidence"].view(np.int64),
        evidence_next=state["evidence_next"].view(np.int32),
    )
    out = room_for_episodes(n)
    limits = _Limits(int(window_s * 1e6), int(sitting_s * 1e6), int(forget_s * 1e6))
    found = _count(state.index, keyed, rows, limits, out)
    return Reports(out.at[:found], out.total[:found], out.span_us[:found] / 1e6, out.evidence[:found])
