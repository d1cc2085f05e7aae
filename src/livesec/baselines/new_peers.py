"""How many peers a key meets for the first time in a window of time, judged like counts (count_tail).

A peer is new if it is not among those that known_values.py keeps. In a key's first `acquaint_s` all peers are new, and
none is counted; from then on a window's count is that of its new peers, mostly 0. State is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail
from livesec.baselines.count_tail import Keyed, Rules
from livesec.baselines.episode import Episode, episode_of
from livesec.baselines.kernel_rows import ValueRows, WindowOut, room_for_windows
from livesec.baselines.known_values import KNOWN_COLUMNS, forget_values, meet
from livesec.core.hashing import Keys
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType({**count_tail.COLUMNS, **KNOWN_COLUMNS, "met": np.int64})
"""`met`: new peers since the key was first seen."""


class _Peers(NamedTuple):
    known: NDArray[np.uint32]
    met: NDArray[np.int64]


@kernel
def _meet_all(
    index: Index,
    keyed: Keyed,
    episode: Episode,
    peers: _Peers,
    given: ValueRows,
    rules: Rules,
    acquaint_us: int,
    out: WindowOut,
    out_met: NDArray[np.int64],
) -> int:
    reports = 0
    window_us = int(rules.window_s * 1e6)
    forget_us = int(rules.forget_s * 1e6)
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= forget_us:
            count_tail.begin(keyed, episode, slot, time_us, window_us)
            forget_values(peers.known, slot)
            peers.met[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        acquainted = now_us - keyed.first_us[slot] >= acquaint_us
        if acquainted and now_us // window_us != keyed.window[slot]:
            count_tail.turn(keyed, slot, now_us // window_us)
        keyed.last_us[slot] = now_us
        if not meet(peers.known, slot, given.values[row]):
            continue
        peers.met[slot] += 1
        if not acquainted:
            continue
        if count_tail.add(keyed, slot, 1, given.addresses[row], 1) < rules.floor:
            continue
        due, log_p = count_tail.judge(keyed, episode, slot, 1, rules)
        if due:
            count_tail.told(keyed, episode, slot)
            count_tail.write(keyed, episode, slot, log_p, row, out, reports)
            out_met[reports] = peers.met[slot]
            reports += 1
    return reports


def count_new(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    peers: Keys,
    addresses: NDArray[np.int64],
    rules: Rules,
    *,
    acquaint_s: float,
) -> tuple[count_tail.Reports, NDArray[np.int64]]:
    """Let `keys` (n,) meet `peers` (n,) in row order: (reports, peers met in all).

    Young keys are not judged: `rules.young_limit` is to be NEVER, and `rules.learn_s` counts from a key's first row.
    """
    state.reserve(keys)
    out = room_for_windows(len(keys))
    met = np.empty(len(keys), dtype=np.int64)
    found = _meet_all(
        state.index,
        count_tail.keyed_of(state),
        episode_of(state),
        _Peers(state["known"].view(np.uint32), state["met"].view(np.int64)),
        ValueRows(keys, times_us, peers, addresses),
        rules,
        int(acquaint_s * 1e6),
        out,
        met,
    )
    return count_tail.reports_in(out, found), met[:found]
