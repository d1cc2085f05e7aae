"""Pure-FTPd through syslog.

    pure-ftpd: (?@192.0.2.1) [INFO] ann is now logged in
    pure-ftpd: (ann@192.0.2.1) [NOTICE] /home/ann//a.zip uploaded  (1234 bytes, 45.60KB/sec)

Read: logins, failed ones, refused accounts and anonymous ones; uploads and downloads, the time they took computed
from the rate, deletes and renames as file transfers. Skipped: all other messages. A host name in place of the address
(reverse lookups are on unless DontResolve is set) gives no src_ip: who connects chooses it. Messages in another
language than English are skipped. With AltLog the transfers are in a file too (see pure_ftpd_altlog): watch one of
the two.

The server writes what a client named in front of its own words or in brackets at the end: a message is what its level,
start and end say. A rename whose names hold `]->[` can be read in two ways and is a reject.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.ip_text import is_ip
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_halves import halves
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import address

PROGRAM: Final = "pure-ftpd"
_HEAD_ENDS: Final = ") ["
_LEVELS: Final = ["ERROR", "WARNING", "NOTICE", "INFO", "DEBUG"]
_WHO: Final = r"^\((.*)@([^@]*)$"
_IN: Final = " is now logged in"
_ANONYMOUS: Final = "Anonymous user logged in"
_FAILED: Final = "Authentication failed for user ["
_REFUSED, _REFUSED_END = "Can't login as [", "]: account disabled"
_MOVED: Final = r"^(/?.*) (uploaded|downloaded)  \(([0-9]{1,18}) bytes, ([0-9]+\.[0-9]+)KB/sec\)$"
_MOVED_END: Final = "KB/sec)"
_MOVING: Final = [" uploaded  (", " downloaded  ("]
_DELETED: Final = "Deleted "
_RENAMED: Final = "File successfully renamed or moved: ["
_BETWEEN: Final = "]->["
_BYTES_PER_KB: Final = 1024
_CUT: Final = "cut off, or not a message of pure-ftpd"
_TWO: Final = "a rename that can be read in two ways"


class PureFtpd(StatelessFormat):
    """FTP logins and transfers."""

    name = "pure_ftpd"
    title = "Pure-FTPd through syslog"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.SYSLOG
    journal_programs = (PROGRAM,)
    order = 30

    def owns(self, program: str) -> bool:
        """The server's name."""
        return program == PROGRAM

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take all of `lines`."""
        if lines.height == 0:
            return NOTHING_PARSED
        told = _read(lines)
        rejects = told.drop_nulls("problem").select("line_index", reason="problem")
        good = told.filter(pl.col("problem").is_null())
        logins = good.filter(pl.col("outcome").is_not_null())
        transfers = good.filter(pl.col("action").is_not_null())
        common = ("line_index", "event_time_us", "host", pl.lit(PROGRAM).alias("service"), "session_id")
        rows = {
            LogType.LOGIN: logins.select(
                *common,
                pl.col("login").alias("user"),
                "src_ip",
                pl.col("outcome").cast(OUTCOME),
                "reason",
                "auth_method",
                pl.lit(1, pl.Int32).alias("count"),
            ),
            LogType.FILE_TRANSFER: transfers.select(
                *common,
                "user",
                "src_ip",
                "path",
                "old_path",
                "bytes",
                pl.col("action").cast(FILE_ACTION),
                pl.lit("ftp").alias("protocol"),
                pl.lit("success").cast(OUTCOME).alias("outcome"),
                "duration_s",
            ),
        }
        used = np.concatenate([frame["line_index"].to_numpy() for frame in rows.values()])
        skipped = left_over(lines["line_index"].to_numpy(), used, rejects["line_index"].to_numpy())
        return Parsed(rows, np.sort(used), skipped, rejects)


def _read(lines: pl.DataFrame) -> pl.DataFrame:
    """What each message says, null where it says nothing for us."""
    message = lines["message"].fill_null("")
    head, rest = halves(message, _HEAD_ENDS)
    level, text = halves(rest.fill_null(""), "] ")
    who = head.str.extract_groups(_WHO).struct.unnest()
    source = address(who["2"]).values
    known = (level.is_in(_LEVELS) & who["2"].is_not_null()).fill_null(False)
    said = lines.select("line_index", "event_time_us", "host", session_id=pl.col("pid").cast(pl.String)).with_columns(
        keep_where(~who["1"].is_in(["?", ""]), who["1"]).alias("user"),
        keep_where(is_ip(source), source).alias("src_ip"),
        level.alias("level"),
        keep_where(known, text).alias("text"),
        stray=~known & message.str.starts_with("("),
    )
    return _transfers(_logins(said))


def _logins(said: pl.DataFrame) -> pl.DataFrame:
    text = pl.col("text")
    in_info, in_warning = pl.col("level") == "INFO", pl.col("level") == "WARNING"
    logged_in = in_info & text.str.ends_with(_IN)
    anonymous = in_info & text.str.starts_with(_ANONYMOUS)
    failing = in_warning & text.str.starts_with(_FAILED)
    failed = failing & text.str.strip_chars_end(" ").str.ends_with("]")
    refused = in_warning & text.str.starts_with(_REFUSED) & text.str.ends_with(_REFUSED_END)
    return said.with_columns(
        login=pl.when(logged_in)
        .then(text.str.strip_suffix(_IN))
        .when(anonymous)
        .then(pl.lit("anonymous"))
        .when(failed)
        .then(text.str.strip_chars_end(" ").str.strip_prefix(_FAILED).str.strip_suffix("]"))
        .when(refused)
        .then(text.str.strip_prefix(_REFUSED).str.strip_suffix(_REFUSED_END)),
        outcome=pl.when(logged_in | anonymous).then(pl.lit("success")).when(failed | refused).then(pl.lit("failure")),
        reason=pl.when(failed).then(pl.lit("bad_credentials")).when(refused).then(pl.lit("disabled")),
        auth_method=pl.when(anonymous).then(pl.lit("anonymous")).otherwise(pl.lit("password")),
        stray=pl.col("stray") | (failing & ~failed).fill_null(False),
    ).with_columns(login=pl.when(pl.col("login") != "").then("login"))


def _transfers(said: pl.DataFrame) -> pl.DataFrame:
    notices = (said["level"] == "NOTICE").fill_null(False)
    text = keep_where(notices, said["text"])
    moved = keep_where(text.str.ends_with(_MOVED_END), text).str.extract_groups(_MOVED).struct.unnest()
    moving = text.str.starts_with("/") & text.str.contains_any(_MOVING) & moved["1"].is_null()
    size, rate = moved["3"].cast(pl.Int64, strict=False), moved["4"].cast(pl.Float64, strict=False) * _BYTES_PER_KB
    renamed = keep_where(text.str.starts_with(_RENAMED), text)
    old, new = halves(renamed.str.strip_prefix(_RENAMED), _BETWEEN)
    whole = renamed.str.ends_with("]") & new.is_not_null()
    two = renamed.str.count_matches(_BETWEEN, literal=True) > 1
    deleted = keep_where(text.str.starts_with(_DELETED), text).str.strip_prefix(_DELETED)
    problem = (
        pl.when(pl.col("stray") | moving.fill_null(False) | (renamed.is_not_null() & ~whole.fill_null(False)))
        .then(pl.lit(_CUT))
        .when(two.fill_null(False))
        .then(pl.lit(_TWO))
    )
    return said.with_columns(
        path=pl.coalesce(moved["1"], new.str.strip_suffix("]"), deleted),
        old_path=old,
        bytes=size,
        action=pl.when(moved["2"] == "uploaded")
        .then(pl.lit("upload"))
        .when(moved["2"] == "downloaded")
        .then(pl.lit("download"))
        .when(renamed.is_not_null())
        .then(pl.lit("rename"))
        .when(deleted.is_not_null())
        .then(pl.lit("delete")),
        duration_s=pl.when((rate > 0) & (size > 0)).then(size / rate),
        problem=problem,
    )


FORMAT = PureFtpd()
