"""Cowrie's JSON log: an SSH and telnet honeypot.

    {"eventid":"cowrie.login.failed","username":"root","password":"x","src_ip":"192.0.2.1","session":"a1","timestamp":"..Z"}

Read: login.success and login.failed as logins, with a password or (with a fingerprint) a key; session.file_download and
file_upload as transfers, with the address they came from or the name they have as path. Nobody has business there: all
of it is an attack. Passwords are not kept but in the evidence line. Skipped: all other events, among them
client.fingerprint: a key that is offered. Not read: its text log.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import ip_address

_OUTCOMES: Final = {"cowrie.login.success": "success", "cowrie.login.failed": "failure"}
_ACTIONS: Final = {"cowrie.session.file_download": "download", "cowrie.session.file_upload": "upload"}
_NAMES: Final = (
    "eventid",
    "username",
    "src_ip",
    "session",
    "timestamp",
    "sensor",
    "url",
    "outfile",
    "filename",
    "fingerprint",
)
_WANTED: Final[dict[str, Path]] = {name: (name,) for name in _NAMES}
_NO_TIME: Final = "timestamp: no time that can be read"


class Cowrie(StatelessFormat):
    """What happens in a honeypot."""

    name = "cowrie"
    title = "Cowrie honeypot (JSON)"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.JSON
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take Cowrie's events."""
        line = lines["line"]
        own = line.str.contains('"cowrie.', literal=True) & line.str.contains('"eventid"', literal=True)
        own &= line.str.contains('"session"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        source = ip_address(found.fields["src_ip"]).values
        events = found.fields.with_columns(
            source, iso_us(found.fields["timestamp"], stream.time_zone).alias("event_time_us")
        )
        wanted = pl.col("eventid").is_in([*_OUTCOMES, *_ACTIONS]).fill_null(False)
        skipped = events.filter(~wanted)["line_index"]
        events = events.filter(wanted)
        timeless = events.filter(pl.col("event_time_us").is_null()).select("line_index", reason=pl.lit(_NO_TIME))
        events = events.drop_nulls("event_time_us")
        common = (
            "line_index",
            "event_time_us",
            pl.col("sensor").alias("host"),
            pl.lit("cowrie").alias("service"),
            pl.col("session").alias("session_id"),
            "src_ip",
        )
        outcome = pl.col("eventid").replace_strict(_OUTCOMES, default=None, return_dtype=OUTCOME).alias("outcome")
        action = pl.col("eventid").replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION).alias("action")
        user = pl.when(pl.col("username") != "").then("username").alias("user")
        logins = events.filter(pl.col("eventid").is_in(list(_OUTCOMES))).select(
            *common,
            user,
            outcome,
            pl.when(pl.col("fingerprint").is_null())
            .then(pl.lit("password"))
            .otherwise(pl.lit("publickey"))
            .alias("auth_method"),
            pl.col("fingerprint").alias("key_id"),
            pl.lit(1, pl.Int32).alias("count"),
        )
        files = events.filter(pl.col("eventid").is_in(list(_ACTIONS))).select(
            *common, action, pl.coalesce("url", "filename", "outfile").alias("path")
        )
        return Parsed(
            {LogType.LOGIN: logins, LogType.FILE_TRANSFER: files},
            consumed=events["line_index"].to_numpy(),
            skipped=np.asarray(skipped.to_numpy()),
            rejects=pl.concat([found.failed, timeless]).sort("line_index"),
        )


FORMAT = Cowrie()
