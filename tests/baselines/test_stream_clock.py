"""The stream's clock against a scalar twin, and the cases it is made for, worked out by hand in hours."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.baselines.stream_clock import BEHIND_EVENTS, BEHIND_US, JUMP_US, advance, new_clock

HOUR_US = 3_600_000_000


def in_hours(hours: list[float]) -> list[float]:
    times_us = (np.array(hours, dtype=np.float64) * HOUR_US).astype(np.int64)
    return [time_us / HOUR_US for time_us in advance(new_clock(), times_us).tolist()]


def twin(times_us: list[int]) -> list[int]:
    """The recurrence of the module, event by event."""
    confirmed: int | None = None
    shown, jumped, behind = 0, None, list[int]()
    out = []
    for time in times_us:
        if confirmed is None:
            confirmed = shown = time
        behind = [*behind, time] if time < confirmed - BEHIND_US else []
        if len(behind) == BEHIND_EVENTS:
            confirmed = shown = max(behind)
            behind = []
        if time > confirmed + JUMP_US and jumped is not None:
            confirmed = min(jumped, time)
        if time > confirmed + JUMP_US:
            jumped = time
            shown = max(shown, confirmed + JUMP_US)
        else:
            jumped = None
            confirmed = max(confirmed, time)
            shown = max(shown, confirmed)
        out.append(shown)
    return out


def test_runs_with_the_events_and_waits_for_late_ones() -> None:
    assert in_hours([0, 0.5, 0.25, 1]) == [0, 0.5, 0.5, 1]


def test_a_single_jump_counts_an_hour() -> None:
    assert in_hours([0, 500, 0.1, 0.2]) == [0, 1, 1, 1]


def test_many_single_jumps_count_an_hour_together() -> None:
    assert in_hours([0, 500, 0.1, 600, 0.2, 700, 0.3]) == [0, 1, 1, 1.1, 1.1, 1.2, 1.2]


def test_time_that_did_go_on_is_accepted_with_the_second_event() -> None:
    assert in_hours([0, 8, 8.5, 9]) == [0, 1, 8.5, 9]


def test_of_two_jumps_the_smaller_is_believed() -> None:
    assert in_hours([0, 8, 900]) == [0, 1, 9]
    assert in_hours([0, 900, 8]) == [0, 1, 8]


def test_a_forged_first_time_is_overruled_by_sixty_four_events() -> None:
    shown = in_hours([9000, *(float(hour) / 10 for hour in range(70))])
    assert shown[:64] == [9000] * 64
    assert shown[64:] == [6.3, 6.4, 6.5, 6.6, 6.7, 6.8, 6.9]


def test_no_events_leave_the_clock_alone() -> None:
    clock = new_clock()
    assert advance(clock, np.empty(0, dtype=np.int64)).tolist() == []
    assert clock.tolist() == new_clock().tolist()


TIMES = st.lists(
    st.one_of(st.integers(0, 3 * HOUR_US), st.integers(40 * HOUR_US, 45 * HOUR_US), st.integers(0, 200_000 * HOUR_US)),
    max_size=200,
)


@settings(deadline=None, max_examples=examples(200))
@given(times_us=TIMES, cut=st.integers(0, 200))
def test_twin_and_cuts(times_us: list[int], cut: int) -> None:
    times = np.array(times_us, dtype=np.int64)
    whole = advance(new_clock(), times).tolist()
    assert whole == twin(times_us)
    clock = new_clock()
    first = advance(clock, times[:cut]).tolist()
    assert first + advance(np.array(clock.tolist(), dtype=np.int64), times[cut:]).tolist() == whole
