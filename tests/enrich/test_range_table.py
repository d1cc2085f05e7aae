"""Range tables against a scalar twin that tries each range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.enrich.range_table import RangeTable

END = 1 << 64
# Small numbers, and the largest ones, where sums overflow.
edges = st.one_of(st.integers(1, 40), st.integers(END - 40, END - 1))


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.tuples(edges, st.integers(0, 12), st.integers(0, 3)), max_size=12, unique_by=lambda r: r[0]))
def test_a_range_ends_at_its_end_or_at_the_next_start(ranges: list[tuple[int, int, int]]) -> None:
    ranges.sort()
    ends = [min(start + length, END) for start, length, _ in ranges]
    table = RangeTable.of_ranges(
        np.array([start for start, _, _ in ranges], dtype=np.uint64),
        np.array([end % END for end in ends], dtype=np.uint64),
        np.array([value for _, _, value in ranges], dtype=np.uint16),
    )

    def twin(number: int) -> int:
        filled = [(s, e, v) for (s, _, v), e in zip(ranges, ends, strict=True) if e > s]
        before = [(e, v) for s, e, v in filled if s <= number]
        return before[-1][1] if before and number < before[-1][0] else 0

    numbers = [*range(60), *range(END - 60, END)]
    assert table.find(np.array(numbers, dtype=np.uint64)).tolist() == [twin(number) for number in numbers]


@settings(deadline=None)
@given(st.lists(st.tuples(edges, st.integers(0, 12)), max_size=8))
def test_of_overlapping_spans_the_later_wins(starts: list[tuple[int, int]]) -> None:
    spans = [(first, min(first + length, END - 1)) for first, length in starts]
    values = np.arange(1, len(spans) + 1, dtype=np.uint16)
    table = RangeTable.of_spans(spans, values)
    numbers = [*range(60), *range(END - 60, END)]
    twin = [
        max(
            (int(value) for (first, last), value in zip(spans, values, strict=True) if first <= n <= last),
            default=0,
        )
        for n in numbers
    ]
    assert table.find(np.array(numbers, dtype=np.uint64)).tolist() == twin


def test_neighbours_with_one_value_are_stored_once() -> None:
    table = RangeTable.of_ranges(
        np.array([10, 20, 30], dtype=np.uint64),
        np.array([20, 30, 40], dtype=np.uint64),
        np.array([7, 7, 8], dtype=np.uint16),
    )
    assert table.starts.tolist() == [0, 10, 30, 40]
    assert table.values.tolist() == [0, 7, 8, 0]


def test_a_table_must_start_at_zero_and_ascend() -> None:
    for starts in ([], [1, 2], [0, 2, 2], [0, 3, 2]):
        with pytest.raises(ValueError, match="starts at 0 and ascends"):
            RangeTable(np.array(starts, dtype=np.uint64), np.zeros(len(starts), dtype=np.uint16))
