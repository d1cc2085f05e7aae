"""What the rsync daemon says about sessions and files, through syslog or in its own log: see rsyncd and rsyncd_log.

A session's process writes who asked for what, then the files if `transfer logging` is on, at the end the totals. The
client chooses the names of files, of the request and of the user; host names come from reverse lookups and hold no
blanks. So a request's client is read from the end of its line, a file's from the start.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from livesec.core.batch import Parsed
from livesec.core.errors import StateVersionError
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.plain_regex import plain_cases
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import count, ip_address

STATE_VERSION: Final = 1
MAX_SESSIONS: Final = 4096
SERVICE: Final = "rsyncd"
_MAX_TEXT: Final = 1024
_REQUEST: Final = (
    r"^rsync (?P<way>on|to) (?P<request>.*) from (?:(?P<user>[^ ]+)@)?(?P<name>[^ @]+) \((?P<ip>[^ ()]*)\)$"
)
_PLAIN_REQUESTS: Final = (
    r"^rsync (?P<way>[ot][no]) (?P<request>.*) from (?P<user>[^ @]+)@(?P<name>[^ @]+) \((?P<ip>[^ ()]*)\)$",
    r"^rsync (?P<way>[ot][no]) (?P<request>.*) from (?P<name>[^ @]+) \((?P<ip>[^ ()]*)\)$",
)
_FAILED: Final = (
    r"^auth failed on module (?:.*?) from [^ ]+ \((?P<ip>[^ ()]*)\)"
    r"(?:: (?:missing secret for user) \"(?P<secretless>.*)\"|(?: for (?P<user>.*))?: (?P<why>[a-z ]+))?$"
)
_PLAIN_FAILURES: Final = tuple(
    r"^auth failed on module [!-~]+ from [^ ]+ \((?P<ip>[^ ()]*)\)" + behind
    for behind in (
        r" for (?P<user>[!-9;-~]+): (?P<why>[a-z ]+)$",
        r": (?P<why>[a-z ]+)$",
        r": missing secret for user \"(?P<secretless>[ !#-~]*)\"$",
        r"$",
    )
)
_FILE: Final = (
    r"^(?P<op>send|recv|del\.) [^ ]+ \[(?P<ip>[^\]]*)\] (?P<module>.+?) \((?P<user>[^ ()]*)\) "
    r"(?P<path>.*) (?P<size>[0-9]{1,20})$"
)
_PLAIN_FILE: Final = (  # a module without blanks and brackets
    r"^(?P<op>[a-z.]{4}) [^ ]+ \[(?P<ip>[^\]]*)\] (?P<module>[!-'*-~]+) \((?P<user>[^ ()]*)\) "
    r"(?P<path>.*) (?P<size>[0-9]{1,20})$"
)
_TOTALS: Final = r"^sent (?P<sent>[0-9,]{1,26}) bytes  received (?P<received>[0-9,]{1,26}) bytes  total size [0-9,]+$"
_PLAIN: Final = (_PLAIN_FILE, *_PLAIN_REQUESTS, *_PLAIN_FAILURES, _TOTALS)
"""They may fit what is none of these, too: what a message starts with tells."""
_ASKS: Final = "^rsync (?:on|to) "
_FAILS: Final = "^auth failed on module "
_OF_A_FILE: Final = r"^(?:send|recv|del\.) [^ ]+ \["
_ACTIONS: Final = {"send": "download", "recv": "upload", "del.": "delete"}
_REASONS: Final = {
    "password mismatch": "bad_credentials",
    "unauthorized user": "invalid_user",
    "no matching rule": "invalid_user",
    "no secret": "invalid_user",
    "denied by rule": "denied",
}
_CUT: Final = "cut off, or not a message of rsyncd"
STARTS: Final = (
    *("rsync on ", "rsync to ", "rsync denied on module ", "rsync allowed access on module ", "auth failed on module "),
    *("connect from ", "unknown module '", "sent ", "building file list", "rsyncd version ", "receiving file list"),
    *("send ", "recv ", "del. ", "rsync error: ", "rsync: ", "max connections (", "name lookup failed for "),
)
"""What messages of the daemon start with."""
_OWN: Final = f"^(?:{'|'.join(map(re.escape, STARTS))})"


@dataclass
class Session:
    """What a process is at: the way the data goes (on: out of here), the path asked for, who."""

    way: str
    path: str
    user: str
    source: str
    has_files: bool = False


@dataclass
class Sessions:
    """Those that are open, by host and process; the one begun longest ago first. Changed in place."""

    known: dict[str, Session] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """As JSON."""
        saved = [[key, one.way, one.path, one.user, one.source, one.has_files] for key, one in self.known.items()]
        return json.dumps({"version": STATE_VERSION, "sessions": saved}).encode()

    @staticmethod
    def from_bytes(blob: bytes) -> Sessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError("saved sessions of rsyncd have another version")
            return Sessions(
                {
                    str(key): Session(str(way), str(path), str(user), str(source), bool(has_files))
                    for key, way, path, user, source, has_files in saved["sessions"]
                }
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"saved sessions of rsyncd cannot be read: {error}") from error


def read_messages(state: Sessions, lines: pl.DataFrame, *, every: bool) -> Parsed:
    """Rows of `lines` (line_index, event_time_us, host, pid, message); `state` is carried on.

    Unless `every` message is the daemon's, those are left that neither start like one nor are of a known session.
    """
    said = _tie(state, _read(lines, every=every))
    totals = pl.col("sent").is_not_null() & pl.col("way").is_not_null() & ~pl.col("has_files")
    logins, files = said.filter(pl.col("outcome").is_not_null()), said.filter(pl.col("op").is_not_null())
    transfers = pl.concat([_files(files), _totals(said.filter(totals))]).sort("line_index")
    login_rows = _logins(logins)
    rows = {LogType.LOGIN: login_rows, LogType.FILE_TRANSFER: transfers}
    begun = pl.col("begins") | (pl.col("sent").is_not_null() & pl.col("has_files").is_not_null())
    part = said.filter(begun.fill_null(False))["line_index"]
    consumed = pl.concat([login_rows["line_index"], transfers["line_index"], part]).unique().sort()
    rejects = said.filter("broken").select("line_index", reason=pl.lit(_CUT))
    ours = pl.col("is_known") | pl.col("is_own")
    taken = pl.concat([consumed, rejects["line_index"]])
    skipped = said.filter(ours)["line_index"]
    skipped = skipped.filter(~skipped.is_in(taken.implode()))
    return Parsed(rows, consumed.to_numpy(), skipped.to_numpy(), rejects)


_ENDED: Final = {
    "row": pl.UInt32,
    "way": pl.String,
    "path": pl.String,
    "of_user": pl.String,
    "of_ip": pl.String,
    "has_files": pl.Boolean,
}


def _read(lines: pl.DataFrame, *, every: bool) -> pl.DataFrame:
    """What each message says, null where it says nothing of that kind."""
    message = lines["message"].fill_null("")
    asks, fails, moves = (message.str.contains(start) for start in (_ASKS, _FAILS, _OF_A_FILE))
    found = plain_cases(message, *_PLAIN)
    for mask, regex in ((asks, _REQUEST), (fails, _FAILED), (moves, _FILE)):
        odd = (mask & found["ip"].is_null()).arg_true()
        if len(odd):
            for column in message.gather(odd).str.extract_groups(regex).struct.unnest():
                found[column.name].scatter(odd, column)  # in place
    fits, user = found["ip"].is_not_null(), found["user"]
    outcome = pl.when(fails & fits).then(pl.lit("failure")).when(asks & user.is_not_null()).then(pl.lit("success"))
    return lines.select("line_index", "event_time_us", "host", "pid").with_columns(
        begins=asks & fits,
        on=keep_where(asks, found["way"]),
        request=found["request"],
        user=pl.coalesce(found["secretless"], pl.when(~moves | (user != "")).then(user)),
        src_ip=ip_address(found["ip"]).values,
        outcome=outcome,
        secretless=found["secretless"],
        why=found["why"],
        op=keep_where(moves, found["op"]),
        file=found["module"] + "/" + found["path"],
        size=count(found["size"]).values,
        sent=_counted(found["sent"]),
        received=_counted(found["received"]),
        is_own=pl.repeat(True, len(message), eager=True) if every else message.str.contains(_OWN),
        broken=(asks | fails | moves) & ~fits,
    )


def _counted(numbers: pl.Series) -> pl.Series:
    return count(numbers.str.replace_all(",", "", literal=True)).values


def _tie(state: Sessions, said: pl.DataFrame) -> pl.DataFrame:
    """`said` with what is known of the session that a message ends, and whether one of another's words has one."""
    known = state.known
    key = pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), "pid")
    keyed = said.with_columns(key=key).with_row_index("row")
    is_file = pl.col("op").is_not_null()
    goes_on = is_file & is_file.shift(1, fill_value=False) & (pl.col("key") == pl.col("key").shift(1)).fill_null(False)
    counts = pl.col("on").is_not_null() | pl.col("sent").is_not_null() | (is_file & ~goes_on)
    counts |= ~pl.col("is_own")
    events = keyed.filter(counts & pl.col("key").is_not_null())
    ended: list[tuple[int, str, str, str | None, str | None, bool]] = []
    stray: list[int] = []
    names = ("row", "key", "on", "request", "user", "src_ip", "op", "sent")
    wanted = (events[name].to_list() for name in names)
    for row, of, way, request, user, source, op, sent in zip(*wanted, strict=True):
        if way is not None:
            known.pop(of, None)
            known[of] = Session(way, request[:_MAX_TEXT], (user or "")[:_MAX_TEXT], source or "")
            if len(known) > MAX_SESSIONS:
                del known[next(iter(known))]
            continue
        session = known.get(of)
        if session is None:
            continue
        if op is not None:
            session.has_files = True
        elif sent is not None:
            ended.append(
                (row, session.way, session.path, session.user or None, session.source or None, session.has_files)
            )
            del known[of]
        else:
            stray.append(row)
    told = pl.DataFrame(ended, schema=_ENDED, orient="row")
    tied = keyed.join(told, on="row", how="left", maintain_order="left")
    return tied.with_columns(is_known=pl.col("row").is_in(pl.Series(stray, dtype=pl.UInt32).implode()))


def _logins(said: pl.DataFrame) -> pl.DataFrame:
    words = pl.col("why").str.replace_all(" ", "_", literal=True)
    reason = pl.col("why").replace_strict(_REASONS, default=words)
    return said.select(
        *_common(),
        "user",
        "src_ip",
        pl.col("outcome").cast(OUTCOME),
        pl.when(pl.col("secretless").is_not_null()).then(pl.lit("invalid_user")).otherwise(reason).alias("reason"),
        pl.lit("password").alias("auth_method"),
        pl.lit(1, pl.Int32).alias("count"),
    )


def _files(said: pl.DataFrame) -> pl.DataFrame:
    return said.select(
        *_common(),
        "user",
        "src_ip",
        pl.col("file").alias("path"),
        pl.when(pl.col("op") != "del.").then("size").alias("bytes"),
        pl.col("op").replace_strict(_ACTIONS, return_dtype=FILE_ACTION).alias("action"),
        *_moved(),
    )


def _totals(said: pl.DataFrame) -> pl.DataFrame:
    out = pl.col("way") == "on"
    return said.select(
        *_common(),
        pl.col("of_user").alias("user"),
        pl.col("of_ip").alias("src_ip"),
        "path",
        pl.when(out).then("sent").otherwise("received").alias("bytes"),
        pl.when(out).then(pl.lit("download")).otherwise(pl.lit("upload")).cast(FILE_ACTION).alias("action"),
        *_moved(),
    )


def _common() -> tuple[pl.Expr, ...]:
    return (
        pl.col("line_index"),
        pl.col("event_time_us"),
        pl.col("host"),
        pl.lit(SERVICE).alias("service"),
        pl.col("pid").cast(pl.String).alias("session_id"),
    )


def _moved() -> tuple[pl.Expr, ...]:
    return pl.lit("rsync").alias("protocol"), pl.lit("success").cast(OUTCOME).alias("outcome")
