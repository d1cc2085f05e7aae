"""Windows Security events as JSON: winlogbeat's, flat ones as NXLog writes them, and those of `evtx_dump`.

    {"EventTime":"2026-03-02 00:00:01","Channel":"Security","EventID":4625,"TargetUserName":"ann",..}
    {"@timestamp":"2026-03-02T00:00:01Z","winlog":{"channel":"Security","event_id":"4624","event_data":{..}}}
    {"@timestamp":"2026-03-02T00:00:01Z","winlog.channel":"Security","winlog.event_id":"4624",..}
    {"Event":{"System":{"Channel":"Security","EventID":4624,"TimeCreated":{..},..},"EventData":{..}}}

Read: 4624 as successes, with the logon type as method and the logon id as session; 4625, 4768, 4771 and 4776 where
they failed, with the status code in words as reason. Time: `@timestamp` or SystemTime, which have a zone; else
EventTime in the zone of the source. Skipped, as they are no logins of people: 4624 of machines (`NAME$`), of the
system's own accounts, of ANONYMOUS LOGON (a null session, also from another machine: no one proved to be anyone), and
of logon types 4 and 5 (batch jobs, services) and 9 (`runas /netonly`, by someone logged in already). Skipped, because
another event tells the same login or none happened: 4634, 4648, 4672, 4740, 4769, the successes of 4768 and 4776, and
the limited one of the two linked 4624 that an administrator's login gives under User Account Control. Skipped: all
other events and channels. An event without id or channel, or without the fields of its data, is a reject.

Not read: events as text, EventData as a list of names and values, the form of winlogbeat before 7. A failed NTLM login
is logged by the machine (4625) and by its domain controller (4776, without an address): it counts twice where both are
collected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import LogType
from livesec.formats.json_lines import JsonFields, json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.windows_events import DATA, TIMES, parsed

_NAMES: Final = ("id", "channel", "host", *TIMES, *DATA)
_Paths = Mapping[str, tuple[Path, ...]]
"""Where the value of a name may stand; the first that is there counts."""
_SYSTEM: Final = ("Event", "System")
_DOTTED: Final[_Paths] = {
    "id": (("winlog.event_id",),),
    "channel": (("winlog.channel",),),
    "host": (("winlog.computer_name",),),
    "@timestamp": (("@timestamp",),),
    **{name: ((f"winlog.event_data.{name}",),) for name in DATA},
}
_RENDERED: Final[_Paths] = {
    "id": ((*_SYSTEM, "EventID"),),
    "channel": ((*_SYSTEM, "Channel"),),
    "host": ((*_SYSTEM, "Computer"),),
    "SystemTime": tuple((*_SYSTEM, "TimeCreated", *key) for key in (("#attributes", "SystemTime"), ("SystemTime",))),
    **{name: (("Event", "EventData", name),) for name in DATA},
}
_PLAIN: Final[_Paths] = {
    "id": (("winlog", "event_id"), ("EventID",)),
    "channel": (("winlog", "channel"), ("Channel",)),
    "host": (("winlog", "computer_name"), ("Computer",), ("Hostname",)),
    **{name: ((name,),) for name in TIMES},
    **{name: (("winlog", "event_data", name), (name,)) for name in DATA},
}


class WindowsSecurity(StatelessFormat):
    """Logons and failed logons of Windows."""

    name = "windows_security"
    title = "Windows Security events (JSON)"
    log_types = (LogType.LOGIN,)
    shape = Shape.JSON
    platform = Platform.WINDOWS
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the Windows events among the lines."""
        line = lines["line"]
        own = line.str.contains('"EventID"', literal=True) & line.str.contains('"Channel"', literal=True)
        own |= line.str.contains('"winlog"', literal=True) & line.str.contains('"event_id"', literal=True)
        # With the colon these are keys: in a value, the quote in front of it would be escaped.
        dotted = line.str.contains('"winlog.event_id":', literal=True)
        own |= dotted
        if not own.any():
            return NOTHING_PARSED
        rendered = own & line.str.contains('"System":', literal=True) & ~dotted
        found = [
            _fields(lines.filter(some), paths)
            for some, paths in ((dotted, _DOTTED), (rendered, _RENDERED), (own & ~dotted & ~rendered, _PLAIN))
            if some.any()
        ]
        events = pl.concat([some.fields for some in found]).sort("line_index")
        return parsed(events, stream.time_zone, pl.concat([some.failed for some in found]))


def _fields(lines: pl.DataFrame, paths: _Paths) -> JsonFields:
    wanted = {f"{name}/{place}": path for name in paths for place, path in enumerate(paths[name])}
    found = json_fields(lines, wanted)
    stated = [
        pl.coalesce(f"{name}/{place}" for place in range(len(places))).alias(name) for name, places in paths.items()
    ]
    missing = [pl.lit(None, pl.String).alias(name) for name in _NAMES if name not in paths]
    return JsonFields(found.fields.select("line_index", *stated, *missing).select("line_index", *_NAMES), found.failed)


FORMAT = WindowsSecurity()
