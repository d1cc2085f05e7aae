"""vsftpd's own log (vsftpd.log).

    Wed Sep 17 18:59:02 2025 [pid 3] [ann] OK LOGIN: Client "192.0.2.1"
    Wed Sep 17 18:59:04 2025 [pid 3] [ann] OK UPLOAD: Client "192.0.2.1", "/path", 1234 bytes, 12.30Kbyte/sec

Read: LOGIN as logins; UPLOAD, DOWNLOAD, DELETE, RMDIR and RENAME as file transfers, the time they took computed from
the rate. Skipped: CONNECT, MKDIR, CHMOD, DEBUG, and the FTP dialogue that log_ftp_protocol adds. Not read: the same
lines sent through syslog (syslog_enable). With dual_log_enable the transfers are in xferlog too: watch one of the two.

A user name such as `ftp] OK LOGIN: Client "203.0.113.9", anon password "x` makes a line that fits vsftpd's grammar in
two ways. Such a line is a reject: better than to name the wrong address, and no attack on an account hides in it, for
no account has such a name.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.ftp_lines import dated
from livesec.formats.plain_regex import plain_groups
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import month_first_us
from livesec.formats.vsftpd_lines import read_messages

_PID: Final = r"^\[pid [0-9]+\] (?P<message>.*)$"
_NO_TIME: Final = "no such time"
_OUTCOMES: Final = {"OK": "success", "FAIL": "failure"}
_ACTIONS: Final = {
    "UPLOAD": "upload",
    "DOWNLOAD": "download",
    "DELETE": "delete",
    "RMDIR": "delete",
    "RENAME": "rename",
}
_BYTES_PER_KBYTE: Final = 1024


class Vsftpd(StatelessFormat):
    """FTP logins and transfers."""

    name = "vsftpd"
    title = "vsftpd.log"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.TEXT
    order = 30

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take vsftpd's lines."""
        suspects = lines["line"].str.contains(" [pid ", literal=True)
        if not suspects.any():
            return NOTHING_PARSED
        own = dated(lines.filter(suspects))
        own = own.with_columns(**plain_groups(own["rest"], _PID))
        own = own.filter(pl.col("message").is_not_null())
        times = month_first_us(own["clock"], stream.time_zone).alias("event_time_us")
        readings, failed = read_messages(own.select("line_index", "message").with_columns(times))
        timeless = readings["event_time_us"].is_null()
        if timeless.any():
            failed = pl.concat([failed, readings.filter(timeless).select("line_index", reason=pl.lit(_NO_TIME))])
            readings = readings.filter(~timeless)
        logins = readings.filter(pl.col("action") == "LOGIN")
        transfers = readings.filter(pl.col("action").is_in(list(_ACTIONS)))
        told = pl.concat([logins["line_index"], transfers["line_index"]]).sort()
        return Parsed(
            {LogType.LOGIN: _logins(logins), LogType.FILE_TRANSFER: _transfers(transfers)},
            consumed=told.to_numpy(),
            skipped=left_over(readings["line_index"].to_numpy(), told.to_numpy()),
            rejects=failed.sort("line_index"),
        )


def _outcome() -> pl.Expr:
    return pl.col("verdict").replace_strict(_OUTCOMES, return_dtype=OUTCOME).alias("outcome")


def _logins(readings: pl.DataFrame) -> pl.DataFrame:
    return readings.select(
        "line_index",
        "event_time_us",
        "user",
        "src_ip",
        _outcome(),
        pl.when("anonymous").then(pl.lit("anonymous")).otherwise(pl.lit("password")).alias("auth_method"),
        pl.lit("vsftpd").alias("service"),
        pl.lit(1, pl.Int32).alias("count"),
    )


def _transfers(readings: pl.DataFrame) -> pl.DataFrame:
    moved = pl.col("action").is_in(["UPLOAD", "DOWNLOAD"])
    size = pl.col("bytes").cast(pl.Int64, strict=False)
    rate = pl.col("rate").cast(pl.Float64, strict=False) * _BYTES_PER_KBYTE
    # Both names are written as absolute paths with a blank between them, which the names may hold as well.
    names = pl.when((pl.col("action") == "RENAME") & (pl.col("path").str.count_matches(" /", literal=True) == 1)).then(
        pl.col("path").str.splitn(" /", 2)
    )
    return readings.select(
        "line_index",
        "event_time_us",
        "user",
        "src_ip",
        pl.coalesce("/" + names.struct.field("field_1"), "path").alias("path"),
        names.struct.field("field_0").alias("old_path"),
        pl.when(moved).then(pl.when(pl.col("bytes").is_null()).then(0).otherwise(size)).alias("bytes"),
        pl.col("action").replace_strict(_ACTIONS, return_dtype=FILE_ACTION),
        pl.lit("ftp").alias("protocol"),
        _outcome(),
        pl.when((rate > 0) & (size > 0)).then(size / rate).alias("duration_s"),
        pl.lit("vsftpd").alias("service"),
    )


FORMAT = Vsftpd()
