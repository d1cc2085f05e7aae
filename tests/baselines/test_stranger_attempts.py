"""stranger_attempts against lists and sets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines import stranger_attempts
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

WINDOW_S, SITTING_S, FORGET_S, ATTEMPTS = 1000, 60, 5000, 3
Report = tuple[int, int, int]  # row, total, span in s


class Row(NamedTuple):
    key: int
    time_s: int
    success: bool = False
    weight: int = 1
    account: int = 7
    typed: bool = True


def _count(rows: list[Row], state: KeyedState | None = None) -> list[Report]:
    reports = stranger_attempts.count(
        KeyedState(stranger_attempts.columns(ATTEMPTS)) if state is None else state,
        stranger_attempts.LoginRows(
            keys=number_keys(np.array([row.key for row in rows], dtype=np.int64)),
            times_us=np.array([row.time_s * 1_000_000 for row in rows], dtype=np.int64),
            success=np.array([row.success for row in rows], dtype=np.bool_),
            weights=np.array([row.weight for row in rows], dtype=np.int64),
            accounts=np.array([row.account for row in rows], dtype=np.uint64),
            typed=np.array([row.typed for row in rows], dtype=np.bool_),
            addresses=np.arange(len(rows), dtype=np.int64),
        ),
        window_s=WINDOW_S,
        sitting_s=SITTING_S,
        forget_s=FORGET_S,
    )
    return list(zip(reports.at.tolist(), reports.total.tolist(), reports.span_s.astype(int).tolist(), strict=True))


def _plain(rows: list[Row]) -> list[Report]:
    last_s: dict[int, int] = {}
    known: set[int] = set()
    episodes: dict[int, list[tuple[int, Row]]] = {}
    reported: set[int] = set()
    reports = []
    for at, row in enumerate(rows):
        if row.key in last_s and row.time_s - last_s[row.key] >= FORGET_S:
            known.discard(row.key)
            episodes.pop(row.key, None)
        now_s = max(row.time_s, last_s.get(row.key, row.time_s))
        last_s[row.key] = now_s
        if row.success:
            known.add(row.key)
        if row.key in known:
            continue
        episode = episodes.get(row.key, [])
        if not episode or now_s - episode[-1][0] >= WINDOW_S:
            episode = []
            reported.discard(row.key)
        episode = episodes[row.key] = episode + [(now_s, row)] * row.weight
        one_prompt = all(
            past.typed and past.account == episode[0][1].account and time_s - episode[0][0] <= SITTING_S
            for time_s, past in episode
        )
        needed = ATTEMPTS + 1 if one_prompt else ATTEMPTS
        full = len(episode) >= needed and now_s - episode[-needed][0] <= WINDOW_S
        if full and row.key not in reported:
            reported.add(row.key)
            reports.append((at, len(episode), now_s - episode[0][0]))
    return reports


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    gaps = draw(st.lists(st.sampled_from([-30, 0, 1, 20, 60, 61, 450, 999, 1000, 5000]), max_size=40))
    now_s, rows = 100_000, []
    for gap in gaps:
        now_s += gap
        rows.append(
            Row(
                key=draw(st.integers(1, 2)),
                time_s=now_s,
                success=draw(st.sampled_from([False] * 9 + [True])),
                weight=draw(st.sampled_from([1, 1, 1, 2, 5])),
                account=draw(st.sampled_from([7, 7, 7, 8, 0])),
                typed=draw(st.sampled_from([True, True, True, False])),
            )
        )
    return rows


@settings(deadline=None, max_examples=examples(200))
@given(_rows())
def test_as_lists_say(rows: list[Row]) -> None:
    assert _count(rows) == _plain(rows)


@settings(deadline=None, max_examples=examples(50))
@given(_rows(), st.integers(0, 40))
def test_whatever_the_batches(rows: list[Row], cut: int) -> None:
    state = KeyedState(stranger_attempts.columns(ATTEMPTS))
    first = _count(rows[:cut], state)
    shifted = [(at + len(rows[:cut]), total, span) for at, total, span in _count(rows[cut:], state)]
    assert first + shifted == _count(rows)


def test_an_episode_is_reported_once_however_long_it_goes_on() -> None:
    rows = [Row(1, 500 * number, typed=False) for number in range(40)]
    assert _count(rows) == [(2, 3, 1000)]
    later = [Row(1, 500 * 39 + WINDOW_S + second, typed=False) for second in range(3)]
    assert _count(rows + later) == [(2, 3, 1000), (42, 3, 2)], "a pause of the window makes it another"


def test_a_success_does_not_take_back_what_was_reported() -> None:
    rows = [Row(1, second, typed=False) for second in (0, 1, 2)]
    assert _count([*rows, Row(1, 3, success=True), Row(1, 4, typed=False)]) == [(2, 3, 2)]


def test_memory_shorter_than_the_window() -> None:
    state = KeyedState(stranger_attempts.columns(ATTEMPTS))
    none = stranger_attempts.LoginRows(*(np.empty(0, dtype=np.uint64) for _ in range(7)))  # type: ignore[arg-type]  # refused before it is read
    with pytest.raises(ValueError, match="forget_s 5 is shorter than window_s 10"):
        stranger_attempts.count(state, none, window_s=10, sitting_s=1, forget_s=5)
