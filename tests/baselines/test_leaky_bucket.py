"""leaky_bucket against a plain reading of its recurrence, with fractions in place of microseconds."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import leaky_bucket
from livesec.baselines.growth import GROWTH
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, int, int]  # key, seconds, weight
Report = tuple[int, int, int]  # row, total, span in s


def _pour(
    rows: list[Row], *, capacity: float, leak_s: float, quiet_s: float, state: KeyedState | None = None
) -> list[Report]:
    reports = leaky_bucket.pour(
        KeyedState(leaky_bucket.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        capacity=capacity,
        leak_s=leak_s,
        quiet_s=quiet_s,
    )
    return list(zip(reports.at.tolist(), reports.total.tolist(), reports.span_s.astype(int).tolist(), strict=True))


class _Bucket:
    def __init__(self, time_s: int) -> None:
        self.level = Fraction(0)
        self.first_s = self.last_s = time_s
        self.total = 0
        self.report_at = 0


def _plain(rows: list[Row], *, capacity: int, leak_s: int, quiet_s: int) -> list[Report]:
    buckets: dict[int, _Bucket] = {}
    reports = []
    for at, (key, time_s, weight) in enumerate(rows):
        if key not in buckets or time_s - buckets[key].last_s >= max(quiet_s, capacity * leak_s):
            buckets[key] = _Bucket(time_s)
        bucket = buckets[key]
        elapsed_s = max(0, time_s - bucket.last_s)
        bucket.last_s = max(bucket.last_s, time_s)
        bucket.level = min(Fraction(capacity), max(Fraction(0), bucket.level - Fraction(elapsed_s, leak_s)) + weight)
        bucket.total += weight
        full = bucket.level > capacity - 1
        if (bucket.report_at == 0 and full) or (0 < bucket.report_at <= bucket.total):
            bucket.report_at = GROWTH * bucket.total
            reports.append((at, bucket.total, bucket.last_s - bucket.first_s))
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-40, 0, 0, 1, 3, 9, 10, 30, 200, 700]), max_size=60))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        rows.append((draw(st.integers(1, 3)), now_s, draw(st.sampled_from([1, 1, 1, 2, 2**31 - 1]))))
    return rows


@settings(deadline=None, max_examples=examples(150))
@given(_rows(), st.integers(1, 6), st.sampled_from([1, 10, 60]), st.sampled_from([60, 600]))
def test_as_the_recurrence_says(rows: list[Row], capacity: int, leak_s: int, quiet_s: int) -> None:
    found = _pour(rows, capacity=capacity, leak_s=leak_s, quiet_s=quiet_s)
    assert found == _plain(rows, capacity=capacity, leak_s=leak_s, quiet_s=quiet_s)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 60))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(leaky_bucket.COLUMNS)
    first = _pour(rows[:cut], capacity=5, leak_s=10, quiet_s=600, state=state)
    second = _pour(rows[cut:], capacity=5, leak_s=10, quiet_s=600, state=state)
    shifted = [(at + len(rows[:cut]), total, span) for at, total, span in second]
    assert first + shifted == _pour(rows, capacity=5, leak_s=10, quiet_s=600)


def test_ten_thousand_are_six_reports() -> None:
    reports = _pour([(1, second, 1) for second in range(10_000)], capacity=5, leak_s=10, quiet_s=600)
    assert [total for _, total, _ in reports] == [5, 20, 80, 320, 1280, 5120]


def test_evidence_is_the_last_eight_lines() -> None:
    rows = 22
    reports = leaky_bucket.pour(
        KeyedState(leaky_bucket.COLUMNS),
        number_keys(np.ones(rows, dtype=np.int64)),
        np.zeros(rows, dtype=np.int64),
        np.ones(rows, dtype=np.int64),
        np.arange(100, 100 + rows, dtype=np.int64),
        capacity=5,
        leak_s=10,
        quiet_s=600,
    )
    assert reports.at.tolist() == [4, 19]
    assert reports.evidence[0].tolist() == [100, 101, 102, 103, 104, -1, -1, -1]
    assert sorted(reports.evidence[1].tolist()) == list(range(112, 120))
