"""Windows Security events as XML, one event a line, as `wevtutil`, Event Viewer and some shippers give them.

    <Event xmlns="..."><System>..<EventID>4625</EventID>..</System><EventData><Data Name="IpAddress">192.0.2.1</Data>..

Read, skipped and rejected: as windows_security. SystemTime is the time. Not read: events over several lines, several
on one, and texts for people. In XML a name cannot hold the marks around it: `<` and `>` are written as entities, which
are turned back here.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.stateless import StatelessFormat
from livesec.formats.windows_events import DATA, READ_IDS, TIMES, parsed

_MARK: Final = "<Event xmlns="
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_SEVERAL: Final = "several events on one line, which are not read"
_BROKEN: Final = "an event that does not end with its line: cut short, or over several lines, which is not read"


class WindowsSecurityXml(StatelessFormat):
    """Logons and failed logons of Windows."""

    name = "windows_security_xml"
    title = "Windows Security events (XML)"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    platform = Platform.WINDOWS
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the Windows events among the lines."""
        own = lines["line"].str.contains(_MARK, literal=True)
        if not own.any():
            return NOTHING_PARSED
        lines = lines if own.all() else lines.filter(own)
        text = lines["line"].str
        problem = (
            pl.when(~text.contains("</Event>", literal=True))
            .then(pl.lit(_BROKEN))
            .when(text.count_matches(_MARK, literal=True) > 1)
            .then(pl.lit(_SEVERAL))
        )
        lines = lines.with_columns(problem.alias("reason"))
        failed = lines.filter(pl.col("reason").is_not_null()).select("line_index", "reason")
        line = pl.col("line")
        events = lines.filter(pl.col("reason").is_null()).select(
            "line_index",
            "line",
            line.str.extract(r"<EventID[^>]*>([0-9]+)</EventID>").alias("id"),
            line.str.extract(r"<Channel>([^<]+)</Channel>").alias("channel"),
        )
        line = pl.when(pl.col("id").is_in(READ_IDS)).then("line")
        events = events.select(
            *("line_index", "id", "channel"),
            line.str.extract(r"<Computer>([^<]*)</Computer>").alias("host"),
            line.str.extract(r"""SystemTime=["']([^"'<>]*)["']""").alias("SystemTime"),
            *(pl.lit(None, pl.String).alias(name) for name in TIMES if name != "SystemTime"),
            *(_text(line.str.extract(rf"""<Data Name=["']{name}["']>([^<]*)</Data>""")).alias(name) for name in DATA),
        )
        return parsed(events, stream.time_zone, failed)


def _text(written: pl.Expr) -> pl.Expr:
    for entity, character in _ENTITIES.items():
        written = written.str.replace_all(entity, character, literal=True)
    return written


FORMAT = WindowsSecurityXml()
