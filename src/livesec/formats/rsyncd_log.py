"""The rsync daemon's own log (`log file`).

    2026/03/02 10:00:00 [7] rsync on backup/db from ann@client.example.org (192.0.2.1)
    2026/03/02 10:00:01 [7] send client.example.org [192.0.2.1] backup (ann) db/dump.sql 1234

Read: the messages that the format rsyncd reads from syslog, in the same way; times in the zone of the source. Skipped:
the daemon's other messages, and all that the process of a known session writes.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.plain_regex import plain_groups
from livesec.formats.rsyncd_messages import Sessions, read_messages
from livesec.formats.text_times import clock_text_us

_LINE: Final = r"^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \[(?P<pid>[0-9]{1,10})\] (?P<message>.*)$"
_CLOCK_BYTES: Final = 19
_NO_TIME: Final = "no such time"


class RsyncdLog(Format[Sessions]):
    """Logins to and transfers of an rsync daemon. The state is the sessions that are open."""

    name = "rsyncd_log"
    title = "rsync daemon's own log"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.TEXT
    order = 40

    def initial(self, stream: StreamInfo) -> Sessions:
        """No sessions."""
        return Sessions()

    def parse(self, state: Sessions, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Sessions, Parsed]:
        """Take the daemon's lines."""
        line = lines["line"]
        may = (line.str.slice(4, 1) == "/") & (line.str.slice(_CLOCK_BYTES, 2) == " [")
        if not may.any():
            return state, NOTHING_PARSED
        own = lines if may.all() else lines.filter(may)
        parts = plain_groups(own["line"], _LINE)
        times = clock_text_us(own["line"].str.slice(0, _CLOCK_BYTES), "/", stream.time_zone)
        messages = own.select("line_index").with_columns(
            times.alias("event_time_us"),
            pl.lit(None, pl.String).alias("host"),
            parts["pid"].cast(pl.Int64, strict=False).alias("pid"),
            parts["message"],
        )
        messages = messages.drop_nulls("message")
        timed = messages["event_time_us"].is_not_null()
        found = read_messages(state, messages.filter(timed), every=False)
        if timed.all():
            return state, found
        nowhen = read_messages(Sessions(), messages.filter(~timed), every=False)
        bad = pl.concat([pl.Series(nowhen.consumed), pl.Series(nowhen.skipped), nowhen.rejects["line_index"]])
        rejects = pl.DataFrame({"line_index": bad}).with_columns(reason=pl.lit(_NO_TIME))
        return state, Parsed(
            found.rows, found.consumed, found.skipped, pl.concat([found.rejects, rejects]).sort("line_index")
        )

    def to_bytes(self, state: Sessions) -> bytes:
        """The sessions."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> Sessions:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return Sessions.from_bytes(blob)


FORMAT = RsyncdLog()
