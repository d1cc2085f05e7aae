"""Okta's System Log as JSON, one event a line, as its API and log streams give them.

    {"published":"2026-03-02T00:00:01.5Z","eventType":"user.session.start","outcome":{"result":"SUCCESS"},"actor":{..},..}

Read: user.session.start as logins (SUCCESS, FAILURE, DENY; CHALLENGE is an attempt), and failures of
user.authentication events, whose successes are steps on the way to a session. Okta starts a session when the first
factor is verified, and may tell of one wrong password in both kinds of events (in Identity Engine a password is a
factor too): failures of one user in one transaction, which is one request, are one row, the others parts. The user is
the actor's alternateId. Reasons: bad_credentials, invalid_user (UNKNOWN_USER), locked; others in Okta's own words,
such as verification_error, which a name in a wrong form gives as well as one that nobody has.
Skipped: all other events, among them user.account.lock, for the failures before it are told. Not read: events inside
a list over many lines.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.hashing import text_keys
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.recent_sessions import RecentSessions, Session, SessionFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import ip_address

_WANTED: Final[dict[str, Path]] = {
    "published": ("published",),
    "kind": ("eventType",),
    "result": ("outcome", "result"),
    "why": ("outcome", "reason"),
    "user": ("actor", "alternateId"),
    "ip": ("client", "ipAddress"),
    "agent": ("client", "userAgent", "rawUserAgent"),
    "session": ("authenticationContext", "externalSessionId"),
    "transaction": ("transaction", "id"),
}
_SESSION: Final = "user.session.start"
_STEPS: Final = "user.authentication."
_OUTCOMES: Final = {
    "SUCCESS": "success",
    "ALLOW": "success",
    "FAILURE": "failure",
    "DENY": "failure",
    "CHALLENGE": "attempt",
}
_REASONS: Final = {
    "INVALID_CREDENTIALS": "bad_credentials",
    "UNKNOWN_USER": "invalid_user",
    "LOCKED_OUT": "locked",
    "PASSWORD_BASED_LOGIN_DISALLOWED": "not_allowed",
}
"""By Okta's support article on common login failures."""
_NO_TIME: Final = "published: no time that can be read"
_NOBODY: Final = ("", "unknown", "system@okta.com")


class Okta(SessionFormat):
    """Logins to an Okta organisation. The state is the transactions of late that failed."""

    name = "okta"
    title = "Okta System Log (JSON)"
    log_types = (LogType.LOGIN,)
    shape = Shape.JSON
    platform = Platform.CLOUD
    order = 40
    pause_us = 600_000_000  # events of one request are published together

    def parse(self, state: RecentSessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[RecentSessions, Parsed]:
        """Take Okta's events."""
        line = lines["line"]
        own = line.str.contains('"eventType"', literal=True) & line.str.contains('"published"', literal=True)
        own &= line.str.contains('"actor"', literal=True)
        if not own.any():
            return state, NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        outcome = pl.col("result").replace_strict(_OUTCOMES, default=None, return_dtype=pl.String)
        events = found.fields.with_columns(
            iso_us(found.fields["published"], "UTC").alias("event_time_us"), outcome.alias("outcome")
        )
        step = pl.col("kind").str.starts_with(_STEPS) & (pl.col("outcome") == "failure")
        wanted = (((pl.col("kind") == _SESSION) | step) & pl.col("outcome").is_not_null()).fill_null(False)
        skipped = events.filter(~wanted)["line_index"]
        events = events.filter(wanted)
        timeless = events.filter(pl.col("event_time_us").is_null()).select("line_index", reason=pl.lit(_NO_TIME))
        events = events.drop_nulls("event_time_us")
        consumed = events["line_index"].to_numpy()
        events = events.filter(~_told_before(state, events))
        rows = events.select(
            "line_index",
            "event_time_us",
            pl.lit("okta").alias("service"),
            pl.when(pl.col("session") != "unknown").then("session").alias("session_id"),
            pl.when(~pl.col("user").is_in(_NOBODY)).then("user").alias("user"),
            ip_address(events["ip"]).values.alias("src_ip"),
            pl.col("outcome").cast(OUTCOME),
            pl.when(pl.col("outcome") != "success")
            .then(pl.col("why").replace_strict(_REASONS, default=pl.col("why").str.to_lowercase()))
            .alias("reason"),
            pl.col("agent").alias("client"),
            pl.lit(1, pl.Int32).alias("count"),
        )
        return state, Parsed(
            {LogType.LOGIN: rows},
            consumed=consumed,
            skipped=np.asarray(skipped.to_numpy()),
            rejects=pl.concat([found.failed, timeless]).sort("line_index"),
        )


def _told_before(state: RecentSessions, events: pl.DataFrame) -> pl.Series:
    """Which failures another event of the same transaction and user has told of."""
    who = pl.concat_str("transaction", pl.lit(" "), pl.col("user").fill_null(""))
    keys = text_keys(events.select(pl.when(pl.col("outcome") == "failure").then(who)).to_series())
    told = []
    for key, time_us in zip(keys.tolist(), events["event_time_us"].to_list(), strict=True):
        told.append(key != 0 and state.get(key, time_us) is not None)
        if key != 0:
            state.put(key, Session(time_us, 1))
    return pl.Series(told, dtype=pl.Boolean)


FORMAT = Okta()
