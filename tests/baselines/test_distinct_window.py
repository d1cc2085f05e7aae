"""distinct_window against a plain reading of its rules, and the estimate beyond the table."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines import distinct_window
from livesec.baselines.growth import GROWTH
from livesec.core.hashing import number_keys
from livesec.core.state import KeyedState

KEPT = 8
Row = tuple[int, float, int]  # key, seconds, value
Report = tuple[int, int, int]  # row, distinct values, rows of the episode


def _pour(
    rows: list[Row],
    *,
    threshold: int,
    leak_s: float | None = None,
    window_s: float | None = None,
    quiet_s: float = 600,
    state: KeyedState | None = None,
) -> list[Report]:
    keys = number_keys(np.array([row[0] for row in rows], dtype=np.int64))
    reports = distinct_window.pour(
        KeyedState(distinct_window.columns(KEPT)) if state is None else state,
        keys,
        np.array([int(row[1] * 1e6) for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.uint64),
        np.arange(len(rows), dtype=np.int64),
        threshold=threshold,
        leak_s=leak_s,
        window_s=window_s,
        quiet_s=quiet_s,
    )
    return list(zip(reports.at.tolist(), reports.distinct.tolist(), reports.events.tolist(), strict=True))


@dataclass
class _Episode:
    last_s: float
    level_s: float = 0.0
    distinct: set[int] = field(default_factory=set)
    seen_s: dict[int, float] = field(default_factory=dict)
    events: int = 0
    report_at: int = 0


def _plain(
    rows: list[Row], *, threshold: int, leak_s: float | None, window_s: float | None, quiet_s: float
) -> list[Report]:
    """The rules of the module's docstring, for episodes of at most KEPT values."""
    quiet_s = distinct_window.idle_s(threshold, leak_s=leak_s, window_s=window_s, quiet_s=quiet_s)
    episodes: dict[int, _Episode] = {}
    reports = []
    for at, (key, time_s, value) in enumerate(rows):
        if key not in episodes or time_s - episodes[key].last_s >= quiet_s:
            episodes[key] = _Episode(time_s)
        episode = episodes[key]
        now_s = max(episode.last_s, time_s)
        episode.level_s = max(0.0, episode.level_s - (now_s - episode.last_s))
        episode.last_s = now_s
        episode.events += 1
        before_s = episode.seen_s.get(value)
        episode.seen_s[value] = now_s
        if value in episode.distinct:
            if window_s is None or (before_s is not None and now_s - before_s < window_s):
                continue
        else:
            episode.distinct.add(value)
            episode.level_s += leak_s or 0.0
        if window_s is None:
            assert leak_s is not None
            full = episode.level_s > (threshold - 1) * leak_s
        else:
            full = sum(now_s - seen_s < window_s for seen_s in episode.seen_s.values()) >= threshold
        if (episode.report_at == 0 and full) or 0 < episode.report_at <= len(episode.distinct):
            episode.report_at = GROWTH * len(episode.distinct)
            reports.append((at, len(episode.distinct), episode.events))
    return reports


_ROWS = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from([0.0, 0.25, 1.0, 2.5, 10.0, 40.0]), st.integers(0, KEPT - 1)),
    max_size=60,
)


def _running(steps: list[Row]) -> list[Row]:
    """Steps of time as times; one row in eight comes late."""
    clock_s = 0.0
    rows = []
    for number, (key, step_s, value) in enumerate(steps):
        clock_s += step_s
        rows.append((key, max(0.0, clock_s - 3.0) if number % 8 == 7 else clock_s, value))
    return rows


@settings(deadline=None)
@given(_ROWS, st.sampled_from([(2.5, None), (None, 10.0)]), st.integers(2, 5), st.integers(0, 60))
def test_as_the_plain_rules(
    steps: list[Row], rule: tuple[float | None, float | None], threshold: int, cut: int
) -> None:
    rows = _running(steps)
    leak_s, window_s = rule
    state = KeyedState(distinct_window.columns(KEPT))
    first, second = rows[:cut], rows[cut:]
    found = _pour(first, threshold=threshold, leak_s=leak_s, window_s=window_s, quiet_s=30, state=state)
    restored = KeyedState(distinct_window.columns(KEPT))
    restored.load(state.to_bytes())
    found += [
        (at + len(first), distinct, events)
        for at, distinct, events in _pour(
            second, threshold=threshold, leak_s=leak_s, window_s=window_s, quiet_s=30, state=restored
        )
    ]
    assert found == _plain(rows, threshold=threshold, leak_s=leak_s, window_s=window_s, quiet_s=30)


def test_the_threshold_th_value_fires_and_the_one_before_does_not() -> None:
    burst = [(1, 0.1 * number, number) for number in range(5)]
    assert _pour(burst, threshold=5, leak_s=10) == [(4, 5, 5)]
    assert _pour(burst[:4], threshold=5, leak_s=10) == []


def test_slow_values_leak_away() -> None:
    assert _pour([(1, 10.0 * number, number) for number in range(8)], threshold=5, leak_s=10) == []


def test_a_value_that_left_the_window_counts_again() -> None:
    rows = [(1, 0.0, 1), (1, 1.0, 2), (1, 100.0, 3), (1, 101.0, 1), (1, 102.0, 2)]
    assert _pour(rows, threshold=3, window_s=60) == [(4, 3, 5)]


def test_repeats_of_a_value_do_not_count() -> None:
    assert _pour([(1, 0.01 * number, number % 4) for number in range(400)], threshold=5, leak_s=10) == []


def test_a_long_scan_reports_when_the_number_has_quadrupled() -> None:
    state = KeyedState(distinct_window.columns(64))
    reports = _pour([(1, 0.001 * n, n) for n in range(20_000)], threshold=16, leak_s=5, state=state)
    assert reports[:2] == [(15, 16, 16), (63, 64, 64)]
    assert 5 <= len(reports) <= 6  # 16 quadrupled five times is 16,384
    for _, distinct, events in reports:  # three standard errors of the estimate
        assert 0.6 * events <= distinct <= 1.4 * events


def test_going_round_a_hundred_values_does_not_grow_for_ever() -> None:
    state = KeyedState(distinct_window.columns(64))
    reports = _pour([(1, 0.001 * n, n % 100) for n in range(20_000)], threshold=16, leak_s=5, state=state)
    assert [distinct for _, distinct, _ in reports] == [16, 64]


def test_a_burst_after_a_slow_day_is_still_seen() -> None:
    slow = [(1, 300.0 * number, number) for number in range(100)]
    burst = [(1, 30_000.0 + 0.1 * number, 1000 + number) for number in range(8)]
    reports = _pour(slow + burst, threshold=8, leak_s=5)
    assert [at for at, _, _ in reports] == [107]


def test_bad_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="either leak_s or window_s"):
        _pour([(1, 0.0, 1)], threshold=3)
    with pytest.raises(ValueError, match="threshold 9 is outside 1 to 8"):
        _pour([(1, 0.0, 1)], threshold=9, leak_s=1)
