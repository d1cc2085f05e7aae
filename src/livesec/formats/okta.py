"""Okta's System Log as JSON, one event a line, as its API and log streams give them.

    {"published":"2026-03-02T00:00:01.5Z","eventType":"user.session.start","outcome":{"result":"SUCCESS"},"actor":{..},..}

Read: user.session.start as logins (SUCCESS, FAILURE, DENY; CHALLENGE is an attempt), and failures of other
user.authentication events, whose successes are steps on the way to a session; user.account.lock as skipped, for the
failures before it are told. The user is the actor's alternateId. Skipped: all other events. Not read: events inside a
list over many lines.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.json_lines import Path, json_fields
from livesec.formats.stateless import StatelessFormat
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
    "VERIFICATION_ERROR": "invalid_user",
    "LOCKED_OUT": "locked",
    "INVALID_LOGIN": "invalid_user",
    "PASSWORD_EXPIRED": "password_expired",
}
_NO_TIME: Final = "published: no time that can be read"
_NOBODY: Final = ("", "unknown", "system@okta.com")


class Okta(StatelessFormat):
    """Logins to an Okta organisation."""

    name = "okta"
    title = "Okta System Log (JSON)"
    log_types = (LogType.LOGIN,)
    shape = Shape.JSON
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take Okta's events."""
        line = lines["line"]
        own = line.str.contains('"eventType"', literal=True) & line.str.contains('"published"', literal=True)
        own &= line.str.contains('"actor"', literal=True)
        if not own.any():
            return NOTHING_PARSED
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
        return Parsed(
            {LogType.LOGIN: rows},
            consumed=rows["line_index"].to_numpy(),
            skipped=np.asarray(skipped.to_numpy()),
            rejects=pl.concat([found.failed, timeless]).sort("line_index"),
        )


FORMAT = Okta()
