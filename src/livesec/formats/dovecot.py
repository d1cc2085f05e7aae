"""Logins to Dovecot 2.0 to 2.4 (IMAP, POP3, ManageSieve, submission), through syslog, the journal or its own log file.

    Mar  2 10:00:00 mx dovecot: imap-login: Login: user=<ann>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.9, session=<x>
    Mar 02 10:00:00 imap-login: Info: Disconnected: Inactivity (auth failed, 3 attempts in 9 secs): user=<ann>, ...

Read: Login and Logged in as successes; ends of a connection with `auth failed, N attempts` as one row that counts N
failures (of the last name tried, the only one the line has); ends without a finished try as attempts, with the reason
no_auth_attempts, plaintext_refused, no_client_cert, unfinished (the client gave up during authentication), not_ready
(it left before authentication was ready), auth_unavailable or aborted.
The lines of auth and auth-worker about a login that fails, and those of PAM, are parts: the end of the connection tells
of the same tries.
Skipped: all else that Dovecot says.
Not read: tries that failed before one in the same connection succeeded, which Dovecot does not count; its own log file
with a log_timestamp other than the default; logins that Dovecot checks for Postfix or Exim, which log them themselves.

A name may imitate the log. Dovecot writes it between `user=<` and `>, method=` or `>, rip=`: the name ends at the last
place where that is possible, for nothing behind it is the client's choice.
"""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import ip_address

_PROCESS: Final = re.compile(
    r"^(?:(?:imap|pop3|managesieve|submission)-login|auth(?:-worker)?(?:\([^)]*\))?|anvil|config|dict|doveadm|indexer"
    r"|indexer-worker|lmtp|master|stats|(?:imap|pop3|lmtp|managesieve|submission|lda|indexer-worker)\(.*)$"
)
"""Whose messages stand alone in its own log file, some with user, session or parent: `imap(ann)<1><x>`."""
_OWN_FILE: Final = r"^(?:Debug|Info|Warning|Error|Fatal|Panic): "
_AUTH: Final = r"^(?:dovecot: )?auth(?:-worker)?(?:\([^)]*\))?: |^pam_unix\(dovecot:auth\)"
_AUTH_FAILED: Final = (
    r"(?i)pam_authenticate\(\) failed|password mismatch|unknown user|authentication failure|invalid credentials"
    r"|check pass; user unknown|user not known|no such user"
)
_LEVEL: Final = r"^(?:Info|Warning|Error): "
_BARE: Final = r"^(?P<what>[^<>]*?): (?P<fields>(?:method=[^\s,]+, )?rip=.*)$"
_LAST: Final = r"^(?P<name>.*)>, (?P<fields>(?:method=[^\s,]+, )?rip=.*)$"
_ATTEMPTS: Final = r"\(auth failed, ([0-9]{1,9}) attempts"
_REASONS: Final = (
    ("no auth attempts", "no_auth_attempts"),
    ("plaintext auth", "plaintext_refused"),
    ("cleartext auth", "plaintext_refused"),
    ("cert", "no_client_cert"),
    ("didn't finish", "unfinished"),
    ("while authenticating", "unfinished"),
    ("before auth was ready", "not_ready"),
    ("unsupported auth mechanism", "unknown_mechanism"),
    ("auth process", "auth_unavailable"),
    ("internal failure", "auth_unavailable"),
)
_SUCCESSES: Final = ("Login", "Logged in")
_ENDS: Final = ("Disconnected", "Aborted login", "Login aborted", "Remote closed connection", "Connection closed")
_MAX_COUNT: Final = 1_000_000
_NO_ADDRESS: Final = "a login message of Dovecot that ends early or has no address as rip"
_MANY: Final = "more attempts in one connection than can be"


class Dovecot(StatelessFormat):
    """Messages of the login processes."""

    name = "dovecot"
    title = "Dovecot through syslog, the journal or its own log file"
    log_types = (LogType.LOGIN,)
    shape = Shape.SYSLOG
    journal_programs = ("dovecot",)
    order = 30

    def owns(self, program: str) -> bool:
        """Dovecot under syslog, and its processes in its own file."""
        return program in {"dovecot", "dovecot-auth"} or _PROCESS.match(program) is not None

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take what Dovecot says; what is no login is skipped."""
        message = lines["message"].fill_null("")
        syslog = lines["program"].is_in(["dovecot", "dovecot-auth"]).fill_null(False)
        if not syslog.all():
            pam = message.str.starts_with("pam_unix(dovecot:auth)")
            own = syslog | pam | (lines["host"].is_null() & message.str.contains(_OWN_FILE))
            if not own.any():
                return NOTHING_PARSED
            lines, message, syslog = lines.filter(own), message.filter(own), syslog.filter(own)
            whole = pl.Series(lines["program"] + ": " + message)
            message = message.zip_with(syslog | pam.filter(own), whole)
        of_login = message.str.contains("-login: ", literal=True) & message.str.contains("(?:: user=<|rip=)")
        found = _read(lines, message, of_login)
        rejects = found.filter(pl.col("problem").is_not_null()).select("line_index", reason="problem")
        rows = found.filter(pl.col("problem").is_null()).drop("problem")
        others = lines.with_columns(message=message).filter(~of_login)
        parts = others.filter(
            (pl.col("message").str.contains(_AUTH) | (pl.col("program") == "dovecot-auth"))
            & pl.col("message").str.contains(_AUTH_FAILED)
        )["line_index"]
        consumed = np.sort(np.concatenate([rows["line_index"].to_numpy(), parts.to_numpy()]))
        skipped = left_over(lines["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
        return Parsed({LogType.LOGIN: rows}, consumed, skipped, rejects)


FORMAT = Dovecot()


def _read(lines: pl.DataFrame, message: pl.Series, of_login: pl.Series) -> pl.DataFrame:
    """Login rows of the messages `of_login`, and the problem of those that cannot be used; others are left out."""
    told = lines.filter(of_login).select("line_index", "event_time_us", "host")
    process, text = _halves(message.filter(of_login), "-login: ")
    what, rest = _halves(text, ": user=<")
    bare = rest.is_null()  # the name is left out where there is none
    if bare.any():
        found = keep_where(bare, text).str.extract_groups(_BARE).struct.unnest()
        what = what.zip_with(~bare, found["what"])
        rest = rest.zip_with(~bare, pl.Series(">, " + found["fields"]))
    told = told.with_columns(
        what=what.str.replace(_LEVEL, ""), rest=rest, process=process.str.strip_prefix("dovecot: ")
    )
    told = told.join(_meanings(told["what"].unique()), on="what", how="inner", maintain_order="left")
    user, fields = _named(told["rest"])
    parts = fields.str.split_exact(", ", 2).struct.rename_fields(["first", "second", "third"]).struct.unnest()
    has_method = parts["first"].str.starts_with("method=").fill_null(False)
    rip = parts["second"].zip_with(has_method, parts["first"])
    told = told.with_columns(
        src_ip=ip_address(keep_where(rip.str.starts_with("rip="), rip.str.strip_prefix("rip="))).values,
        auth_method=keep_where(has_method, parts["first"]).str.strip_prefix("method=").str.to_lowercase(),
        session_id=_halves(fields, ", session=<")[1].str.strip_suffix(">"),
        user=user,
    )
    many = pl.col("count") > _MAX_COUNT
    return told.select(
        "line_index",
        "event_time_us",
        "host",
        (pl.col("process") + "-login").alias("service"),
        *(pl.when(pl.col(name) != "").then(name).alias(name) for name in ("session_id", "user", "auth_method")),
        "src_ip",
        "outcome",
        "reason",
        pl.col("count").clip(1, _MAX_COUNT).cast(pl.Int32),
        pl.when(pl.col("src_ip").is_null()).then(pl.lit(_NO_ADDRESS)).when(many).then(pl.lit(_MANY)).alias("problem"),
    )


def _halves(texts: pl.Series, mark: str) -> tuple[pl.Series, pl.Series]:
    """The texts before and behind the first `mark`; behind it null where there is none."""
    halves = texts.str.splitn(mark, 2).struct.unnest()
    return halves.to_series(0), halves.to_series(1)


def _named(rest: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The name and the fields in `name>, method=..., rip=...`, cut at the last place where that is possible."""
    name, fields = _halves(rest, ">, ")
    again = fields.str.contains(">, ", literal=True).fill_null(False)
    if again.any():
        last = keep_where(again, rest).str.extract_groups(_LAST).struct.unnest()
        name = name.zip_with(~again, last["name"])
        fields = fields.zip_with(~again, last["fields"])
    return name, fields


def _meanings(what: pl.Series) -> pl.DataFrame:
    """What the distinct texts before the fields mean: outcome, reason, count; those that mean nothing are left out."""
    succeeded = pl.col("what").is_in(_SUCCESSES)
    ended = pl.any_horizontal(pl.col("what").str.starts_with(word) for word in _ENDS)
    failed = pl.col("what").str.extract(_ATTEMPTS).cast(pl.Int64).fill_null(0)
    attempted = pl.coalesce(
        *(pl.when(pl.col("what").str.contains(sign, literal=True)).then(pl.lit(reason)) for sign, reason in _REASONS),
        pl.lit("aborted"),
    )
    outcome = pl.when(succeeded).then(pl.lit("success")).when(failed > 0).then(pl.lit("failure"))
    reason = pl.when(succeeded).then(None).when(failed > 0).then(pl.lit("bad_credentials")).otherwise(attempted)
    return (
        pl.DataFrame({"what": what})
        .filter(succeeded | ended)
        .with_columns(
            outcome=outcome.otherwise(pl.lit("attempt")).cast(OUTCOME),
            reason=reason,
            count=pl.when(failed > 0).then(failed).otherwise(1),
        )
    )
