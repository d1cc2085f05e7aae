"""Snapshots of keyed states: what is restored from them is what there was, and they stay small."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.snapshot import PartKind, SavedPart
from livesec.core.state import KeyedState, touch
from livesec.pipeline import state_saver
from livesec.pipeline.state_saver import GROUPS, StateSaver

from .saved_parts import KeptParts

COLUMNS = {"last_us": np.int64, "seen": np.int32}


def _state() -> KeyedState:
    return KeyedState(COLUMNS, max_keys=256 * 8)


def _take_rows(state: KeyedState, keys: np.ndarray[tuple[int], np.dtype[np.uint64]], time_us: int) -> None:
    state.reserve(keys)
    for key in keys:
        slot, fresh = touch(state.index, key)
        state["seen"][slot] = 1 if fresh else state["seen"][slot] + 1
        state["last_us"][slot] = time_us


def _keys(seed: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Few enough that some come again, many enough that shards overflow."""
    random = np.random.default_rng(seed)
    return random.integers(1, 4_000, size=count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


@settings(deadline=None, max_examples=examples(40))
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 700), st.sampled_from(["save", "restart", "expire", "go on"])), max_size=12
    ),
    seed=st.integers(0, 1 << 20),
    room=st.sampled_from([1, 20_000, 8 << 20]),
)
def test_any_series_of_saves_restores_what_there_was(steps: list[tuple[int, str]], seed: int, room: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(state_saver, "SNAPSHOT_BYTES", room)
        state, kept = _state(), KeptParts()
        saver = StateSaver({"detector:a": state})
        for number, (rows, then) in enumerate(steps):
            _take_rows(state, _keys(seed + number, rows), number)
            if then == "expire":
                state.expire(number - 2)
            if then in ("save", "restart"):
                kept.add(saver.take(["detector:a"], {}))
            if then == "restart":
                restored = _state()
                saver = StateSaver({"detector:a": restored})
                assert saver.restore(kept.parts) == {}
                assert restored.to_bytes() == state.to_bytes()
                state = restored


def test_changes_that_groups_cover_are_forgotten() -> None:
    state, kept = _state(), KeptParts()
    saver = StateSaver({"a": state})
    for number in range(30):
        _take_rows(state, _keys(number, 400), number)
        kept.add(saver.take(["a"], {}))
    groups = [part for part in kept.parts if part.kind == PartKind.GROUP]
    changes = [part for part in kept.parts if part.kind == PartKind.CHANGES]
    assert len(groups) == GROUPS
    assert len(changes) <= len(state) / 300 + 1  # each of about 400 keys: together no more than the state and one more
    size = sum(len(part.data) for part in kept.parts)
    assert size < 4 * len(state.to_bytes())


def test_a_snapshot_takes_no_more_groups_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    state, kept = _state(), KeptParts()
    saver = StateSaver({"a": state})
    _take_rows(state, _keys(1, 1500), 1)
    kept.add(saver.take(["a"], {}))
    monkeypatch.setattr(state_saver, "SNAPSHOT_BYTES", 4_000)
    _take_rows(state, _keys(2, 10), 2)
    taken = []
    for number in range(GROUPS):
        _take_rows(state, _keys(3 + number, 10), 3)
        snapshot = saver.take(["a"], {})
        kept.add(snapshot)
        taken.append(sum(part.kind == PartKind.GROUP for part in snapshot.parts))
    assert sum(taken) >= GROUPS
    assert max(taken) < GROUPS
    restored = _state()
    assert StateSaver({"a": restored}).restore(kept.parts) == {}
    assert restored.to_bytes() == state.to_bytes()


def test_a_damaged_part_starts_its_state_anew_and_is_replaced() -> None:
    state, kept = _state(), KeptParts()
    saver = StateSaver({"a": state, "b": _state()})
    _take_rows(state, _keys(1, 300), 1)
    kept.add(saver.take(["a"], {}))
    (part,) = kept.parts
    damaged = bytearray(part.data)
    damaged[len(damaged) // 2] ^= 0xFF
    again = _state()
    saver = StateSaver({"a": again})
    failed = saver.restore([SavedPart(part.component, part.kind, part.part, part.number, bytes(damaged))])
    assert list(failed) == ["a"]
    assert len(again) == 0
    _take_rows(again, _keys(2, 5), 2)
    snapshot = saver.take(["a"], {})
    assert list(snapshot.anew) == ["a"]
    kept.add(snapshot)
    last = _state()
    assert StateSaver({"a": last}).restore(kept.parts) == {}
    assert last.to_bytes() == again.to_bytes()
