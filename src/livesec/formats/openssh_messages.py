"""The messages of OpenSSH's server, each turned into what it says and what it means for an attempt.

Names of users and versions of clients are written by whoever connects, with spaces, addresses and whole messages in
them. Every expression is therefore anchored where sshd itself writes: at the end where the text of others comes first,
at the start where it comes last. Where it may stand on both sides (certificates, host-based authentication), a message
is used only if it names one address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from livesec.formats.ip_text import is_ip


class Kind(IntEnum):
    """What a message means for the attempts of its session; `openssh_sessions` says what follows from it."""

    PART = 0
    """Belongs to an attempt that other lines tell of."""
    START = 1
    """A connection came in (logged at VERBOSE)."""
    OPENS = 2
    """A failed attempt whose `Failed` line is still to come: unknown user, user not allowed."""
    FAILED = 3
    """A wrong password or the like."""
    FAILED_INTERACTIVE = 4
    """The same by keyboard-interactive, after a line of PAM about the same try where PAM is used."""
    PAM_FAILED = 5
    OFFERED = 6
    """Something a client offers by itself before it asks its user (keys, `none`), for a user that does not exist."""
    LIMIT = 7
    """Too many tries in one session."""
    CLOSED = 8
    """The connection ended before authentication."""
    CLOSED_EARLY = 9
    """As CLOSED if the exchange of versions failed before, else the end of an authenticated session."""
    VERSIONS = 10
    """The exchange of versions failed."""
    ACCEPTED = 11
    DROPPED = 12
    """Refused by the listener without a session."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Messages that start with `start` and match `pattern` (named groups: columns) mean `kind`."""

    start: str
    pattern: str
    kind: Kind
    reason: str | None = None
    before_login_only: bool = False
    """Counts only if sshd marked it [preauth]; the same words end an authenticated session."""


_IP = r"(?P<src_ip>[^ ]+)"
_IP_PORT = _IP + r" port (?P<src_port>[0-9]+)"
_IP_MAYBE_PORT = _IP + r"(?: port (?P<src_port>[0-9]+))?"
_WHO = r"(?:invalid|authenticating) user (?P<user>.*) "
_UNKNOWN = r"(?P<unknown>invalid user |illegal user )?"
_KEY = r"(?:: (?P<key_type>[^ ]+) (?P<key_id>[^ ]+))?"

# Failed and Accepted, with nothing behind the port but a key; and with the text of others there.
_TOLD = rf"^[^ ]+ (?P<auth_method>[^ ]+) for {_UNKNOWN}(?P<user>.*) from {_IP_MAYBE_PORT}(?: ssh[0-9]?)?{_KEY}$"
_TOLD_FREELY = (
    rf"^[^ ]+ (?P<auth_method>[^ ]+) for {_UNKNOWN}(?P<user>[^ ]+) from {_IP_PORT} ssh2"
    r": (?P<key_type>[^ ]+) (?P<key_id>[^ ,]+),? "
)
_ADDRESSES = r" from [^ ]+ port [0-9]"
