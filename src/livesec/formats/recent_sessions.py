"""What is remembered of recent sessions, so that an attempt that several lines tell of counts once."""

from __future__ import annotations

import json
from collections.abc import Sequence
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


TOLD_BITS: Final = 3
"""What `told` may take where it goes by `Step`s."""


class Step(NamedTuple):
    """What a line makes of its session, by the line's kind and what the session has told before."""

    is_row: bool
    told: int
    goes_on: bool
    """Whether the session is known after it."""
    names: bool
    """Whether the user that the line names, if any, is the session's from now on."""


class Followed(NamedTuple):
    """What became of lines."""

    rows: list[bool]
    """Which are rows."""
    users: list[str | None]
    """The session's user at each."""


class RecentSessions:
    """Sessions by key (`core.hashing`), no more than MAX_SESSIONS; a session idle for `pause_us` is forgotten.

    >>> recent = RecentSessions(pause_us=60)
    >>> recent.put(7, Session(100, 1, "ann"))
    >>> recent.get(7, 150), recent.get(7, 161), recent.get(8, 150)
    (Session(last_us=100, told=1, user='ann'), None, None)
    """

    def __init__(self, pause_us: int) -> None:
        self.pause_us = pause_us
        self._sessions: dict[int, tuple[int, int, str | None]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, key: int, now_us: int) -> Session | None:
        """The session of `key`, if there was a line of it in the last `pause_us`."""
        found = self._sessions.get(key)
        return None if found is None or now_us - found[0] > self.pause_us else Session(*found)

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

    def follow(
        self, keys: list[int], times_us: list[int], kinds: list[int], users: list[str | None], steps: Sequence[Step]
    ) -> Followed:
        """Take lines in order, each with its session's key, its time, its kind and the user that it names.

        `steps[kind << TOLD_BITS | told]` is what a line does. As get, put and forget line by line would have it, in a
        third of the time.
        """
        sessions, pause_us, all_told = self._sessions, self.pause_us, (1 << TOLD_BITS) - 1
        followed = Followed([], [])
        add_row, add_user = followed.rows.append, followed.users.append
        for key, now_us, kind, named in zip(keys, times_us, kinds, users, strict=True):
            told, user = 0, None
            found = sessions.pop(key, None)
            if found is not None and now_us - found[0] <= pause_us:
                _, told, user = found
            is_row, told, goes_on, names = steps[kind << TOLD_BITS | told & all_told]
            if named is not None and names:
                user = named
            add_row(is_row)
            add_user(user)
            if goes_on:
                sessions[key] = (now_us, told, user and user[:MAX_USER_CHARS])
                if len(sessions) > MAX_SESSIONS:
                    del sessions[next(iter(sessions))]
        return followed

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
                recent._sessions[int(key)] = (int(last_us), int(told), user)
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
