"""OpenSSH's server through syslog or the journal: one row per login, failed try, or connection without a try.

Reasons of failures: invalid_user, not_allowed, bad_credentials, too_many_failures. Reasons of attempts, of which the
log does not say what was tried: preauth_close, no_identification, bad_protocol, no_common_algorithm, timeout, dropped,
refused. Keys that a client offers for a user that exists give no row (an agent offers several before the right one, and
sshd logs that only at VERBOSE or after the third): the login or the end of the session does. Lines of PAM modules never
give one (pam_unix fails where pam_sss then succeeds), so sshd must log at INFO, its default.

sshd names addresses, not hosts, in all but a few lines; where it names a host (UseDNS), src_ip is null: such a name is
chosen by whoever owns the address, and could pass for anything.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.errors import StateVersionError
from livesec.core.hashing import text_keys
from livesec.core.protocols import Format
from livesec.core.schema import OUTCOME, LogType
from livesec.core.state import KeyedState
from livesec.formats.envelope import EnvelopeState, decode
from livesec.formats.openssh_events import read_events
from livesec.formats.openssh_messages import Kind
from livesec.formats.openssh_sessions import NO_PORT, PART, ROW, new_sessions, tie

PROGRAMS = ("sshd", "sshd-session", "sshd-auth")  # the latter two since OpenSSH 9.8 and 10.0
SERVICE = "sshd"
_MENTION = "sshd"
_WITHOUT_ENVELOPE = (
    r"^(?:<[0-9]{1,3}>)?(?:[A-Za-z0-9:.+-]+ +){0,5}sshd(?:-session|-auth)?(?:\[[0-9]+\])?: "
    r'|^\{.*"SYSLOG_IDENTIFIER"\s*:\s*"sshd(?:-session|-auth)?"'
)
_NO_TIME = "an sshd line without a time that can be read; expected RFC 3164, RFC 3339, RFC 5424 or journal JSON"
_SUCCESS, _FAILURE, _ATTEMPT = range(3)  # places in OUTCOME
_OUTCOMES = np.full(len(Kind), _FAILURE, dtype=np.uint8)
_OUTCOMES[Kind.ACCEPTED] = _SUCCESS
_OUTCOMES[[Kind.CLOSED, Kind.CLOSED_EARLY, Kind.DROPPED]] = _ATTEMPT
_STATE_HEAD = struct.Struct("<4sI")
_STATE_MAGIC = b"SSH1"


@dataclass(frozen=True)
class OpenSSHState:
    """The syslog state (year) and the sessions whose lines are tied together."""

    envelope: EnvelopeState = field(default_factory=EnvelopeState)
    sessions: KeyedState = field(default_factory=new_sessions)


class OpenSSH(Format[OpenSSHState]):
    """Lines of sshd, sshd-session and sshd-auth."""

    name = "openssh"
    title = "OpenSSH server through syslog or the journal"
    log_types = (LogType.LOGIN,)
    order = 20  # the most common, and told by one literal

    def initial(self, stream: StreamInfo) -> OpenSSHState:
        """No year, no sessions."""
        return OpenSSHState()

    def parse(self, state: OpenSSHState, stream: StreamInfo, lines: pl.DataFrame) -> tuple[OpenSSHState, Parsed]:
        """Take the lines of sshd; what is known and no event is skipped."""
        mine = lines.filter(pl.col("line").str.contains(_MENTION, literal=True))
        if mine.height == 0:
            return state, NOTHING_PARSED
        decoded = decode(mine, state.envelope, stream)
        rejects = [_without_envelope(mine, decoded)]
        own = decoded.filter(pl.col("program").is_in(PROGRAMS))
        timed = own.filter(pl.col("event_time_us").is_not_null())
        if timed.height < own.height:
            timeless = own.filter(pl.col("event_time_us").is_null())
            rejects.append(timeless.select("line_index", reason=pl.lit(_NO_TIME)))
        events = read_events(timed.select("line_index", "message"))
        rejects.append(events.unusable)
        rows, tied = _rows(state.sessions, events.stated, timed)
        unusable = pl.concat(rejects).sort("line_index")
        consumed = np.concatenate([tied, events.parts.to_numpy()])
        skipped = _left(own["line_index"].to_numpy(), consumed, unusable["line_index"].to_numpy())
        return state, Parsed({LogType.LOGIN: rows}, np.sort(consumed), skipped, unusable)

    def to_bytes(self, state: OpenSSHState) -> bytes:
        """The sessions behind the syslog state."""
        envelope = state.envelope.to_bytes()
        return _STATE_HEAD.pack(_STATE_MAGIC, len(envelope)) + envelope + state.sessions.to_bytes()

    def from_bytes(self, blob: bytes) -> OpenSSHState:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        if len(blob) < _STATE_HEAD.size or not blob.startswith(_STATE_MAGIC):
            raise StateVersionError("a saved openssh state does not start as this version writes it")
        size = _STATE_HEAD.unpack_from(blob)[1]
        sessions = new_sessions()
        sessions.load(blob[_STATE_HEAD.size + size :])
        return OpenSSHState(EnvelopeState.from_bytes(blob[_STATE_HEAD.size : _STATE_HEAD.size + size]), sessions)


FORMAT = OpenSSH()


def _left(lines: NDArray[np.uint32], *taken: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Those of `lines` (ascending) that are in none of `taken`."""
    left = np.ones(1 + max((int(some.max()) for some in (lines, *taken) if len(some)), default=0), dtype=np.bool_)
    for some in taken:
        left[some] = False
    return lines[left[lines]]


def _without_envelope(mine: pl.DataFrame, decoded: pl.DataFrame) -> pl.DataFrame:
    """Rejects for lines of sshd that are not of a syslog form."""
    if decoded.height == mine.height:
        return no_rejects()
    known = np.isin(mine["line_index"].to_numpy(), decoded["line_index"].to_numpy(), assume_unique=True)
    others = mine.filter(pl.Series(~known) & mine["line"].str.contains(_WITHOUT_ENVELOPE))
    return others.select("line_index", reason=pl.lit(_NO_TIME))


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
