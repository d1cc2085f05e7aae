"""xferlog, the transfer log of wu-ftpd that vsftpd (xferlog_std_format) and ProFTPD write too.

    Wed Sep 17 18:59:02 2025 12 192.0.2.1 1048576 /path/name b _ o r ann ftp 0 * c

In order: when the transfer ended, its seconds, host, bytes, path, type (a, b), special action, direction (o out, i in,
d deleted), access (r real user, g guest, a anonymous), user, service, authentication and its user, c complete or i
incomplete. An anonymous user's name here is whatever was given as password: `anonymous` is put in its place. A host
name instead of an address (reverse lookups) gives no src_ip: who connects chooses it.

The servers put underscores for blanks in paths, but not in that password. So the path ends at the first place where the
fields behind it fit; a path with blanks is read as long as it holds no such place itself.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.ftp_lines import dated
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import month_first_us
from livesec.formats.typed_fields import (
    Field,
    count,
    ip_address,
    lower_text,
    seconds,
    text,
    time,
    typed_rows,
    word_of,
)

_START: Final = r"^[0-9]+(?:\.[0-9]+)? \S+ [0-9]+ "
_RECORD: Final = (
    r"^(?P<seconds>[0-9]+(?:\.[0-9]+)?) (?P<host>\S+) (?P<bytes>[0-9]+) (?P<path>.*?) [ab] [_CUT]+ "
    r"(?P<direction>[iod]) (?P<access>[agr]) (?P<user>.*) (?P<service>\S+) [01] \S+ (?P<status>[ci])$"
)
_NOT_COMPLETE: Final = "behind the path xferlog's fields do not follow"
_ACTIONS: Final = {"i": "upload", "o": "download", "d": "delete"}
_OUTCOMES: Final = {"c": "success", "i": "failure"}


class Xferlog(StatelessFormat):
    """FTP transfers."""

    name = "xferlog"
    title = "xferlog (vsftpd, ProFTPD, wu-ftpd)"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.TEXT
    order = 30

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the transfers."""
        own = dated(lines)
        own = own.filter(pl.col("rest").str.contains(_START))
        if own.is_empty():
            return NOTHING_PARSED
        parts = own["rest"].str.extract_groups(_RECORD).struct.unnest()
        texts = own.drop("rest").hstack(parts)
        complete = texts["status"].is_not_null()
        failed = texts.filter(~complete).select("line_index", reason=pl.lit(_NOT_COMPLETE))
        typed = typed_rows(
            texts.filter(complete).with_columns(
                user=pl.when(pl.col("access") == "a").then(pl.lit("anonymous")).otherwise("user")
            ),
            (
                Field(
                    "clock",
                    "event_time_us",
                    time(lambda clock: month_first_us(clock, stream.time_zone)),
                    "no such time",
                ),
                Field("seconds", "duration_s", seconds),
                Field("host", "src_ip", ip_address),
                Field("bytes", "bytes", count, "no number of bytes"),
                Field("path", "path", text),
                Field("direction", "action", word_of(_ACTIONS, FILE_ACTION)),
                Field("user", "user", text),
                Field("service", "protocol", lower_text),
                Field("status", "outcome", word_of(_OUTCOMES, OUTCOME)),
            ),
        )
        return Parsed(
            {LogType.FILE_TRANSFER: typed.rows},
            consumed=typed.rows["line_index"].to_numpy(),
            rejects=pl.concat([failed, typed.rejects]).sort("line_index"),
        )


FORMAT = Xferlog()
