"""Windows Security events as JSON: winlogbeat's (`winlog.event_data`), and flat ones as NXLog and others write them.

    {"EventTime":"2026-03-02 00:00:01","Channel":"Security","EventID":4625,"TargetUserName":"ann",..}
    {"@timestamp":"2026-03-02T00:00:01Z","winlog":{"channel":"Security","event_id":"4624","event_data":{..}}}

Read: 4624 as successes, with the logon type as method and the logon id as session; 4625, 4768, 4771 and 4776 where
they failed, with the status code in words as reason. 4624 of machines (`NAME$`), of the system's own accounts, and of
services and batch jobs are skipped: they are no people. Skipped, because another event tells the same login or none
happened: 4634, 4648, 4672, 4740, 4769, and the successes of 4768 and 4776; all other events and channels. Time:
`@timestamp` or SystemTime, which have a zone; else EventTime in the zone of the source. Not read: events as XML or as
text. A failed NTLM login is logged by the machine (4625) and by its domain controller (4776, without an address): it
counts twice where both are collected.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.json_lines import Path, json_fields
from livesec.formats.stateless import StatelessFormat
from livesec.formats.windows_events import DATA, TIMES, parsed

_WANTED: Final[dict[str, Path]] = {
    **{name: (name,) for name in (*DATA, *TIMES, "EventID", "Channel", "Hostname", "Computer")},
    "event_id": ("winlog", "event_id"),
    "channel": ("winlog", "channel"),
    "computer_name": ("winlog", "computer_name"),
    **{f"data.{name}": ("winlog", "event_data", name) for name in DATA},
}


class WindowsSecurity(StatelessFormat):
    """Logons and failed logons of Windows."""

    name = "windows_security"
    title = "Windows Security events (JSON)"
    log_types = (LogType.LOGIN,)
    shape = Shape.JSON
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the Windows events among the lines."""
        line = lines["line"]
        own = line.str.contains('"EventID"', literal=True) & line.str.contains('"Channel"', literal=True)
        own |= line.str.contains('"winlog"', literal=True) & line.str.contains('"event_id"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        events = found.fields.select(
            "line_index",
            *TIMES,
            pl.coalesce("event_id", "EventID").alias("id"),
            pl.coalesce("channel", "Channel").alias("channel"),
            pl.coalesce("computer_name", "Computer", "Hostname").alias("host"),
            *(pl.coalesce(f"data.{name}", name).alias(name) for name in DATA),
        )
        return parsed(events, stream.time_zone, found.failed)


FORMAT = WindowsSecurity()
