"""The memo gives what was answered, asks for each key once, and stays within its bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.enrich.address_memo import AddressMemo


def answer_of(key: int) -> int:
    return key * 7 % 1000


def answers(memo: AddressMemo, keys: list[int]) -> tuple[list[int], list[int]]:
    """(answer of each row, keys that the memo asked for)."""
    column, out, asked = np.array(keys, dtype=np.uint64), np.empty(len(keys), dtype=np.int32), []
    for rows, blanks in memo.fill(column, out):
        asked += column[rows].tolist()
        blanks[:] = [answer_of(key) for key in column[rows].tolist()]
    return out.tolist(), asked


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, (1 << 64) - 1) | st.integers(0, 9), max_size=40), max_size=5))
def test_every_key_is_asked_for_once(batches: list[list[int]]) -> None:
    memo, seen = AddressMemo(), set[int]()
    for keys in batches:
        found, asked = answers(memo, keys)
        assert found == [answer_of(key) for key in keys]
        assert set(asked) == set(keys) - seen - {0}
        assert len(asked) == len(set(asked))
        seen |= set(keys) - {0}
        assert len(memo) == len(seen)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), max_size=60), max_size=6), st.sampled_from([2, 3, 8, 20]))
def test_a_bound_changes_no_answer(batches: list[list[int]], max_keys: int) -> None:
    memo = AddressMemo(max_keys)
    for keys in batches:
        assert answers(memo, keys)[0] == [answer_of(key) for key in keys]
        assert len(memo) <= max_keys


def test_it_grows_over_many_keys() -> None:
    memo, keys = AddressMemo(), list(range(1, 200_001))
    found, asked = answers(memo, keys)
    assert found == [answer_of(key) for key in keys]
    assert len(asked) == len(memo) == 200_000
    assert answers(memo, keys[::-1]) == (found[::-1], [])
    memo.clear()
    assert len(memo) == 0


def test_no_address_is_answered_without_asking() -> None:
    assert answers(AddressMemo(), [0, 0]) == ([0, 0], [])


def test_an_answer_may_fail_without_harm() -> None:
    memo, column, out = AddressMemo(), np.array([5, 6], dtype=np.uint64), np.empty(2, dtype=np.int32)
    with pytest.raises(RuntimeError):
        for _ in memo.fill(column, out):
            raise RuntimeError
    assert answers(memo, [5, 6])[0] == [35, 42]
