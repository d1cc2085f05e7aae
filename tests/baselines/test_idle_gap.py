"""idle_gap against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import idle_gap
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

MIN_GAP_S, FORGET_S, DAY_S = 200_000, 900_000, 86_400
Row = tuple[int, int]  # key, seconds
Report = tuple[int, float, int, int, int]  # row, gap in s, days, returns, row before


def _gaps(rows: list[Row], state: KeyedState, first: int) -> list[Report]:
    found = idle_gap.gaps(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.arange(first, first + len(rows), dtype=np.int64),
        min_gap_s=MIN_GAP_S,
        forget_s=FORGET_S,
    )
    columns = (found.at + first, found.gap_s, found.days, found.returns, found.address)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _plain(rows: list[Row]) -> list[Report]:
    seen: dict[int, list[tuple[int, int]]] = {}  # key to (time, row)
    told: dict[int, int] = {}
    reports = []
    for at, (key, time_s) in enumerate(rows):
        if key not in seen or time_s - seen[key][-1][0] >= FORGET_S:
            seen[key] = [(time_s, at)]
            told[key] = 0
            continue
        last_s, before = seen[key][-1]
        if time_s - last_s >= MIN_GAP_S:
            days = len({past_s // DAY_S for past_s, _ in seen[key]})
            reports.append((at, float(time_s - last_s), days, told[key], before))
            told[key] += 1
        seen[key].append((max(last_s, time_s), at))
    return reports


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from([-500, 0, 60, 40_000, 199_999, 200_000, 899_999, 900_000])),
        max_size=40,
    ),
    st.integers(0, 40),
)
def test_as_a_dictionary_says_in_any_batches(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([gap for _, gap in steps], dtype=np.int64).tolist()
    rows = [(key, 1_000_000 + time_s) for (key, _), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(idle_gap.COLUMNS)
    found = _gaps(rows[:cut], state, 0)
    restored = KeyedState(idle_gap.COLUMNS)
    restored.load(state.to_bytes())
    assert found + _gaps(rows[cut:], restored, len(rows[:cut])) == _plain(rows)
