"""What is remembered of recent sessions, so that an attempt that several lines tell of counts once."""

from __future__ import annotations

import json
from typing import ClassVar, Final, NamedTuple

from livesec.core.batch import StreamInfo
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format

MAX_SESSIONS: Final = 1 << 13
"""More at a time than a server admits that have not logged in; the one touched longest ago makes way."""

MAX_USER_CHARS: Final = 256
STATE_VERSION: Final = 1


class Session(NamedTuple):
    """What a format knows of one session; what `told` says is the format's own affair."""

    last_us: int
    told: int
    user: str | None = None


class RecentSessions:
    """Sessions by key (`core.hashing`), no more than MAX_SESSIONS; a session idle for `pause_us` is forgotten.

    >>> recent = RecentSessions(pause_us=60)
    >>> recent.put(7, Session(100, 1, "ann"))
    >>> recent.get(7, 150), recent.get(7, 161), recent.get(8, 150)
    (Session(last_us=100, told=1, user='ann'), None, None)
    """

    def __init__(self, pause_us: int) -> None:
        self.pause_us = pause_us
        self._sessions: dict[int, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: int, now_us: int) -> Session | None:
        """The session of `key`, if there was a line of it in the last `pause_us`."""
        found = self._sessions.get(key)
        return None if found is None or now_us - found.last_us > self.pause_us else found

    def put(self, key: int, session: Session) -> None:
        """Remember `session`, with its user cut to MAX_USER_CHARS."""
        sessions = self._sessions
        sessions.pop(key, None)
        if session.user is not None and len(session.user) > MAX_USER_CHARS:
            session = session._replace(user=session.user[:MAX_USER_CHARS])
        sessions[key] = session
        if len(sessions) > MAX_SESSIONS:
            del sessions[next(iter(sessions))]

    def forget(self, key: int) -> None:
        """Nothing is known of `key` any more."""
        self._sessions.pop(key, None)

    def to_bytes(self) -> bytes:
        """Versioned JSON, the sessions in the order in which they make way."""
        rows = [[key, *session] for key, session in self._sessions.items()]
        return json.dumps({"version": STATE_VERSION, "sessions": rows}).encode()

    @staticmethod
    def from_bytes(blob: bytes, pause_us: int) -> RecentSessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        recent = RecentSessions(pause_us)
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"saved sessions have version {saved['version']}, expected {STATE_VERSION}")
            for key, last_us, told, user in saved["sessions"]:
                recent._sessions[int(key)] = Session(int(last_us), int(told), user)
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"saved sessions cannot be read: {error}") from error
        return recent


class SessionFormat(Format[RecentSessions]):
    """A format whose state is what it knows of recent sessions."""

    pause_us: ClassVar[int]
    """A session idle for so long is forgotten."""

    def initial(self, stream: StreamInfo) -> RecentSessions:
        """No sessions."""
        return RecentSessions(self.pause_us)

    def to_bytes(self, state: RecentSessions) -> bytes:
        """The sessions."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> RecentSessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return RecentSessions.from_bytes(blob, self.pause_us)
