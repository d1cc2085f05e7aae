"""AWS CloudTrail's events as CSV: what Athena, CloudTrail Lake, the console's event history and scripts export.

    eventtime,eventsource,eventname,sourceipaddress,useridentity,requestparameters,errorcode,...
    User name,AWS access key,Event time,Event source,Event name,AWS region,Source IP address,User agent

A header line names the columns, in any order, and holds until the next line of names. Names count without regard to
case, blanks, dots and underscores; userIdentity, requestParameters, responseElements and additionalEventData may be one
column each, as JSON, as Athena prints a row or Python a dict, or their fields may be columns (`useridentity.arn`,
`arn`, `User name`, `bucketName`). A header has the event's name and time and the address. Where it has no event source,
that is told from the event's name.

Read: the events that the format cloudtrail reads, in the same way (logins, and what is done with objects in S3).
Skipped: all other events. Not read: columns of repeated attempts or alarms that scripts add; records over several
lines. Without a column for the error nothing says that a request succeeded: logins are attempts then (a ConsoleLogin
without responseElements too), file transfers have no outcome.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over, no_rejects
from livesec.core.commands import Platform
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import OUTCOME, LogType
from livesec.formats.cloudtrail_events import (
    NAMES,
    NO_TIME,
    PATHS,
    SIGN_IN,
    SOURCES,
    login_rows,
    transfer_rows,
    typed_events,
)
from livesec.formats.csv_fields import Wanted, cut_fields
from livesec.formats.csv_log import MAX_COLUMNS, MAX_HEADER_BYTES, without_strangers
from livesec.formats.header_spans import spans
from livesec.formats.written_objects import object_fields

STATE_VERSION: Final = 1
Header = tuple[str, ...]
_OBJECTS: Final = ("userIdentity", "requestParameters", "responseElements", "additionalEventData")
_ALSO: Final = {
    "eventTime": ("eventdatetime",),
    "sourceIPAddress": ("sourceip",),
    "userAgent": ("requestuseragent",),
    "userIdentity": ("userid",),
    "type": ("usertype",),
    "accessKeyId": ("awsaccesskey",),
    "arn": ("userarn",),
}
_HAS: Final = ("eventName", "eventTime", "sourceIPAddress")
_SPELT: Final = ["ventname", "ventName", "vent name", "vent Name", "vent_name", "vent_Name"]
_NAMES_ONLY: Final = r'^\x{feff}?"?[A-Za-z@][A-Za-z0-9_ .@"-]*(?:,[A-Za-z0-9_ .@"-]*){2,}$'
_NOT_A_LETTER: Final = re.compile(r"[^a-z0-9@]")
_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]"
_UNREADABLE: Final = "not an object as JSON, Athena or Python write one"


class CloudTrailCsv(Format[Header]):
    """CloudTrail's events in CSV. The state is the header in force, empty before the first and after another's."""

    name = "cloudtrail_csv"
    title = "AWS CloudTrail (CSV exports)"
    log_types = (LogType.LOGIN, LogType.FILE_TRANSFER)
    shape = Shape.TEXT
    platform = Platform.AWS
    order = 26  # its header makes its lines known, sooner than others look at them

    def initial(self, stream: StreamInfo) -> Header:
        """No header."""
        return ()

    def parse(self, state: Header, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Header, Parsed]:
        """Take headers and the records under them."""
        changes = _changes(lines["line"], state)
        if not state and not changes:
            return state, NOTHING_PARSED
        heads = lines["line_index"].gather([row for row, header in changes if header])
        parts = [Parsed(consumed=heads.to_numpy())]
        held = [(row, header or None) for row, header in changes]
        parts += [_records(records, header) for header, records in spans(lines, state or None, held).items()]
        rows = {kind: [part.rows[kind] for part in parts if kind in part.rows] for kind in self.log_types}
        return changes[-1][1] if changes else state, Parsed(
            {kind: pl.concat(frames).sort("line_index") for kind, frames in rows.items() if frames},
            consumed=np.sort(np.concatenate([part.consumed for part in parts])),
            skipped=np.sort(np.concatenate([part.skipped for part in parts])),
            rejects=pl.concat([part.rejects for part in parts]).sort("line_index"),
        )

    def to_bytes(self, state: Header) -> bytes:
        """As JSON."""
        return json.dumps({"version": STATE_VERSION, "header": state}).encode()

    def from_bytes(self, blob: bytes) -> Header:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"a saved cloudtrail_csv state has version {saved['version']}")
            return tuple(map(str, saved["header"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"a saved cloudtrail_csv state cannot be read: {error}") from error


def _changes(line: pl.Series, held: Header) -> list[tuple[int, Header]]:
    """Rows of header lines with their names, and of other lines of names, which end the hold of a header."""
    if not held and not line.str.contains("vent", literal=True).any():
        return []
    spelt = line.str.contains_any(_SPELT)
    if not held and not spelt.any():
        return []
    rows = (spelt | ~line.str.contains(":", literal=True)).arg_true()  # every record has a time
    texts = line.gather(rows)
    fits = (texts.str.len_bytes() <= MAX_HEADER_BYTES) & texts.str.contains(_NAMES_ONLY)
    rows, texts = rows.filter(fits), texts.filter(fits)
    meanings = {text: _names(text) for text in texts.unique()}
    found = []
    for row, text in zip(rows, texts, strict=True):
        header = meanings[text]
        if held or header:
            found.append((int(row), header))
        held = header
    return found


def _names(line: str) -> Header:
    """The columns that a header line names, each as `_places` looks for it; () if it is none of CloudTrail's."""
    try:
        found = next(csv.reader([line.removeprefix("\ufeff")], strict=True))
    except (csv.Error, StopIteration):
        return ()
    names = tuple(_NOT_A_LETTER.sub("", name.lower()) for name in found)
    places = _places(names)
    return names if all(name in places for name in _HAS) and len(names) <= MAX_COLUMNS else ()


@lru_cache(maxsize=64)
def _places(header: Header) -> Mapping[str, int]:
    """Where the fields are that `header` has."""
    places = {}
    for name, path in [*PATHS.items(), *((name, (name,)) for name in _OBJECTS)]:
        spellings = [_NOT_A_LETTER.sub("", "".join(path[start:]).lower()) for start in range(len(path))]
        place = next((header.index(spelt) for spelt in (*spellings, *_ALSO.get(name, ())) if spelt in header), None)
        if place is not None:
            places[name] = place
    return places


def _records(lines: pl.DataFrame, header: Header) -> Parsed:
    places = _places(header)
    wanted = Wanted(len(header), tuple(places), tuple(places.values()))
    cut = without_strangers(cut_fields(lines, wanted), lines, wanted.width)
    dated = cut.fields["eventTime"].str.contains(_DATE)
    timeless = cut.fields.filter(~dated).select("line_index", reason=pl.lit(NO_TIME))
    known = cut.fields.filter(dated)
    fields, broken = _whole(known.filter(known["eventName"].is_in(NAMES)), places)
    events, without_time = typed_events(fields)
    logins, transfers = login_rows(events), transfer_rows(events)
    if "errorCode" not in places:
        logins, transfers = _unanswered(logins, events), transfers.with_columns(outcome=pl.lit(None, OUTCOME))
    consumed = pl.concat([logins["line_index"], transfers["line_index"]]).sort()
    rejects = pl.concat([no_rejects(), cut.failed, timeless, broken, without_time]).sort("line_index")
    used = pl.concat([consumed, rejects["line_index"]])
    return Parsed(
        {LogType.LOGIN: logins, LogType.FILE_TRANSFER: transfers},
        consumed=consumed.to_numpy(),
        skipped=left_over(cut.fields["line_index"].to_numpy(), used.to_numpy()),
        rejects=rejects,
    )


def _whole(cut: pl.DataFrame, places: Mapping[str, int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every field of PATHS, null where the text is empty; line_index and reason where an object cannot be read."""
    fields = cut.with_columns(pl.when(pl.col(name) != "").then(name).alias(name) for name in places)
    columns: dict[str, pl.Series | pl.Expr] = {name: pl.lit(None, pl.String) for name in PATHS if name not in places}
    broken = [no_rejects()]
    for name in _OBJECTS:
        if name in places:
            paths = {field: path[1:] for field, path in PATHS.items() if path[0] == name}
            found, bad = object_fields(fields[name], paths)
            if bad.any():
                reason = pl.lit(f"{name}: {_UNREADABLE}")
                broken.append(fields.filter(pl.Series(bad)).select("line_index", reason=reason))
            columns |= {field: pl.coalesce(field, text) if field in places else text for field, text in found.items()}
    fields = fields.with_columns(**columns)
    unusable = pl.concat(broken).unique("line_index", keep="first", maintain_order=True)
    if unusable.height:
        fields = fields.join(unusable, on="line_index", how="anti", maintain_order="left")
    if "eventSource" not in places:
        fields = fields.with_columns(eventSource=pl.col("eventName").replace_strict(SOURCES, return_dtype=pl.String))
    return fields, unusable


def _unanswered(logins: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """`logins` as attempts where nothing says how they ended."""
    told = events.filter((pl.col("eventName") == SIGN_IN) & pl.col("ConsoleLogin").is_not_null())["line_index"]
    known = pl.col("line_index").is_in(told.implode()) | (pl.col("outcome") != "success")
    return logins.with_columns(pl.when(known).then("outcome").otherwise(pl.lit("attempt", OUTCOME)).alias("outcome"))


FORMAT = CloudTrailCsv()
