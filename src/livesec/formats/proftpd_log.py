"""ProFTPD's own log (SystemLog).

    2026-03-02 00:00:01,399 host proftpd[4988] host (192.0.2.1[192.0.2.1]): USER ann (Login failed): Incorrect password

Read and skipped: as proftpd. Times are in the zone of the source. Not read: its other logs, but for the xferlog; the
date without a year that older versions wrote (`Mar  2 00:00:01 host proftpd[4988] host (..`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.plain_regex import plain_groups
from livesec.formats.proftpd_messages import read_messages
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us

_MARK: Final = " proftpd["
_LINE: Final = (
    r"^(?P<clock>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{3}) (?P<host>[^ ]+) "
    r"proftpd\[(?P<pid>[0-9]+)\] (?P<message>.*)$"
)
_NO_TIME: Final = "no such time"


class ProFtpdLog(StatelessFormat):
    """FTP logins."""

    name = "proftpd_log"
    title = "ProFTPD's own log"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    order = 30

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take ProFTPD's lines."""
        suspects = lines["line"].str.contains(_MARK, literal=True)
        if not suspects.any():
            return NOTHING_PARSED
        own = lines if suspects.all() else lines.filter(suspects)
        words = pl.DataFrame({"line_index": own["line_index"], **plain_groups(own["line"], _LINE)})
        words = words.filter(pl.col("message").is_not_null())
        times = iso_us(words["clock"], stream.time_zone).alias("event_time_us")
        messages = words.with_columns(times, pl.col("pid").cast(pl.Int64, strict=False))
        timeless = messages["event_time_us"].is_null()
        parsed = read_messages(messages.filter(~timeless))
        if not timeless.any():
            return parsed
        failed = messages.filter(timeless).select("line_index", reason=pl.lit(_NO_TIME))
        rejects = pl.concat([parsed.rejects, failed]).sort("line_index")
        return Parsed(parsed.rows, parsed.consumed, parsed.skipped, rejects)


FORMAT = ProFtpdLog()
