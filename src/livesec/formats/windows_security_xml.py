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
from livesec.formats.event_xml_scan import event_texts
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import keep_where
from livesec.formats.windows_events import DATA, TIMES, parsed

_MARK: Final = "<Event xmlns="
_ELEMENTS: Final = ("EventID", "Channel", "Computer")
_TIME: Final = "TimeCreated SystemTime"
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
        lines = lines.filter(pl.col("reason").is_null())
        found = event_texts(lines["line"], _ELEMENTS, [_TIME], DATA)
        number, channel, host = (found[name] for name in _ELEMENTS)
        events = pl.DataFrame(
            {
                "line_index": lines["line_index"],
                "id": keep_where(number.str.contains(r"^[0-9]+$"), number),
                "channel": keep_where(channel != "", channel),
                "host": host,
                **dict.fromkeys(TIMES, pl.repeat(None, lines.height, dtype=pl.String, eager=True)),
                "SystemTime": found[_TIME],
                **{name: _text(found[name]) for name in DATA},
            }
        )
        return parsed(events, stream.time_zone, failed)


def _text(written: pl.Series) -> pl.Series:
    if not written.str.contains("&", literal=True).any():
        return written
    for entity, character in _ENTITIES.items():
        written = written.str.replace_all(entity, character, literal=True)
    return written


FORMAT = WindowsSecurityXml()
