"""Logins in the Linux audit log (/var/log/audit/audit.log), also as audispd's syslog plugin sends it.

    type=USER_LOGIN msg=audit(1772409600.123:456): pid=7 uid=0 auid=1000 ses=3 msg='op=login id=1000
    exe="/usr/sbin/sshd" hostname=192.0.2.1 addr=192.0.2.1 terminal=ssh res=success'          (one line)

Read: USER_LOGIN, and USER_AUTH that failed. One login gives several records; those of one process are tied, so that a
try counts once: a failed USER_AUTH of PAM is a row and the records of the same try that follow (sshd's own USER_AUTH,
USER_LOGIN) are parts, as is USER_AUTH of a login that succeeds, which gives USER_LOGIN its user where that has only a
number. Keys that a client offers in vain (op=pubkey, op=key) are parts. session_id is the number of the audit event.
Names in hexadecimal are decoded; enriched records (AUID="..." behind) and `node=` are understood.
Skipped: all other records, and USER_AUTH of programs that change users or check passwords within a session (su, sudo,
cron, pkexec, unix_chkpwd, passwd).
Not read: what the kernel itself prints (`audit: type=1112 audit(...)`), the records before RHEL 5's layout, a login to
a program that writes no USER_LOGIN when it succeeds (most mail and FTP servers); host names (`hostname=`), which are
chosen by whoever owns the address.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.hashing import text_keys
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.plain_regex import groups, plain_cases
from livesec.formats.recent_sessions import TOLD_BITS, RecentSessions, SessionFormat, Step
from livesec.formats.text_times import epoch_us, keep_where
from livesec.formats.typed_fields import ip_address

_HEAD: Final = (
    r"^(?:node=(?P<host>\S+) )?type=(?P<type>[A-Z0-9_]+|UNKNOWN\[[0-9]+\]) "
    r"msg=audit\((?P<time>[0-9]{1,12}\.[0-9]{1,6}):(?P<event>[0-9]{1,20})\): ?(?P<rest>.*)$"
)
_PLAIN_HEADS: Final = tuple(
    rf"^{node}type=(?P<type>[A-Z0-9_]+) "
    r"msg=audit\((?P<time>[0-9]{1,12}\.[0-9]{1,6}):(?P<event>[0-9]{1,20})\): (?P<rest>.*)$"
    for node in ("", "node=(?P<host>[!-~]+) ")
)
_OWN_HEAD: Final = r"^(?:node=\S+ )?type=\S* msg=audit\("
_TOLD: Final = ("USER_LOGIN", "USER_AUTH")
_BODY: Final = r"^(?:user )?pid=(?P<pid>[0-9]{1,10}) [^']*msg='(?P<said>[^']*)'(?P<behind>[^']*)$"
_PLAIN_BODIES: Final = tuple(
    rf"^{user}pid=(?P<pid>[0-9]{{1,10}}) [^']*msg='(?P<said>[^']*)'(?P<behind>[^']*)$" for user in ("", "user ")
)
# A record as sshd and login write it: no value in it could pass for another.
_END_SAID: Final = (
    r'exe="[^" =]*/(?P<exe>[^"/ =]+)" hostname=[^ =,)"]* addr=(?P<addr>[0-9A-Fa-f.:?]+) terminal=[^ =,)"]* '
    r"res=(?P<result>[a-z]+)$"
)
_PLAIN_SAID: Final = tuple(
    r"^op=(?P<op>[A-Za-z_:-]+) " + whose + _END_SAID
    for whose in (
        'grantors=[A-Za-z0-9_,?-]* acct="(?P<account>[^" =]*)" ',
        'acct="(?P<account>[^" =]*)" ',
        "id=[0-9]+ ",
        "grantors=[A-Za-z0-9_,?-]* acct=(?P<code>[0-9A-F]{2,1024}) ",
        "acct=(?P<code>[0-9A-F]{2,1024}) ",
    )
)
_RESULTS: Final = ("success", "failed", "yes", "no")
_RESULT: Final = r"\bres(?:ult)?=(success|failed|Success|Failed|yes|no|1|0)\)?$"
_ACCOUNT: Final = r'\bacct="([^"]*)"'
_HEX_ACCOUNT: Final = r"\bacct=((?:[0-9A-F]{2}){1,512})(?: |$)"
_NAMED_ID: Final = r'(?:^|[\s\x1d])ID="([^"]+)"'
_UNKNOWN: Final = ("", "?", "(unknown)", "(unknown user)", "(invalid user)", "unset", "UNKNOWN_USER")
_NO_LOGINS: Final = ("su", "sudo", "pkexec", "polkit-agent-helper-1", "cron", "crond", "unix_chkpwd", "passwd", "chage")
_PAUSE_US: Final = 600_000_000  # sshd ends a session without a login after 2 minutes (LoginGraceTime)
_NO_HEAD: Final = "an audit record without a type, time and number"
_NO_BODY: Final = "an audit record of a login without pid, message or result"

_KEY_FAILED, _PAM_FAILED, _AUTH_FAILED, _LOGIN_FAILED, _AUTHENTICATED, _LOGGED_IN = range(6)
# What a process has told: a failed try of PAM, a failed try that PAM has yet to tell of, a failed try of its own.
_BY_PAM, _OPEN, _BY_ITSELF = 1, 2, 4


class Auditd(SessionFormat):
    """Records of logins. The state is the processes whose records are tied together."""

    name = "auditd"
    title = "Linux audit log (auditd)"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    order = 30
    pause_us = _PAUSE_US

    def parse(self, state: RecentSessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[RecentSessions, Parsed]:
        """Take audit records; all but those of logins are skipped."""
        begun = lines["line"].str.contains(_OWN_HEAD)
        if not begun.any():
            return state, NOTHING_PARSED
        own = lines if begun.all() else lines.filter(begun)
        # Records of other types, the many, are looked at no further.
        may = own["line"].str.contains("type=USER_(?:LOGIN|AUTH) ")
        others = own.filter(~may)
        whole = others["line"].str.contains(r"msg=audit\([0-9]{1,12}\.[0-9]{1,6}:[0-9]{1,20}\):")
        headless = others.filter(~whole).select("line_index", reason=pl.lit(_NO_HEAD))
        records, broken = _records(own.filter(may))
        rows, parts = _told_once(state, records)
        consumed = np.sort(np.concatenate([rows["line_index"].to_numpy(), np.asarray(parts, dtype=np.uint32)]))
        rejects = pl.concat([headless, broken]).sort("line_index")
        skipped = left_over(own["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
        return state, Parsed({LogType.LOGIN: rows}, consumed, skipped, rejects)


FORMAT = Auditd()


def _decoded(texts: pl.Series) -> pl.Series:
    """Names in hexadecimal as text; bytes that are not UTF-8 become U+FFFD."""
    codes = texts.drop_nulls().unique()
    if codes.len() == 0:
        return texts
    names = [bytes.fromhex(code).split(b"\0")[0].decode("utf-8", errors="replace") for code in codes]
    return texts.replace_strict(codes, pl.Series(names, dtype=pl.String), default=None, return_dtype=pl.String)


def _records(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the records of logins say, and the rejects among `lines`."""
    head = pl.DataFrame({"line_index": lines["line_index"], **groups(lines["line"], _HEAD, *_PLAIN_HEADS)})
    head = head.with_columns(event_time_us=epoch_us(head["time"]))
    timed = head["event_time_us"].is_not_null()
    broken = head.filter(~timed).select("line_index", reason=pl.lit(_NO_HEAD))
    head = head.filter(timed & head["type"].is_in(_TOLD).fill_null(False))
    body = groups(head["rest"], _BODY, *_PLAIN_BODIES)
    said = _said(body["said"])
    records = head.select("line_index", "type", "host", "event", "event_time_us").with_columns(
        body["pid"],
        *said.select("result", "account", "op", service="exe"),
        ip_address(said["addr"]).values.alias("src_ip"),
    )
    records = records.with_columns(
        named_id=body["behind"].str.extract(_NAMED_ID),
        succeeded=pl.col("result").is_in(["success", "yes", "1"]),
    )
    bodiless = records["result"].is_null()
    broken = pl.concat([broken, records.filter(bodiless).select("line_index", reason=pl.lit(_NO_BODY))])
    return records.filter(~bodiless & ~records["service"].is_in(_NO_LOGINS).fill_null(False)), broken


def _said(texts: pl.Series) -> pl.DataFrame:
    """Texts by name: exe, addr, result (in small letters), op and account; null where a record does not say."""
    cases = plain_cases(texts, *_PLAIN_SAID)
    code = cases.pop("code")
    if code.null_count() < len(code):
        decoded = _decoded(keep_where(code.str.len_bytes() % 2 == 0, code))
        cases["account"] = cases["account"].zip_with(code.is_null(), decoded)
    said = pl.DataFrame(cases)
    result = said["result"]
    odd = ~result.is_in(_RESULTS).fill_null(False)
    if not odd.any():
        return said
    places = odd.arg_true()
    others = texts.gather(places).str.strip_chars_end()
    named = others.str.extract(_ACCOUNT)
    read = {
        "exe": others.str.extract(r'\bexe="(?:[^"]*/)?([^"/]+)"'),
        "addr": others.str.extract(r"\baddr=([^\s,)]+)"),
        "result": others.str.extract(_RESULT).str.to_lowercase(),
        "op": others.str.extract(r"\bop=(\S+)|^(PAM)", 1).fill_null("PAM"),
        "account": named.zip_with(named.is_not_null(), _decoded(others.str.extract(_HEX_ACCOUNT))),
    }
    return pl.DataFrame([said[name].scatter(places, column) for name, column in read.items()])


def _told_once(state: RecentSessions, records: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
    """Login rows of `records`, each try once, and the lines that are parts of one."""
    login = pl.col("type") == "USER_LOGIN"
    kind = (
        pl.when(login & pl.col("succeeded"))
        .then(_LOGGED_IN)
        .when(login)
        .then(_LOGIN_FAILED)
        .when("succeeded")
        .then(_AUTHENTICATED)
        .when(pl.col("op").str.starts_with("PAM"))
        .then(_PAM_FAILED)
        .when(pl.col("op").str.contains("key"))
        .then(_KEY_FAILED)
        .otherwise(_AUTH_FAILED)
    )
    known = pl.when(~pl.col("account").is_in(_UNKNOWN)).then("account")
    records = records.with_columns(kind=kind, user=pl.coalesce(known, "named_id"))
    keys = text_keys(records.select(pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), "pid")).to_series())
    times_us, kinds, named = (records[name].to_list() for name in ("event_time_us", "kind", "user"))
    followed = state.follow(keys.tolist(), times_us, kinds, named, _STEPS)
    of_process = pl.Series("user", followed.users, dtype=pl.String)
    records = records.with_columns(pl.coalesce("user", pl.when(pl.col("kind") == _LOGGED_IN).then(of_process)))
    of_row = pl.Series(followed.rows, dtype=pl.Boolean)
    outcome = pl.when("succeeded").then(pl.lit("success")).otherwise(pl.lit("failure"))
    reason = pl.when(pl.col("user").is_null()).then(pl.lit("invalid_user")).otherwise(pl.lit("bad_credentials"))
    given = records.filter(of_row).select(
        "line_index",
        "event_time_us",
        "host",
        "service",
        pl.col("event").alias("session_id"),
        "user",
        "src_ip",
        outcome.cast(OUTCOME).alias("outcome"),
        pl.when(~pl.col("succeeded")).then(reason).alias("reason"),
        pl.when(pl.col("op") == "password").then(pl.lit("password")).alias("auth_method"),
        pl.lit(1, pl.Int32).alias("count"),
    )
    return given, records["line_index"].filter(~of_row).to_list()


def _follow(kind: int, told: int) -> tuple[bool, int]:
    """Whether a record of `kind` is a row, and what its process has told after it."""
    if kind == _LOGGED_IN:
        return True, 0
    if kind in (_KEY_FAILED, _AUTHENTICATED):
        return False, told
    if kind == _PAM_FAILED:
        return not told & _OPEN, told & ~_OPEN | _BY_PAM
    if told & _BY_PAM or (kind == _LOGIN_FAILED and told & _BY_ITSELF):
        return False, told
    return True, told | _OPEN | (_BY_ITSELF if kind == _AUTH_FAILED else 0)


_STEPS: Final = tuple(
    Step(*_follow(kind, told), goes_on=kind != _LOGGED_IN, names=True)
    for kind in range(_LOGGED_IN + 1)
    for told in range(1 << TOLD_BITS)
)
