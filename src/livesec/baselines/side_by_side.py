"""Two values of a key in use side by side, such as two networks of a user, of which one is new.

    in turn   the value of this row was used before, and another one since, all within `window_s`: A, B, A
    new       first used less than `fresh_s` ago; old: not new
    told      when a new and an old value are used in turn, for a key known for `learn_s`

The last KEPT_VALUES distinct values are kept; one not used for `forget_s` is new again. Values that are both old are
the key's habit, however they alternate; both new, and nobody knows which is its own. Rows in turn belong to one episode
until none came for `quiet_s`; the first is told, then whenever their number has grown fourfold. A key without a row for
`forget_s` is as good as never seen. All state is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.episode import EPISODE_COLUMNS, Episode, end_episode, episode_of, offend, reported
from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_VALUES: Final = 12

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "begun_us": np.int64,  # when the key was first seen
        "kept": np.int32,  # values in use
        "value": (np.uint64, KEPT_VALUES),
        "first_us": (np.int64, KEPT_VALUES),  # first use of each
        "used_us": (np.int64, KEPT_VALUES),  # last use
        "used": (np.int64, KEPT_VALUES),  # the same as a number that counts the key's rows
        "address": (np.int64, KEPT_VALUES),  # line of the last use
        "group": (np.int64, KEPT_VALUES),  # of the last use
        "rows": np.int64,
        **EPISODE_COLUMNS,
    }
)


class _Keyed(NamedTuple):
    last_us: NDArray[np.int64]
    begun_us: NDArray[np.int64]
    kept: NDArray[np.int32]
    value: NDArray[np.uint64]
    first_us: NDArray[np.int64]
    used_us: NDArray[np.int64]
    used: NDArray[np.int64]
    address: NDArray[np.int64]
    group: NDArray[np.int64]
    rows: NDArray[np.int64]


class _Given(NamedTuple):
    keys: Keys
    times_us: NDArray[np.int64]
    values: Keys
    groups: NDArray[np.int64]
    addresses: NDArray[np.int64]


class _Rules(NamedTuple):
    window_us: int
    fresh_us: int
    learn_us: int
    quiet_us: int
    forget_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    turns: NDArray[np.int64]
    """(n, 5): us since the other was used, us since this was used before, values kept, rows of the episode, the other's
    group."""
    evidence: NDArray[np.int64]
    """(n, 2): lines of this value's last use and of the other's."""


@inner_kernel
def _place_of(keyed: _Keyed, slot: int, value: np.uint64, now_us: int, forget_us: int) -> int:
    """The place of `value`, made free of what was forgotten, else a free one or that of the value unused longest."""
    longest = 0
    place = -1
    for other in range(keyed.kept[slot]):
        if keyed.value[slot, other] == value:
            place = other
        if keyed.used[slot, other] < keyed.used[slot, longest]:
            longest = other
    if place >= 0 and now_us - keyed.used_us[slot, place] < forget_us:
        return place
    if place < 0 and keyed.kept[slot] < KEPT_VALUES:
        place = int(keyed.kept[slot])
        keyed.kept[slot] += 1
    elif place < 0:
        place = longest
    keyed.value[slot, place] = value
    keyed.first_us[slot, place] = now_us
    keyed.used[slot, place] = -1
    return place


@inner_kernel
def _other_in_turn(keyed: _Keyed, slot: int, place: int, now_us: int, rules: _Rules) -> int:
    """The last used of the values used since this one was that differ from it in being new; -1 where there is none."""
    found = -1
    if keyed.used[slot, place] < 0 or now_us - keyed.used_us[slot, place] > rules.window_us:
        return found
    new = now_us - keyed.first_us[slot, place] < rules.fresh_us
    for other in range(keyed.kept[slot]):
        if keyed.used[slot, other] <= keyed.used[slot, place]:
            continue
        if (now_us - keyed.first_us[slot, other] < rules.fresh_us) == new:
            continue
        if found < 0 or keyed.used[slot, other] > keyed.used[slot, found]:
            found = other
    return found


@kernel
def _use(index: Index, keyed: _Keyed, episode: Episode, given: _Given, rules: _Rules, out: _Out) -> int:
    reports = 0
    for row in range(len(given.keys)):
        slot, fresh = touch(index, given.keys[row])
        time_us = given.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= rules.forget_us:
            keyed.last_us[slot] = time_us
            keyed.begun_us[slot] = time_us
            keyed.kept[slot] = 0
            keyed.rows[slot] = 0
            end_episode(episode, slot)
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        place = _place_of(keyed, slot, given.values[row], now_us, rules.forget_us)
        if now_us - keyed.begun_us[slot] >= rules.learn_us:
            other = _other_in_turn(keyed, slot, place, now_us, rules)
            if other >= 0 and offend(episode, slot, now_us, 1, rules.quiet_us):
                reported(episode, slot)
                out.at[reports] = row
                out.turns[reports, 0] = now_us - keyed.used_us[slot, other]
                out.turns[reports, 1] = now_us - keyed.used_us[slot, place]
                out.turns[reports, 2] = keyed.kept[slot]
                out.turns[reports, 3] = episode.offended[slot]
                out.turns[reports, 4] = keyed.group[slot, other]
                out.evidence[reports, 0] = keyed.address[slot, place]
                out.evidence[reports, 1] = keyed.address[slot, other]
                reports += 1
        keyed.used_us[slot, place] = now_us
        keyed.used[slot, place] = keyed.rows[slot]
        keyed.rows[slot] += 1
        keyed.address[slot, place] = given.addresses[row]
        keyed.group[slot, place] = given.groups[row]
    return reports


@dataclass(frozen=True, slots=True)
class Alternations:
    """Rows in turn that were reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    other_s: NDArray[np.float64]
    """Time since the other value was used."""
    before_s: NDArray[np.float64]
    """Time since this one was used before that."""
    values: NDArray[np.int64]
    """Values kept, with both."""
    episode: NDArray[np.int64]
    """Rows in turn in the episode, with this one."""
    other_group: NDArray[np.int64]
    """Group of the other value when it was last used."""
    evidence: NDArray[np.int64]
    """(n, 2): lines of the two uses before."""


def alternations(
    state: KeyedState,
    keys: Keys,
    times_us: NDArray[np.int64],
    values: Keys,
    groups: NDArray[np.int64],
    addresses: NDArray[np.int64],
    *,
    window_s: float,
    fresh_s: float,
    learn_s: float,
    quiet_s: float,
    forget_s: float,
) -> Alternations:
    """Judge the `values` (n,) that `keys` (n,) use, in row order. `forget_s` is the longest of the times.

    `groups` (n,) decide nothing; a report tells the other value's.
    """
    n = len(keys)
    state.reserve(keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        begun_us=state["begun_us"].view(np.int64),
        kept=state["kept"].view(np.int32),
        value=state["value"].view(np.uint64),
        first_us=state["first_us"].view(np.int64),
        used_us=state["used_us"].view(np.int64),
        used=state["used"].view(np.int64),
        address=state["address"].view(np.int64),
        group=state["group"].view(np.int64),
        rows=state["rows"].view(np.int64),
    )
    out = _Out(np.empty(n, dtype=np.int64), np.empty((n, 5), dtype=np.int64), np.empty((n, 2), dtype=np.int64))
    rules = _Rules(*(int(time_s * 1e6) for time_s in (window_s, fresh_s, learn_s, quiet_s, forget_s)))
    given = _Given(keys, times_us, values, groups, addresses)
    found = _use(state.index, keyed, episode_of(state), given, rules, out)
    other_us, before_us, kept, episode, other_group = out.turns[:found].T
    return Alternations(
        out.at[:found], other_us / 1e6, before_us / 1e6, kept, episode, other_group, out.evidence[:found]
    )
