"""Windows Security events as XML, one event a line, as `wevtutil`, Event Viewer and some shippers give them.

    <Event xmlns="..."><System>..<EventID>4625</EventID>..</System><EventData><Data Name="IpAddress">192.0.2.1</Data>..

Read and skipped: as windows_security. SystemTime is the time. Not read: events over several lines, and texts for
people. In XML a name cannot hold the marks around it: `<` and `>` are written as entities, which are turned back here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.stateless import StatelessFormat
from livesec.formats.windows_events import DATA, EVENTS, TIMES, parsed

_MARK: Final = "<Event xmlns="
_ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_BROKEN: Final = "an event that does not end with its line: cut short, or over several lines, which is not read"


class WindowsSecurityXml(StatelessFormat):
    """Logons and failed logons of Windows."""

    name = "windows_security_xml"
    title = "Windows Security events (XML)"
    log_types = (LogType.LOGIN,)
    shape = Shape.TEXT
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the Windows events among the lines."""
        own = lines["line"].str.contains(_MARK, literal=True)
        if not own.any():
            return NOTHING_PARSED
        lines = lines if own.all() else lines.filter(own)
        whole = lines["line"].str.contains("</Event>", literal=True)
        failed = lines.filter(~whole).select("line_index", reason=pl.lit(_BROKEN)) if not whole.all() else no_rejects()
        line = pl.col("line")
        told = lines.filter(whole).with_columns(line.str.extract(r"<EventID[^>]*>([0-9]+)</EventID>").alias("id"))
        wanted = told["id"].is_in(EVENTS).fill_null(False)  # most events are others: no need to take them apart
        events = told.filter(wanted).select(
            "line_index",
            "id",
            line.str.extract(r"<Channel>([^<]*)</Channel>").alias("channel"),
            line.str.extract(r"<Computer>([^<]*)</Computer>").alias("host"),
            line.str.extract(r"""SystemTime=["']([^"'<>]*)["']""").alias("SystemTime"),
            *(pl.lit(None, pl.String).alias(name) for name in TIMES if name != "SystemTime"),
            *(_text(line.str.extract(rf"""<Data Name=["']{name}["']>([^<]*)</Data>""")).alias(name) for name in DATA),
        )
        found = parsed(events, stream.time_zone, failed)
        if wanted.all():
            return found
        others = told["line_index"].filter(~wanted).to_numpy()
        return Parsed(found.rows, found.consumed, np.sort(np.concatenate([found.skipped, others])), found.rejects)


def _text(written: pl.Expr) -> pl.Expr:
    for entity, character in _ENTITIES.items():
        written = written.str.replace_all(entity, character, literal=True)
    return written


FORMAT = WindowsSecurityXml()
