"""One attempt counts once: the lines that one sshd process writes about it are tied together as they come.

The first line that tells of an attempt gives the row; what follows about the same try is a part of it:

    Invalid user, not allowed    a row, and the next failed try of the session is the same attempt
    Failed, PAM failure          a row for each try that is not yet told of
    offers (keys, `none`)        told by the unknown user's line; known users' offers are parts from the start
    too many tries, end          a row only if the session told of nothing: the client came and did not try, or what it
                                 tried is not logged (keys, at sshd's usual log level)

A session is (host, process). Processes come again with the same number: another address or port, a connection coming
in, a new try after the end, or a pause of an hour before a login make it another session.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, find, touch
from livesec.formats.openssh_messages import Kind

MAX_SESSIONS = 1 << 14
"""64 for each of 256 shards; a host's sshd admits 100 at a time that have not logged in (MaxStartups)."""

PAUSE_US = 3_600_000_000  # sshd ends a session without a login after 2 minutes (LoginGraceTime), or as it is set
NO_PORT = -1

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "address": np.uint64,  # key of the source address, 0 unknown
        "port": np.int32,
        "last_us": np.int64,
        "flags": np.uint8,
    }
)

# What is known of a session.
_TOLD = 1  # an attempt has its row
_FAILURE_OPEN = 2  # its first failed try is told already
_INTERACTIVE_OPEN = 4  # PAM told of a try that `Failed keyboard-interactive` repeats
_LOGGED_IN = 8
_ENDED = 16
_VERSIONS = 32  # the exchange of versions failed

SKIP, ROW, PART = 0, 1, 2
"""What a line is: no event, a row, a part of an attempt that has its row."""

_START, _OPENS, _FAILED = int(Kind.START), int(Kind.OPENS), int(Kind.FAILED)
_PAM_FAILED, _INTERACTIVE, _OFFER = int(Kind.PAM_FAILED), int(Kind.INTERACTIVE_FAILED), int(Kind.OFFER_FAILED)
_LIMIT, _CLOSED, _CLOSED_EARLY = int(Kind.LIMIT), int(Kind.CLOSED), int(Kind.CLOSED_EARLY)
_VERSIONS_FAILED, _ACCEPTED, _DROPPED = int(Kind.VERSIONS_FAILED), int(Kind.ACCEPTED), int(Kind.DROPPED)


@inner_kernel
def _failed(flags: int, kind: int, count: int) -> tuple[int, int, int]:
    """As `_follow`, for `count` failed tries, of which one may have its row already."""
    told = _FAILURE_OPEN | (_INTERACTIVE_OPEN if kind == _INTERACTIVE else 0)
    if flags & told:
        count -= 1
    flags = (flags | _TOLD) & ~told
    if kind == _PAM_FAILED:
        flags |= _INTERACTIVE_OPEN
    return flags, ROW if count > 0 else PART, count


@inner_kernel
def _follow(flags: int, kind: int, count: int) -> tuple[int, int, int]:
    """(flags, what the line is, attempts in its row) after a message of `kind` in a session of `flags`."""
    if kind == _START:
        return 0, SKIP, 0
    if kind == _DROPPED:
        return flags, ROW, count
    if kind == _ACCEPTED:
        return (flags | _TOLD | _LOGGED_IN) & ~(_FAILURE_OPEN | _INTERACTIVE_OPEN), ROW, count
    if kind == _VERSIONS_FAILED:
        return _VERSIONS, PART, 0
    if kind == _OPENS:
        return flags | _TOLD | _FAILURE_OPEN, ROW, count
    if kind == _OFFER:
        if flags & _TOLD:
            return flags, PART, 0
        return flags | _TOLD | _FAILURE_OPEN, ROW, 1
    if kind == _LIMIT:
        return flags | _TOLD, PART if flags & _TOLD else ROW, 1
    if kind == _CLOSED_EARLY and not flags & _VERSIONS:
        return flags, SKIP, 0
    if kind in (_CLOSED, _CLOSED_EARLY):
        if flags & _LOGGED_IN:
            return flags, SKIP, 0
        return flags | _TOLD | _ENDED, PART if flags & _TOLD else ROW, 1
    return _failed(flags, kind, count)


@kernel
def _tie(
    index: Index,
    address: Keys,
    port: NDArray[np.int32],
    last_us: NDArray[np.int64],
    flags: NDArray[np.uint8],
    keys: Keys,
    kinds: NDArray[np.int8],
    addresses: Keys,
    ports: NDArray[np.int32],
    times_us: NDArray[np.int64],
    counts: NDArray[np.int64],
    out_what: NDArray[np.int8],
) -> None:
    for row in range(len(keys)):
        kind = int(kinds[row])
        if keys[row] == np.uint64(0) or kind == _DROPPED:
            _, out_what[row], counts[row] = _follow(0, kind, int(counts[row]))
            continue
        slot = find(index, keys[row])  # not `touch`: the session that began first makes way, which is cheaper
        fresh = slot < 0
        known = 0 if fresh else int(flags[slot])
        if not fresh:
            other = address[slot] != np.uint64(0) and addresses[row] != np.uint64(0) and address[slot] != addresses[row]
            other = other or (port[slot] != NO_PORT and ports[row] != NO_PORT and port[slot] != ports[row])
            again = known & _ENDED and (kind == _ACCEPTED or _OPENS <= kind <= _OFFER)
            idle = not known & _LOGGED_IN and times_us[row] - last_us[slot] > PAUSE_US
            fresh = other or again or idle or kind in (_START, _VERSIONS_FAILED)
        if fresh:
            slot, _ = touch(index, keys[row])
            known, address[slot], port[slot], last_us[slot] = 0, np.uint64(0), NO_PORT, times_us[row]
        if addresses[row] != np.uint64(0):
            address[slot] = addresses[row]
        if ports[row] != NO_PORT:
            port[slot] = ports[row]
        last_us[slot] = max(last_us[slot], times_us[row])
        known, out_what[row], counts[row] = _follow(known, kind, int(counts[row]))
        flags[slot] = known


def new_sessions() -> KeyedState:
    """No sessions."""
    return KeyedState(COLUMNS, MAX_SESSIONS)


def tie(
    sessions: KeyedState,
    keys: Keys,
    kinds: NDArray[np.int8],
    addresses: Keys,
    ports: NDArray[np.int32],
    times_us: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """What each line is (SKIP, ROW, PART) and how many attempts its row stands for.

    All arrays have shape (n,) in order of the lines: session keys (0: no session), Kind, keys of source addresses (0:
    unknown), ports (NO_PORT: unknown), event times in us and the counts of repeated messages. `sessions` is changed.
    """
    sessions.reserve(keys)
    what = np.empty(len(keys), dtype=np.int8)
    counts = counts.copy()
    _tie(
        sessions.index,
        sessions["address"].view(np.uint64),
        sessions["port"].view(np.int32),
        sessions["last_us"].view(np.int64),
        sessions["flags"].view(np.uint8),
        keys,
        kinds,
        addresses,
        ports,
        times_us,
        counts,
        what,
    )
    return what, counts
