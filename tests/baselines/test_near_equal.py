"""near_equal against lists of all amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import near_equal
from livesec.baselines.growth import GROWTH
from livesec.baselines.kernel_rows import AmountRows
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

Row = tuple[int, int, int]  # key, seconds, amount
RULES = near_equal.Rules(least=4, per_mille=20, window_us=600_000_000, quiet_us=3_600_000_000)


def _found(rows: list[Row], state: KeyedState) -> list[tuple[int, int]]:
    keys, times, amounts = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    given_rows = AmountRows(number_keys(keys.copy()), times * 1_000_000, amounts.copy(), np.arange(len(rows)))
    reports = near_equal.compare(state, given_rows, RULES)
    return list(zip(reports.at.tolist(), reports.total.tolist(), strict=True))


def _plain(rows: list[Row]) -> list[tuple[int, int]]:
    seen: dict[int, list[tuple[int, int]]] = {}
    episodes: dict[int, tuple[int, int, int]] = {}  # last equal one, total, total of the next report
    reports = []
    for at, (key, time_s, amount) in enumerate(rows):
        if key not in seen or time_s - max(time for time, _ in seen[key]) >= 3600:
            seen[key] = []
            episodes.pop(key, None)
        now_s = max([time_s, *(time for time, _ in seen[key])])
        seen[key].append((now_s, amount))
        last = seen[key][-near_equal.KEPT :]
        equal = sum(abs(other - amount) * 50 <= amount and now_s - time <= 600 for time, other in last)
        if equal < 4:
            continue
        if key not in episodes or now_s - episodes[key][0] >= 3600:
            episodes[key] = (now_s, equal - 1, 1)
        total, due = episodes[key][1] + 1, episodes[key][2]
        if total >= due:
            reports.append((at, total))
            due = GROWTH * total
        episodes[key] = (now_s, total, due)
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    now_s, rows = 100_000, []
    for gap in draw(st.lists(st.sampled_from([-30, 0, 1, 60, 150, 599, 601, 3600]), max_size=60)):
        now_s += gap
        rows.append((draw(st.integers(1, 2)), now_s, draw(st.sampled_from([1000, 1019, 1020, 1021, 980, 5000, 0]))))
    return rows


@settings(deadline=None, max_examples=examples(200))
@given(_rows(), st.integers(0, 60))
def test_as_lists_of_all_amounts_say_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(near_equal.COLUMNS)
    first = _found(rows[:cut], state) if rows[:cut] else []
    later = _found(rows[cut:], state) if rows[cut:] else []
    assert first + [(at + cut, total) for at, total in later] == _plain(rows)


def test_no_more_can_be_wanted_than_are_kept() -> None:
    with pytest.raises(ValueError, match="the amounts kept"):
        near_equal.compare(
            KeyedState(near_equal.COLUMNS),
            AmountRows(
                number_keys(np.ones(1, np.int64)), np.ones(1, np.int64), np.ones(1, np.int64), np.ones(1, np.int64)
            ),
            RULES._replace(least=near_equal.KEPT + 1),
        )
