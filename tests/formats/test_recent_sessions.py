"""Sessions remembered: no more than the limit, no longer than the pause, the same after being saved."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.errors import StateVersionError
from livesec.formats.recent_sessions import (
    MAX_SESSIONS,
    MAX_USER_CHARS,
    TOLD_BITS,
    RecentSessions,
    Session,
    Step,
)


def test_the_session_touched_longest_ago_makes_way() -> None:
    recent = RecentSessions(pause_us=10)
    for key in range(MAX_SESSIONS):
        recent.put(key, Session(0, 1))
    recent.put(0, Session(0, 2))
    recent.put(MAX_SESSIONS, Session(0, 3))
    assert len(recent) == MAX_SESSIONS
    assert recent.get(0, 0) == Session(0, 2)
    assert recent.get(1, 0) is None


@pytest.mark.parametrize(("now_us", "known"), [(9, True), (10, True), (11, False), (-5, True)])
def test_a_session_is_forgotten_after_the_pause(now_us: int, known: bool) -> None:
    recent = RecentSessions(pause_us=10)
    recent.put(7, Session(0, 1))
    assert (recent.get(7, now_us) is not None) == known


def test_a_long_name_is_cut() -> None:
    recent = RecentSessions(pause_us=10)
    recent.put(7, Session(0, 1, "x" * 100_000))
    assert recent.get(7, 0) == Session(0, 1, "x" * MAX_USER_CHARS)


def test_saved_sessions_make_way_in_the_same_order() -> None:
    recent = RecentSessions(pause_us=10)
    for key in (3, 1, 2**64 - 1, 3):
        recent.put(key, Session(key % 5, 1, "\x1b\u00e9"))
    recent.forget(1)
    restored = RecentSessions.from_bytes(recent.to_bytes(), 10)
    assert restored.to_bytes() == recent.to_bytes()
    assert restored.get(2**64 - 1, 0) == recent.get(2**64 - 1, 0)


@pytest.mark.parametrize(
    "blob", [b"", b"\xff", b"[]", b'{"version": 2, "sessions": []}', b'{"version": 1, "sessions": [[1]]}']
)
def test_another_layout_is_refused(blob: bytes) -> None:
    with pytest.raises(StateVersionError):
        RecentSessions.from_bytes(blob, 10)


STEPS = st.builds(Step, st.booleans(), st.integers(0, 7), st.booleans(), st.booleans())
LINES = st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 2), st.sampled_from([None, "ann", "x" * 300]))


@settings(deadline=None)
@given(st.lists(STEPS, min_size=24, max_size=24), st.lists(LINES, max_size=30))
def test_lines_are_followed_as_one_by_one(steps: list[Step], lines: list[tuple[int, int, int, str | None]]) -> None:
    one_by_one, together = RecentSessions(pause_us=10), RecentSessions(pause_us=10)
    rows, users = list[bool](), list[str | None]()
    for key, now_us, kind, named in lines:
        before = one_by_one.get(key, now_us) or Session(now_us, 0)
        step = steps[kind << TOLD_BITS | before.told]
        user = named if named is not None and step.names else before.user
        rows.append(step.is_row)
        users.append(user)
        one_by_one.forget(key)
        if step.goes_on:
            one_by_one.put(key, Session(now_us, step.told, user))
    keys, times_us, kinds, named_users = ([line[place] for line in lines] for place in range(4))
    assert together.follow(keys, times_us, kinds, named_users, steps) == (rows, users)  # type: ignore[arg-type]
    assert together.to_bytes() == one_by_one.to_bytes()
