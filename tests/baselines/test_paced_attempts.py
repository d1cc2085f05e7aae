"""paced_attempts against lists and sorting."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import paced_attempts
from livesec.baselines.paced_attempts import KEPT_ATTEMPTS
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

ATTEMPTS, GAP_S, PAUSE_S, KNOWN_S = 3, 50, 500, 700
Row = tuple[int, int, bool, int]  # key, seconds, success, account
Report = tuple[int, int, int, int, bool, int]  # row, attempts, span, median gap, whether the key is known, accounts


def _paced(rows: list[Row], state: KeyedState) -> list[Report]:
    found = paced_attempts.paced_runs(
        state,
        number_keys(np.array([row[0] for row in rows], dtype=np.int64)),
        np.array([row[1] * 1_000_000 for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.bool_),
        np.array([row[3] for row in rows], dtype=np.uint64),
        np.arange(len(rows), dtype=np.int64),
        attempts=ATTEMPTS,
        gap_s=GAP_S,
        pause_s=PAUSE_S,
        known_s=KNOWN_S,
    )
    whole_s = (found.span_s.astype(int), found.median_gap_s.astype(int))
    columns = (found.at, found.attempts, *whole_s, found.known, found.accounts)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _plain(rows: list[Row]) -> list[Report]:
    last_s: dict[int, int] = {}
    runs: dict[int, list[int]] = {}
    named: dict[int, list[int]] = {}
    due: dict[int, int] = {}
    success_s: dict[int, int] = {}
    reports = []
    for at, (key, time_s, success, account) in enumerate(rows):
        if success or key not in last_s or time_s - last_s[key] >= PAUSE_S:
            runs[key], named[key], due[key] = [], [], 0
        now_s = last_s[key] = max(time_s, last_s.get(key, time_s))
        if success:
            success_s[key] = now_s
            continue
        run = runs[key]
        run.append(now_s)
        named[key].append(account)
        gaps = sorted(np.diff(run[-KEPT_ATTEMPTS:]).tolist())
        if len(run) >= max(ATTEMPTS, due[key]) and gaps[(len(gaps) - 1) // 2] > GAP_S:
            due[key] = 4 * len(run)
            known = key in success_s and now_s - success_s[key] < KNOWN_S
            accounts = len(set(named[key][-KEPT_ATTEMPTS:]))
            reports.append((at, len(run), now_s - run[0], gaps[(len(gaps) - 1) // 2], known, accounts))
    return reports


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 1, 1, 2]),
            st.sampled_from([-20, 0, 3, 50, 51, 60, 200, 499, 500]),
            st.sampled_from([False] * 9 + [True]),
            st.integers(0, 3),
        ),
        max_size=60,
    ),
    st.integers(0, 60),
)
def test_as_lists_say_in_any_batches(steps: list[Row], cut: int) -> None:
    times_s = np.cumsum([step[1] for step in steps], dtype=np.int64).tolist()
    rows = [(key, 10_000 + time_s, *rest) for (key, _, *rest), time_s in zip(steps, times_s, strict=True)]
    state = KeyedState(paced_attempts.COLUMNS)
    found = _paced(rows[:cut], state)
    restored = KeyedState(paced_attempts.COLUMNS)
    restored.load(state.to_bytes())
    found += [(report[0] + len(rows[:cut]), *report[1:]) for report in _paced(rows[cut:], restored)]
    assert found == _plain(rows)
