"""Pure-FTPd's alternative transfer logs `stats:` and `w3c:` (AltLog).

    1772445600 69a55f20.1a2b ann 192.0.2.1 U 1048576 2 /home/ann/a.zip
    2026-03-02 10:00:00 192.0.2.1 []created /home/ann/a.zip 226 ann 1048576

Read: uploads (U, created) and downloads (D, sent) that were finished; of `stats` also the seconds they took and the
session (its start and process). Times are since 1970 and in UTC. The path of `w3c` is URL-encoded as in the log.
Skipped: the header of `w3c`, but for `#Version:` and `#Date:`, which other programs write too and which are unknown
lines here. Its `clf:` is read by web_access, its `xferlog:` by xferlog. A host name instead of an address gives no
src_ip. Only the path can hold blanks, and in `stats` it comes last: each line has one reading. The same transfers are
in syslog (see pure_ftpd): watch one of the two.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, LogType
from livesec.formats.ip_text import is_ip
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import epoch_us, iso_us, keep_where
from livesec.formats.typed_fields import address, count, seconds

_STATS: Final = (
    r"^(?P<time>[0-9]{9,11}) (?P<session>[0-9a-f]{1,16}\.[0-9a-f]{1,16}) (?P<user>[^ ]+) (?P<ip>[^ ]+) "
    r"(?P<what>[UD]) (?P<bytes>[0-9]{1,20}) (?P<seconds>[0-9]{1,20}) (?P<path>.+)$"
)
_W3C: Final = (
    r"^(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<ip>[^ ]+) \[\](?P<what>created|sent) "
    r"(?P<path>[^ ]+) 226 (?P<user>[^ ]*) (?P<bytes>[0-9]{1,20})$"
)
_MARKS: Final = (" U ", " D ", " []created ", " []sent ")
_OF_STATS: Final = r"^[0-9]{9,11} [0-9a-f]+\.[0-9a-f]+ [^ ]+ [^ ]+ [UD] "
_OF_W3C: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [^ ]+ \[\](?:created|sent) "
_HEADS: Final = ("#Software: Pure-FTPd ", "#Fields: date time c-ip cs-method cs-uri-stem sc-status cs-username")
_ACTIONS: Final = {"U": "upload", "created": "upload", "D": "download", "sent": "download"}
_NOT_WHOLE: Final = "cut off, or not a transfer as pure-ftpd logs it"
_NO_TIME: Final = "no such time"
_NO_SIZE: Final = "no number of bytes"


class PureFtpdAltlog(StatelessFormat):
    """Files moved over FTP."""

    name = "pure_ftpd_altlog"
    title = "Pure-FTPd's stats and W3C logs"
    log_types = (LogType.FILE_TRANSFER,)
    shape = Shape.TEXT
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take transfers and headers."""
        line = lines["line"]
        own = line.str.contains(_MARKS[0], literal=True)
        for mark in _MARKS[1:]:
            own |= line.str.contains(mark, literal=True)
        heads = pl.repeat(False, lines.height, eager=True)
        for head in _HEADS:
            heads |= line.str.starts_with(head)
        if not (own.any() or heads.any()):
            return NOTHING_PARSED
        suspects = lines.filter(own)
        stats, w3c = suspects["line"].str.contains(_OF_STATS), suspects["line"].str.contains(_OF_W3C)
        texts = pl.concat([_texts(suspects.filter(stats), _STATS), _texts(suspects.filter(w3c), _W3C)], how="diagonal")
        typed = _typed(texts.sort("line_index"))
        good = typed["problem"].is_null()
        rows = typed.filter(good).drop("problem")
        return Parsed(
            {LogType.FILE_TRANSFER: rows},
            consumed=rows["line_index"].to_numpy(),
            skipped=np.asarray(lines["line_index"].filter(heads).to_numpy()),
            rejects=typed.filter(~good).select("line_index", reason="problem"),
        )


def _texts(lines: pl.DataFrame, record: str) -> pl.DataFrame:
    return lines["line"].str.extract_groups(record).struct.unnest().insert_column(0, lines["line_index"])


def _typed(texts: pl.DataFrame) -> pl.DataFrame:
    in_words = texts["time"].str.contains("-", literal=True)
    times = epoch_us(keep_where(~in_words, texts["time"]))
    if in_words.any():
        times = times.zip_with(~in_words.fill_null(False), iso_us(keep_where(in_words, texts["time"]), "UTC"))
    source, size = address(texts["ip"]).values, count(texts["bytes"]).values
    return texts.select(
        "line_index",
        times.alias("event_time_us"),
        pl.lit("pure-ftpd").alias("service"),
        pl.col("session").alias("session_id"),
        pl.when(~pl.col("user").is_in(["", "-"])).then("user").alias("user"),
        keep_where(is_ip(source), source).alias("src_ip"),
        "path",
        size.alias("bytes"),
        pl.col("what").replace_strict(_ACTIONS, default=None, return_dtype=FILE_ACTION).alias("action"),
        pl.lit("ftp").alias("protocol"),
        pl.lit("success").cast(OUTCOME).alias("outcome"),
        seconds(texts["seconds"]).values.alias("duration_s"),
        pl.when(pl.col("path").is_null())
        .then(pl.lit(_NOT_WHOLE))
        .when(times.is_null())
        .then(pl.lit(_NO_TIME))
        .when(size.is_null())
        .then(pl.lit(_NO_SIZE))
        .alias("problem"),
    )


FORMAT = PureFtpdAltlog()
