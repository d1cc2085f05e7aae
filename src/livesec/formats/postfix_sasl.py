"""Logins to Postfix's SMTP server (SASL), through syslog or the journal.

    postfix/smtpd[5]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=ann
    postfix/submission/smtpd[5]: 4XyZ1k0b: client=mx.example.org[192.0.2.1], sasl_method=PLAIN, sasl_username=ann

Read: failed and aborted SASL authentications, one failure each; the first message that a session sends as a user, one
success, however many it sends. An authentication that failed because Postfix could not ask its authentication server,
was aborted, or named a mechanism that is not offered is an attempt, with the reason auth_unavailable, aborted or
unknown_mechanism.
Skipped: all else that smtpd says. That includes `lost connection after AUTH` and `too many errors after AUTH`: the
tries before them have lines of their own.
Not read: a login that sends no message, which Postfix logs nowhere; the user of a failed login before Postfix 3.5 or
where the mechanism gives none. The services of several instances (postfix-out/smtpd) and of master.cf's names
(postfix/submission/smtpd, postfix/smtps/smtpd) are all read.

The client's host name is its own choice and not read; Postfix admits no brackets in it. The name of the user stands
last in the line and may hold anything.
"""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from livesec.core.batch import Parsed, StreamInfo, left_over, no_rejects
from livesec.core.hashing import text_keys
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.plain_regex import groups
from livesec.formats.recent_sessions import RecentSessions, Session, SessionFormat
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import ip_address

_PROGRAM: Final = re.compile(r"^postfix[A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.:-]+)*/smtpd$")
_CLIENT: Final = r"[^\s\[\]]+\[(?P<src_ip>[0-9A-Fa-f.:]+)\](?::(?P<src_port>[0-9]{1,5}))?"
_FAILED: Final = (
    rf"^warning: {_CLIENT}: SASL (?P<auth_method>\S+) authentication (?P<how>failed|aborted)(?:: ?(?P<why>.*))?$"
)
# Clients that are no hostile text, a reason without commas and equal signs: the user's name begins in one place.
_PLAIN_CLIENT: Final = r"[!-Z^-~]+\[(?P<src_ip>[0-9A-Fa-f.:]+)\]"
_PLAIN_FAILED: Final = tuple(
    rf"^warning: {_PLAIN_CLIENT}: SASL (?P<auth_method>[!-~]+) authentication (?P<how>failed){behind}$"
    for behind in (
        ": ?(?P<why>[ -+\\--<>-~]*), sasl_username=(?P<user>.*)",
        ": ?(?P<why>[ -+\\--<>-~]*)",
        "",
    )
)
_USER_LAST: Final = r"^(?s:.*?)(?:^|, )sasl_username=(.*)$"
_SENT: Final = (
    rf"^[0-9A-Za-z]+: client={_CLIENT}, sasl_method=(?P<auth_method>[^\s,]+), sasl_username=(?P<user>.*?)"
    r"(?:, sasl_sender=.*|, orig_(?:queue_id|client)=.*)?$"
)
_PLAIN_SENT: Final = (
    rf"^[0-9A-Za-z]+: client={_PLAIN_CLIENT}, sasl_method=(?P<auth_method>[!-+\--~]+), "
    r"sasl_username=(?P<user>[ -+\--~]*)$"
)
_UNAVAILABLE: Final = (
    r"(?i)^(?:connection lost to authentication server|temporary authentication failure|generic failure)"
)
_NO_MECHANISM: Final = r"(?i)^(?:invalid authentication mechanism|no mechanism available)"
_BROKEN: Final = "an SASL message of smtpd that ends early or names no address"
_PAUSE_US: Final = 3_600_000_000
"""A process that is silent for an hour serves another session; smtpd ends one after 5 minutes (smtpd_timeout)."""
_COLUMNS: Final = ("line_index", "src_ip", "src_port", "auth_method", "user", "outcome", "reason")


class PostfixSasl(SessionFormat):
    """SASL logins to smtpd. The state is which user each process has told of."""

    name = "postfix_sasl"
    title = "Postfix SMTP logins (SASL) through syslog or the journal"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("postfix/smtpd", "postfix/submission/smtpd", "postfix/smtps/smtpd")
    order = 30
    pause_us = _PAUSE_US

    def owns(self, program: str) -> bool:
        """Smtpd under the names that Postfix's instances and services give it."""
        return program.endswith("/smtpd") and _PROGRAM.match(program) is not None

    def parse(self, state: RecentSessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[RecentSessions, Parsed]:
        """Take all of `lines`; what is no login is skipped."""
        message = lines["message"].fill_null("")
        in_session = lines.with_columns(
            session_id=pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), pl.col("pid").cast(pl.String))
        )
        failing = message.str.starts_with("warning: ") & message.str.contains(": SASL ", literal=True)
        sending = ~failing & message.str.contains(", sasl_username=", literal=True)
        sending &= message.str.contains(": client=", literal=True)
        edges = message.str.starts_with("connect from ") | message.str.starts_with("disconnect from ")
        told = pl.concat([_failures(in_session.filter(failing)), _messages(in_session.filter(sending))])
        told = told.sort("line_index").join(
            in_session.select("line_index", "event_time_us", "host", "program", "session_id"),
            on="line_index",
            how="left",
            maintain_order="left",
        )
        broken = told["src_ip"].is_null()
        rejects = told.filter(broken).select("line_index", reason=pl.lit(_BROKEN))
        told = told.filter(~broken)
        repeats = _repeats(state, told, in_session.filter(edges).select("line_index", "event_time_us", "session_id"))
        rows = told.filter(~told["line_index"].is_in(repeats)).select(
            *_COLUMNS,
            "event_time_us",
            "host",
            "session_id",
            pl.col("program").alias("service"),
            pl.lit(1, pl.Int32).alias("count"),
        )
        consumed = told["line_index"].to_numpy()
        skipped = left_over(lines["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
        rejects = rejects if rejects.height else no_rejects()
        return state, Parsed({LogType.LOGIN: rows}, consumed, skipped, rejects)


FORMAT = PostfixSasl()


def _typed(found: pl.DataFrame) -> pl.DataFrame:
    """`found` with its address and port as the schema has them."""
    port = found["src_port"].cast(pl.Int32, strict=False)
    return found.with_columns(
        ip_address(found["src_ip"]).values.alias("src_ip"),
        keep_where(port.is_between(0, 65_535), port).alias("src_port"),
    ).select(_COLUMNS)


def _failures(lines: pl.DataFrame) -> pl.DataFrame:
    found = pl.DataFrame({"line_index": lines["line_index"], **groups(lines["message"], _FAILED, *_PLAIN_FAILED)})
    why = pl.col("why").fill_null("")
    reason = (
        pl.when(pl.col("how") == "aborted")
        .then(pl.lit("aborted"))
        .when(why.str.contains(_UNAVAILABLE))
        .then(pl.lit("auth_unavailable"))
        .when(why.str.contains(_NO_MECHANISM))
        .then(pl.lit("unknown_mechanism"))
        .otherwise(pl.lit("bad_credentials"))
    )
    told = found["why"].str.contains("sasl_username=", literal=True)  # not where the plain expressions found it
    user = pl.coalesce("user", keep_where(told, found["why"]).str.extract(_USER_LAST))
    found = found.with_columns(reason=reason, user=pl.when(user != "").then(user), auth_method=_method())
    outcome = pl.when(pl.col("reason") == "bad_credentials").then(pl.lit("failure")).otherwise(pl.lit("attempt"))
    return _typed(found.with_columns(outcome=outcome.cast(OUTCOME)))


def _messages(lines: pl.DataFrame) -> pl.DataFrame:
    found = pl.DataFrame({"line_index": lines["line_index"], **groups(lines["message"], _SENT, _PLAIN_SENT)})
    outcome = pl.lit("success").cast(OUTCOME)
    reason = pl.lit(None, pl.String)
    user = pl.when(pl.col("user") != "").then("user")
    return _typed(found.with_columns(outcome=outcome, reason=reason, user=user, auth_method=_method()))


def _method() -> pl.Expr:
    return pl.col("auth_method").str.to_lowercase()


def _repeats(recent: RecentSessions, told: pl.DataFrame, edges: pl.DataFrame) -> list[int]:
    """line_index of the messages of users that their session told of; `edges` are where sessions begin and end."""
    sent = told.filter(pl.col("outcome") == "success", pl.col("session_id").is_not_null())
    who = pl.concat_str("src_ip", pl.lit(" "), pl.col("user").fill_null(""))
    marks = pl.concat(
        [
            sent.select("line_index", "event_time_us", "session_id", who=who),
            edges.filter(pl.col("session_id").is_not_null()).with_columns(who=pl.lit(None, pl.String)),
        ]
    ).sort("line_index")
    repeats = []
    keys, names = text_keys(marks["session_id"]).tolist(), text_keys(marks["who"]).tolist()
    lines, times_us = marks["line_index"].to_list(), marks["event_time_us"].to_list()
    for line, time_us, key, name in zip(lines, times_us, keys, names, strict=True):
        if name == 0:
            recent.forget(key)
            continue
        known = recent.get(key, time_us)
        if known is not None and known.told == name:
            repeats.append(line)
        recent.put(key, Session(time_us, name))
    return repeats
