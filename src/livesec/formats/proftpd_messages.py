"""What ProFTPD says about logins, through syslog or in its own log: see proftpd and proftpd_log."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import Parsed, left_over
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.plain_regex import plain_cases, plain_groups
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import ip_address

SERVICE: Final = "proftpd"
_SESSION: Final = r"^[^ ]* \([^ \[\]()]*\[(?P<ip>[^\]]*)\]\) - (?P<said>.*)$"
_OLD_SESSION: Final = r"^[^ ]* \([^ \[\]()]*\[(?P<ip>[^\]]*)\]\): (?P<said>.*)$"
# Each ends as the program ends it: what a user name holds cannot stand behind its end.
_VERBS: Final = ("USER", "ANON")
_FROM_TO: Final = r" from [^ ]+ \[[^ \]]+\] to [^ ]+ *$"
_UNKNOWN: Final = tuple(
    rf"^USER (?P<unknown>.*): {why}{_FROM_TO}" for why in ("no such user found", "user is not a UserAlias")
)
_FAILED: Final = tuple(
    rf"^{verb} (?P<failed>.*) \(Login failed\): (?P<why>{why})$"
    for why in ("[A-Za-z' ,.]*", "Invalid shell: '[^' ]*'", "User in [^ ]+")
    for verb in _VERBS
)
_DENIED: Final = tuple(
    rf"^{verb} (?P<denied>.*): {rule} denies login\.?$"
    for verb in _VERBS
    for rule in ("Limit access", "AnonRejectPasswords")
)
_SUCCESS: Final = tuple(rf"^{verb} (?P<user>.*): Login successful\.?$" for verb in _VERBS)
_TELLING: Final = r"^(?:USER|ANON) .*(?:[Ll]ogin|no such user|UserAlias|denies)"
_ANONYMOUS: Final = "ANON "
_ROOT: Final = r"(?i)^SECURITY VIOLATION: root login attempted"
_REASONS: Final = {
    "incorrect password": "bad_credentials",
    "insufficient credentials": "bad_credentials",
    "no such user found": "invalid_user",
    "password expired": "password_expired",
    "new authentication token required": "password_expired",
    "account disabled": "disabled",
    "max authentication service attempts reached": "too_many_failures",
    "unavailable credentials": "server_error",
    "failure setting credentials": "server_error",
    "unavailable authentication service": "server_error",
    "failed initializing authentication service": "server_error",
}
_OTHER_REASON: Final = "not_allowed"
_CUT: Final = "a message about a login that is cut off or not of a known form"
_NO_ADDRESS: Final = "the client in brackets is no address"


def read_messages(messages: pl.DataFrame) -> Parsed:
    """Login rows of `messages`: line_index, event_time_us, host, pid (Int64), message; all are taken."""
    session = plain_groups(messages["message"], _SESSION)
    if session["said"].null_count():
        old = plain_groups(messages["message"], _OLD_SESSION)
        session = {name: found.zip_with(found.is_not_null(), old[name]) for name, found in session.items()}
    said = session["said"]
    told = pl.DataFrame(
        [
            messages["line_index"],
            *plain_cases(_where(said, " to "), *_UNKNOWN).values(),
            *plain_cases(_where(said, " (Login failed): "), *_FAILED).values(),
            *plain_cases(_where(said, " denies login"), *_DENIED).values(),
            *plain_cases(_where(said, ": Login successful"), *_SUCCESS).values(),
            said.str.starts_with(_ANONYMOUS).alias("anonymous"),
            _where(said, "ogin attempted").str.contains(_ROOT).fill_null(False).alias("as_root"),
            ip_address(session["ip"]).values.alias("src_ip"),
        ]
    ).with_columns(
        success=pl.coalesce("unknown", "failed", "denied").is_null() & pl.col("user").is_not_null(),
        reason=pl.when(pl.col("unknown").is_not_null())
        .then(pl.lit("invalid_user"))
        .when(pl.col("why").is_not_null())
        .then(pl.col("why").str.strip_chars(" .").str.to_lowercase().replace_strict(_REASONS, default=_OTHER_REASON))
        .when(pl.col("denied").is_not_null() | pl.col("as_root"))
        .then(pl.lit(_OTHER_REASON)),
    )
    is_login = told["success"] | told["reason"].is_not_null()
    stray = ~is_login & keep_where(~is_login, said).str.contains(_TELLING).fill_null(False)
    placed = told["src_ip"].is_not_null()
    rows = pl.concat([told, messages.select("event_time_us", "host", "pid")], how="horizontal").filter(
        is_login & placed
    )
    reason = pl.when(stray).then(pl.lit(_CUT)).when(is_login & ~placed).then(pl.lit(_NO_ADDRESS)).alias("reason")
    rejects = messages.select("line_index", reason).drop_nulls("reason")
    named = pl.coalesce("unknown", "failed", "denied", "user", pl.when("as_root").then(pl.lit("root")))
    consumed = rows["line_index"].to_numpy()
    logins = rows.select(
        "line_index",
        "event_time_us",
        "host",
        pl.lit(SERVICE).alias("service"),
        pl.concat_str(pl.col("host").fill_null(""), pl.lit(":"), "pid").alias("session_id"),
        pl.when(named != "").then(named).alias("user"),
        "src_ip",
        pl.when("success").then(pl.lit("success")).otherwise(pl.lit("failure")).cast(OUTCOME).alias("outcome"),
        "reason",
        pl.when("anonymous").then(pl.lit("anonymous")).otherwise(pl.lit("password")).alias("auth_method"),
        pl.lit(1, pl.Int32).alias("count"),
    )
    skipped = left_over(messages["line_index"].to_numpy(), consumed, rejects["line_index"].to_numpy())
    return Parsed({LogType.LOGIN: logins}, consumed, skipped, rejects)


def _where(texts: pl.Series, sign: str) -> pl.Series:
    """The texts that hold `sign`, null for the others: patterns that capture are slow."""
    return keep_where(texts.str.contains(sign, literal=True), texts)
