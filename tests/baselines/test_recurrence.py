"""recurrence against a plain reading of its rules."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import recurrence
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, float, bool]  # key, seconds, decisive
Report = tuple[int, int]  # row, rows of the episode


def _recur(rows: list[Row], state: KeyedState | None = None) -> list[Report]:
    reports = recurrence.recur(
        KeyedState(recurrence.COLUMNS) if state is None else state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([round(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.bool_),
        np.arange(len(rows), dtype=np.int64),
        repeats=3,
        growth=4,
        quiet_s=100,
    )
    return list(zip(reports.at.tolist(), reports.total.tolist(), strict=True))


def _plain(rows: list[Row]) -> list[Report]:
    seen: dict[int, tuple[float, int, int]] = {}  # last, total, report at
    reports = []
    for at, (key, time_s, decisive) in enumerate(rows):
        last_s, total, report_at = seen.get(key, (time_s, 0, 0))
        if time_s - last_s >= 100:
            total = report_at = 0
            last_s = time_s
        total += 1
        if (report_at == 0 and (decisive or total >= 3)) or 0 < report_at <= total:
            report_at = 4 * total
            reports.append((at, total))
        seen[key] = (max(last_s, time_s), total, report_at)
    return reports


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 2), st.sampled_from([-5.0, 0.0, 1.0, 99.0, 100.0]), st.booleans())),
    st.integers(0, 30),
)
def test_as_the_plain_rules(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([1000.0, *(step for _, step, _ in steps)])[1:].tolist()
    rows = [(key, time_s, decisive) for (key, _, decisive), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(recurrence.COLUMNS)
    found = _recur(rows[:cut], state)
    found += [(at + len(rows[:cut]), total) for at, total in _recur(rows[cut:], state)]
    assert found == _plain(rows)


def test_decisive_at_once_else_the_third_then_fourfold() -> None:
    assert _recur([(1, 0.0, True)]) == [(0, 1)]
    assert _recur([(1, float(n), False) for n in range(12)]) == [(2, 3), (11, 12)]
