"""KeyedState against an ordered dictionary per shard, least recently used first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from livesec.core.errors import StateVersionError
from livesec.core.rows import SHARDS
from livesec.core.state import ColumnSpec, KeyedState, find, touch

COLUMNS: dict[str, ColumnSpec] = {"last_us": np.int64, "seen": np.int32, "ring": (np.float64, 3)}
PER_SHARD = 3

# Few shards, and low bits that meet in the same places of the table, whatever its size.
some_keys = st.builds(
    lambda shard, turn, low: (shard << 56) | (turn << 40) | low,
    st.sampled_from([0, 1, 255]),
    st.integers(1, 4),
    st.sampled_from([0, 1, 2, 2047]),
)

some_shards = st.sampled_from([range(1), range(2), range(1, 256), range(255, 256), range(7, 7)])


@dataclass
class _Value:
    last_us: int
    seen: int = 0


def _touched(state: KeyedState, key: int, time_us: int) -> bool:
    """One row of `key`, as a kernel would take it; whether the key was fresh."""
    state.reserve(np.array([key], dtype=np.uint64))
    slot, fresh = touch(state.index, np.uint64(key))
    if fresh:
        state["seen"][slot] = 0
        state["ring"][slot] = 0
    state["last_us"][slot] = time_us
    state["seen"][slot] += 1
    state["ring"][slot] = float(state["seen"][slot])
    return bool(fresh)


class AgainstDictionaries(RuleBasedStateMachine):
    """Touches, expiry, saving and restoring, in any order."""

    @initialize()
    def begin(self) -> None:
        self.state = KeyedState(COLUMNS, max_keys=PER_SHARD * SHARDS)
        self.model: dict[int, OrderedDict[int, _Value]] = {}

    @rule(key=some_keys, time_us=st.integers(0, 100))
    def touches(self, key: int, time_us: int) -> None:
        shard = self.model.setdefault(key >> 56, OrderedDict())
        expected_fresh = key not in shard
        if expected_fresh and len(shard) == PER_SHARD:
            shard.popitem(last=False)
        value = shard.setdefault(key, _Value(time_us))
        shard.move_to_end(key)
        value.last_us = time_us
        value.seen += 1
        assert _touched(self.state, key, time_us) == expected_fresh

    @rule(before_us=st.integers(0, 100))
    def expires(self, before_us: int) -> None:
        freed = 0
        for shard in self.model.values():
            while shard and next(iter(shard.values())).last_us < before_us:
                shard.popitem(last=False)
                freed += 1
        assert self.state.expire(before_us) == freed

    @initialize()
    def saves_nothing_yet(self) -> None:
        self.parts: list[bytes] = []

    @rule()
    def is_saved_and_restored(self) -> None:
        blob = self.state.to_bytes()
        self.state = KeyedState(COLUMNS, max_keys=PER_SHARD * SHARDS)
        self.state.load(blob)
        self.parts = [blob]
        assert self.state.to_bytes() == blob

    @rule(shards=some_shards)
    def saves_changes_and_some_whole_shards(self, shards: range) -> None:
        self.parts.append(self.state.changes_to_bytes()[0])
        self.parts.append(self.state.to_bytes(shards))
        self.state.mark_saved()

    @precondition(lambda self: self.parts)
    @rule()
    def is_restored_from_its_parts(self) -> None:
        self.parts.append(self.state.changes_to_bytes()[0])
        self.state.mark_saved()
        again = KeyedState(COLUMNS, max_keys=PER_SHARD * SHARDS)
        again.load_parts(self.parts)
        assert again.to_bytes() == self.state.to_bytes()
        self.state = again

    @rule(shards=some_shards)
    def goes_on_with_some_shards(self, shards: range) -> None:
        part = self.state.to_bytes(shards)
        self.state = KeyedState(COLUMNS, max_keys=PER_SHARD * SHARDS)
        self.state.load(part)
        self.parts = [part]
        self.model = {number: shard for number, shard in self.model.items() if number in shards}

    @rule(key=some_keys)
    def finds(self, key: int) -> None:
        slot = find(self.state.index, np.uint64(key))
        assert (slot >= 0) == (key in self.model.get(key >> 56, {}))

    @invariant()
    def holds_what_the_dictionaries_hold(self) -> None:
        assert len(self.state) == sum(map(len, self.model.values()))
        for shard in self.model.values():
            for key, value in shard.items():
                slot = find(self.state.index, np.uint64(key))
                assert self.state["last_us"][slot] == value.last_us
                assert self.state["seen"][slot] == value.seen
                assert self.state["ring"][slot].tolist() == [float(value.seen)] * 3


TestAgainstDictionaries = AgainstDictionaries.TestCase
TestAgainstDictionaries.settings = settings(deadline=None, max_examples=60, stateful_step_count=60)


def _keys(n: int, seed: int = 1) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.random.default_rng(seed).integers(1, 2**64 - 1, size=n, dtype=np.uint64)


def test_growing_keeps_values_and_order() -> None:
    keys = _keys(5000)
    state = KeyedState(COLUMNS)
    small_bytes = state.nbytes
    for number, key in enumerate(keys.tolist()):
        _touched(state, key, number)
    assert len(state) == 5000 and state.nbytes > small_bytes
    slots = [find(state.index, np.uint64(key)) for key in keys.tolist()]
    assert state["last_us"][slots].tolist() == list(range(5000))
    assert state.expire(1000) == 1000, "oldest first in every shard"
    assert find(state.index, keys[999]) == -1 and find(state.index, keys[1000]) >= 0


def test_it_never_holds_more_than_its_bound() -> None:
    state = KeyedState(COLUMNS, max_keys=4 * SHARDS)
    keys = _keys(20_000)
    state.reserve(keys)
    bound_bytes = state.nbytes
    for number, key in enumerate(keys.tolist()):
        _touched(state, key, number)
    assert len(state) == 4 * SHARDS
    assert state.nbytes == bound_bytes


def test_reserving_makes_room_for_new_keys_only() -> None:
    state = KeyedState(COLUMNS)
    keys = _keys(1000)
    for key in keys.tolist():
        _touched(state, key, 0)
    before = state.nbytes
    state.reserve(np.tile(keys, 10))
    assert state.nbytes == before


def test_another_layout_is_refused() -> None:
    blob = KeyedState(COLUMNS).to_bytes()
    fewer: dict[str, ColumnSpec] = {"last_us": np.int64}
    for columns in (fewer, COLUMNS | {"ring": (np.float64, 4)}, COLUMNS | {"seen": np.int64}):
        with pytest.raises(StateVersionError, match="a saved state of layout"):
            KeyedState(columns).load(blob)


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\x28\xb5\x2f\xfd"])
def test_damaged_bytes_are_refused(damage: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be decompressed"):
        KeyedState(COLUMNS).load(damage)
