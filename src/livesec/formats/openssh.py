"""OpenSSH's server through syslog or the journal: one row per login, failed try, or connection without a try.

Read: `Accepted`, `Failed` (also keyboard-interactive, gssapi, none), `Invalid user`, `User .. not allowed because`,
`ROOT LOGIN REFUSED`, PAM's failures where sshd names the address, too many failures, right keys from hosts that may not
use them, `administratively prohibited`, and the ends of connections before a login: closed, reset, disconnected, timed
out, no common algorithm, bad protocol, dropped (MaxStartups, penalties), refused. The programs are sshd, sshd-session
and sshd-auth, of OpenSSH 5.9 to 10. Reasons of failures: invalid_user, not_allowed, bad_credentials, too_many_failures.
Reasons of attempts, of which the log does not say what was tried: preauth_close, no_identification, bad_protocol,
no_common_algorithm, timeout, crash, dropped, refused.

Parts: lines that tell more of an attempt that has its row, such as PAM's. Skipped: everything about a session after its
login, `Postponed`, `Partial` (the first of several methods that a login needs), `Accepted key`, `Accepted certificate`,
`Certificate invalid`, `User child is on pid`, notes of penalties and throttling, and all other messages.

Not read, because no address is named; the `Failed` line or the end of the connection counts: `User .. not allowed
because account is locked` or because of its shell, `Access denied for user .. by PAM account configuration`, `no
matching mac found`, `Read from socket failed`. Not read: ends of connections that OpenSSH before 5.9 does not mark as
preauth.

Keys that a client offers for a user that exists give no row (an agent offers several before the right one, and sshd
logs that only at VERBOSE or after the third): the login or the end of the session does. Lines of PAM modules never give
one (pam_unix fails where pam_sss then succeeds), so sshd must log at INFO, its default.

sshd names addresses, not hosts, in all but a few lines; where it names a host (UseDNS), src_ip is null: such a name is
chosen by whoever owns the address, and could pass for anything.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import Parsed, StreamInfo, left_over
from livesec.core.hashing import text_keys
from livesec.core.protocols import Format, Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.core.state import KeyedState
from livesec.formats.openssh_events import read_events
from livesec.formats.openssh_messages import Kind
from livesec.formats.openssh_sessions import NO_PORT, PART, ROW, new_sessions, tie

PROGRAMS = ("sshd", "sshd-session", "sshd-auth")  # the latter two since OpenSSH 9.8 and 10.0
SERVICE = "sshd"
_SUCCESS, _FAILURE, _ATTEMPT = range(3)  # places in OUTCOME
_OUTCOMES = np.full(len(Kind), _FAILURE, dtype=np.uint8)
_OUTCOMES[Kind.ACCEPTED] = _SUCCESS
_OUTCOMES[[Kind.CLOSED, Kind.CLOSED_EARLY, Kind.DROPPED]] = _ATTEMPT


class OpenSSH(Format[KeyedState]):
    """Messages of sshd, sshd-session and sshd-auth. The state is the sessions whose lines are tied together."""

    name = "openssh"
    title = "OpenSSH server through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = PROGRAMS
    order = 20  # the most common

    def owns(self, program: str) -> bool:
        """The names that the server runs under."""
        return program in PROGRAMS

    def initial(self, stream: StreamInfo) -> KeyedState:
        """No sessions."""
        return new_sessions()

    def parse(self, state: KeyedState, stream: StreamInfo, lines: pl.DataFrame) -> tuple[KeyedState, Parsed]:
        """Take all of `lines`; what is known and no event is skipped."""
        events = read_events(lines.select("line_index", "message"))
        rows, tied = _rows(state, events.stated, lines)
        consumed = np.concatenate([tied, events.parts.to_numpy()])
        unusable = events.unusable.sort("line_index")
        skipped = left_over(lines["line_index"].to_numpy(), consumed, unusable["line_index"].to_numpy())
        return state, Parsed({LogType.LOGIN: rows}, np.sort(consumed), skipped, unusable)

    def to_bytes(self, state: KeyedState) -> bytes:
        """The sessions."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> KeyedState:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        sessions = new_sessions()
        sessions.load(blob)
        return sessions


FORMAT = OpenSSH()


def _rows(sessions: KeyedState, stated: pl.DataFrame, decoded: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.uint32]]:
    """Login rows of what was stated, each attempt once, and the lines that gave or belong to one."""
    at = np.searchsorted(decoded["line_index"].to_numpy(), stated["line_index"].to_numpy())
    envelope = decoded.select("event_time_us", "host", decoded_pid="pid")[at]
    stated = pl.concat([stated, envelope], how="horizontal").with_columns(
        session_id=pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), pl.coalesce("pid", "decoded_pid"))
    )
    kinds = stated["kind"].to_numpy()
    what, counts = tie(
        sessions,
        text_keys(stated["session_id"]),
        kinds,
        text_keys(stated["src_ip"]),
        stated["src_port"].fill_null(NO_PORT).to_numpy(),
        stated["event_time_us"].to_numpy(),
        stated["count"].to_numpy(),
    )
    rows = stated.select(
        "line_index",
        "event_time_us",
        "host",
        pl.lit(SERVICE).alias("service"),
        "session_id",
        "user",
        "src_ip",
        "src_port",
        pl.Series("outcome", _OUTCOMES[kinds]).cat.to(OUTCOME),
        "reason",
        "auth_method",
        "key_id",
        "client",
        pl.Series("count", counts, dtype=pl.Int64).cast(pl.Int32),
    ).filter(pl.Series(what == ROW))
    return rows, stated["line_index"].to_numpy()[(what == ROW) | (what == PART)]
