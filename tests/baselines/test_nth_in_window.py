"""nth_in_window against a list of all times."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import nth_in_window
from livesec.baselines.growth import GROWTH
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, int, int]  # key, seconds, weight
Report = tuple[int, int, int]  # row, total, span in s


def _count(
    rows: list[Row], *, events: int, window_s: float, quiet_s: float, state: KeyedState | None = None
) -> list[Report]:
    reports = nth_in_window.count(
        KeyedState(nth_in_window.columns(events)) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.int64),
        np.arange(len(rows), dtype=np.int64),
        window_s=window_s,
        quiet_s=quiet_s,
    )
    return list(zip(reports.at.tolist(), reports.total.tolist(), reports.span_s.astype(int).tolist(), strict=True))


def _plain(rows: list[Row], *, events: int, window_s: int, quiet_s: int) -> list[Report]:
    times: dict[int, list[int]] = {}
    report_at: dict[int, int] = {}
    reports = []
    for at, (key, time_s, weight) in enumerate(rows):
        if key not in times or time_s - times[key][-1] >= max(window_s, quiet_s):
            times[key], report_at[key] = [], 0
        now_s = max([time_s, *times[key]])
        times[key].extend([now_s] * weight)
        total = len(times[key])
        full = total >= events and now_s - times[key][-events] <= window_s
        if (report_at[key] == 0 and full) or (0 < report_at[key] <= total):
            report_at[key] = GROWTH * total
            reports.append((at, total, now_s - times[key][0]))
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-100, 0, 1, 20, 150, 200, 599, 600, 601, 4000]), max_size=60))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        rows.append((draw(st.integers(1, 2)), now_s, draw(st.sampled_from([1, 1, 1, 2, 9]))))
    return rows


@settings(deadline=None, max_examples=examples(150))
@given(_rows(), st.sampled_from([1, 2, 5]), st.sampled_from([60, 3600]))
def test_as_a_list_of_all_times_says(rows: list[Row], events: int, quiet_s: int) -> None:
    found = _count(rows, events=events, window_s=600, quiet_s=quiet_s)
    assert found == _plain(rows, events=events, window_s=600, quiet_s=quiet_s)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 60))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(nth_in_window.columns(5))
    first = _count(rows[:cut], events=5, window_s=600, quiet_s=3600, state=state)
    second = _count(rows[cut:], events=5, window_s=600, quiet_s=3600, state=state)
    shifted = [(at + len(rows[:cut]), total, span) for at, total, span in second]
    assert first + shifted == _count(rows, events=5, window_s=600, quiet_s=3600)


def test_a_ring_too_long() -> None:
    with pytest.raises(ValueError, match="a window of 65 events: expected 1 to 64"):
        nth_in_window.columns(65)
