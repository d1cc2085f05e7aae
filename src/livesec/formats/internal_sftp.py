"""OpenSSH's SFTP server through syslog (`Subsystem sftp internal-sftp -l INFO`, or sftp-server).

    internal-sftp[7]: session opened for local user ann from [192.0.2.1]
    internal-sftp[7]: close "/home/ann/report.pdf" bytes read 0 written 1234

Read: `close` and `forced close` as file transfers (an upload where bytes were written, else a download), `remove name`
and `rename old .. new ..` as deletes and renames, whose end the log does not tell. User and address come from the
session's first line, by host and process; they are unknown where that line is not in the log, or is cut short. `open`
and the lines of a session are parts. Skipped: all other messages. Not read: the same lines written under the name sshd.

Names stand in quotes that are not escaped: sizes are taken from the end of the line, and a rename whose names hold
`" new "` can be read in two ways and is a reject.
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.plain_regex import plain_groups
from livesec.formats.typed_fields import ip_address

PROGRAMS: Final = ("internal-sftp", "sftp-server")
STATE_VERSION: Final = 1
MAX_SESSIONS: Final = 4096
_MAX_TEXT: Final = 256
_OPENED: Final = r"^session opened for local user (.*) from \[([^\[\]]*)\]$"
_FORCED: Final = "forced "
_CLOSE: Final = r'^close "(?P<path>.*)" bytes read (?P<read>[0-9]+) written (?P<written>[0-9]+)$'
_REMOVE: Final = r'^remove name "(.*)"$'
_RENAME: Final = r'^(?:posix-)?rename old "(.*)" new "(.*)"$'
_BETWEEN: Final = '" new "'
_TWO_READINGS: Final = "a rename that can be read in two ways"
_BROKEN: Final = "a message that is not whole; cut short?"

_NOBODY: Final = ("", "")

Sessions = dict[str, tuple[str, str]]
"""User and address (or "") by host and process; the one used longest ago first."""


class InternalSftp(Format[Sessions]):
    """Transfers over SFTP. The state is the sessions that are open."""

    name = "internal_sftp"
    title = "OpenSSH SFTP server through syslog"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.SYSLOG
    journal_programs = ("internal-sftp", "sftp-server")
    order = 25

    def owns(self, program: str) -> bool:
        """The names that the server logs under."""
        return program in PROGRAMS

    def initial(self, stream: StreamInfo) -> Sessions:
        """No sessions."""
        return {}

    def parse(self, state: Sessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Sessions, Parsed]:
        """Take all of `lines`; what is no transfer and no part of a session is skipped."""
        if lines.height == 0:
            return state, NOTHING_PARSED
        events = _read(lines)
        users, sources = _tie(state, events)
        events = events.with_columns(pl.Series("user", users, pl.String), pl.Series("src_ip", sources, pl.String))
        told = events.filter(pl.col("action").is_not_null() & pl.col("problem").is_null())
        rows = told.select(
            *("line_index", "event_time_us", "host", "user", "src_ip", "path", "old_path", "bytes"),
            pl.col("action").cast(FILE_ACTION),
            pl.col("outcome").cast(OUTCOME),
            protocol=pl.lit("sftp"),
            service=pl.col("program"),
            session_id=pl.col("key"),
        )
        part = pl.col("problem").is_null() & (pl.col("action").is_not_null() | pl.col("part"))
        consumed = events.filter(part)["line_index"].to_numpy()
        rejects = events.filter(pl.col("problem").is_not_null()).select("line_index", reason="problem")
        skipped = left_over(lines["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
        return state, Parsed({LogType.FILE_TRANSFER: rows}, consumed, skipped, rejects)

    def to_bytes(self, state: Sessions) -> bytes:
        """As JSON."""
        return json.dumps(
            {"version": STATE_VERSION, "sessions": [[key, *said] for key, said in state.items()]}
        ).encode()

    def from_bytes(self, blob: bytes) -> Sessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"{self.name}: saved by another version")
            rows = saved["sessions"][-MAX_SESSIONS:]
            return {str(key): (str(user)[:_MAX_TEXT], str(source)[:_MAX_TEXT]) for key, user, source in rows}
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: saved state cannot be read: {error}") from error


def _read(lines: pl.DataFrame) -> pl.DataFrame:
    """What each message says, null where it is another."""
    message = pl.col("message").fill_null("")
    closes = message.str.starts_with("close ") | message.str.starts_with("forced close ")
    removes = message.str.starts_with("remove name ")
    renames = message.str.starts_with("rename old ") | message.str.starts_with("posix-rename old ")
    opens = message.str.starts_with("session opened for local user ")
    ends = message.str.starts_with("session closed for local user ")
    rename = pl.when(renames).then(message).str.extract_groups(_RENAME).struct
    session = pl.when(opens).then(message).str.extract_groups(_OPENED).struct
    close = plain_groups(lines.select(pl.when(closes).then(message).str.strip_prefix(_FORCED)).to_series(), _CLOSE)
    read, written = (close[name].cast(pl.Int64, strict=False) for name in ("read", "written"))
    path = pl.coalesce(close["path"], rename.field("2"), pl.when(removes).then(message).str.extract(_REMOVE))
    two = renames & (message.str.count_matches(_BETWEEN, literal=True) > 1)
    unread = pl.lit(read.is_null() | written.is_null())
    broken = ((closes | removes | renames) & path.is_null()) | (closes & unread)
    wrote = pl.lit(written > 0)
    upload = pl.when(wrote).then(pl.lit("upload")).otherwise(pl.lit("download"))
    action = pl.when(closes).then(upload).when(removes).then(pl.lit("delete")).when(renames).then(pl.lit("rename"))
    return lines.with_columns(
        key=pl.col("host").fill_null("") + ":" + pl.col("pid").cast(pl.String),
        path=path,
        old_path=rename.field("1"),
        bytes=pl.when(wrote).then(written).otherwise(read),
        action=action,
        outcome=pl.when(message.str.starts_with("close ")).then(pl.lit("success")),
        part=opens | ends | message.str.starts_with('open "'),
        opens=opens,
        ends=ends,
        new_user=session.field("1").str.slice(0, _MAX_TEXT),
        new_source=session.field("2").str.slice(0, _MAX_TEXT),
        problem=pl.when(two)
        .then(pl.lit(_TWO_READINGS))
        .when(broken | (opens & session.field("1").is_null()))
        .then(pl.lit(_BROKEN)),
    )


def _tie(state: Sessions, events: pl.DataFrame) -> tuple[list[str | None], list[str | None]]:
    """User and address of each event, by the sessions up to it."""
    sources = ip_address(events["new_source"]).values
    users: list[str | None] = []
    addresses: list[str | None] = []
    # Between its session's lines a process says the same many times over: a run of lines is one look-up.
    columns = (events["key"], events["opens"], events["new_user"], sources, events["ends"])
    last, user_of, source_of = None, None, None
    add_user, add_address = users.append, addresses.append
    for key, opens, user, source, ends in zip(*(column.to_list() for column in columns), strict=True):
        if key is None or key != last or opens or ends:
            known = _NOBODY
            if key is not None:
                known = state.pop(key, _NOBODY)
                if opens:  # cut short, it says only that the process serves someone else now
                    known = _NOBODY if user is None else (user, source or "")
                if known != _NOBODY and not ends:
                    state[key] = known
                    if len(state) > MAX_SESSIONS:
                        del state[next(iter(state))]
            last = None if ends else key
            user_of, source_of = known[0] or None, known[1] or None
        add_user(user_of)
        add_address(source_of)
    return users, addresses


FORMAT = InternalSftp()
