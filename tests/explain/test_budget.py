"""Caps of calls and tokens, with a fifth of each for what is critical."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.explain.budget import Budget, Used

BUDGET = Budget(calls_per_minute=10, calls_per_day=200, tokens_per_day=200_000)
NOW_US = 5 * US_PER_DAY + 90 * US_PER_S


@pytest.mark.parametrize(
    ("used", "ordinary", "critical"),
    [
        (Used(0, 0, 0), True, True),
        (Used(7, 159, 159_999), True, True),
        (Used(8, 8, 0), False, True),
        (Used(10, 10, 0), False, False),
        (Used(0, 160, 0), False, True),
        (Used(0, 200, 0), False, False),
        (Used(0, 0, 160_000), False, True),
        (Used(0, 0, 200_000), False, False),
    ],
)
def test_a_fifth_is_kept_for_critical(used: Used, ordinary: bool, critical: bool) -> None:
    assert (BUDGET.refusal(used, is_critical=False, now_us=NOW_US) is None) == ordinary
    assert (BUDGET.refusal(used, is_critical=True, now_us=NOW_US) is None) == critical


def test_it_says_until_when() -> None:
    by_minute = BUDGET.refusal(Used(10, 10, 0), is_critical=True, now_us=NOW_US)
    by_day = BUDGET.refusal(Used(10, 200, 0), is_critical=True, now_us=NOW_US)
    assert by_minute is not None
    assert by_minute.until_us == 5 * US_PER_DAY + 120 * US_PER_S
    assert by_day is not None
    assert by_day.until_us == 6 * US_PER_DAY


def test_a_cap_of_nothing_is_no_call_and_one_is_one() -> None:
    assert Budget(10, 0, 10).refusal(Used(0, 0, 0), is_critical=True, now_us=0) is not None
    assert Budget(1, 1, 10).refusal(Used(0, 0, 0), is_critical=False, now_us=0) is None


@given(st.integers(0, 300), st.integers(1, 300), st.booleans())
def test_more_use_never_allows_what_less_did_not(calls: int, cap: int, is_critical: bool) -> None:
    budget = Budget(1_000, cap, 10**9)
    allowed = [
        budget.refusal(Used(0, used, 0), is_critical=is_critical, now_us=0) is None for used in range(calls, calls + 20)
    ]
    assert all(before or not after for before, after in pairwise(allowed))
