"""Sessions remembered: no more than the limit, no longer than the pause, the same after being saved."""

from __future__ import annotations

import pytest

from livesec.core.errors import StateVersionError
from livesec.formats.recent_sessions import MAX_SESSIONS, MAX_USER_CHARS, RecentSessions, Session


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
