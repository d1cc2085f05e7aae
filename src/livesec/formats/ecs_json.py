"""JSON lines in the Elastic Common Schema, as Beats, Elastic Agent, Logstash and many products write them.

    {"@timestamp":"2026-03-02T10:00:00.000Z","event":{"category":["authentication"],"outcome":"failure"},
     "user":{"name":"root"},"source":{"ip":"192.0.2.1"}}          (on one line)

Keys may be nested (`"source": {"ip": ...}`) or dotted (`"source.ip": ...`). Read: event.category authentication as
logins (those that end a session are skipped), network and network_traffic as network, file and web as file transfers
where event.action or event.type says that a file at file.path was read, moved, renamed, deleted or transferred. The
fields are those that the schema's columns are named after (core/schema.py): user.name, source.ip, destination.bytes ...
Skipped: other categories; network events that do not name both ends, but DNS queries; web requests without file.path.
Flows that are still open (flow.final false) are part of the row that their last report gives: the counts grow.
An address that is none, and network.direction unknown, are null. Read by formats of their own and left to them: events
of Windows (winlog) and other products whose lines are no plain ECS. Not read: documents as a search returns them, with
_source around.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import COLUMNS, DIRECTION, FILE_ACTION, LOG_TYPES, OUTCOME, VERDICT, LogType
from livesec.formats.column_readers import column_field, readable_columns
from livesec.formats.json_events import Events, events_parsed, known_word, of_kind, scaled
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import Field, repeated, seconds, time

_NANOSECONDS: Final = 1_000_000_000
_OTHERS: Final = r'"(?:winlog(?:\.[a-z_.]+)?|_source)"\s*:'
"""Keys, told from values (a user may be named winlog) by their colon, of what other formats read or nobody."""

_OUTCOMES: Final = {"success": "success", "failure": "failure", "unknown": "attempt"}
_DIRECTIONS: Final = {
    **dict.fromkeys(("ingress", "inbound", "incoming"), "inbound"),
    **dict.fromkeys(("egress", "outbound", "outgoing"), "outbound"),
    "internal": "internal",
    "external": "external",
}
_VERDICTS: Final = {
    **dict.fromkeys(("allow", "allowed", "accept", "accepted", "pass", "passed", "permit", "permitted"), "allow"),
    **dict.fromkeys(("deny", "denied", "drop", "dropped", "block", "blocked", "reject", "rejected"), "deny"),
}
_ACTIONS: Final = {
    **dict.fromkeys(("upload", "uploaded", "file-upload", "file-uploaded", "fileuploaded"), "upload"),
    **dict.fromkeys(("download", "downloaded", "file-download", "file-downloaded", "filedownloaded"), "download"),
    **dict.fromkeys(("copy", "copied", "file-copied", "filecopied"), "copy"),
    **dict.fromkeys(("move", "moved", "file-moved", "filemoved"), "move"),
    **dict.fromkeys(("delete", "deleted", "deletion", "file-deleted", "filedeleted", "unlink"), "delete"),
    **dict.fromkeys(("rename", "renamed", "file-renamed", "filerenamed"), "rename"),
    **dict.fromkeys(("read", "access", "accessed", "open", "opened", "file-accessed", "fileaccessed"), "read"),
}

_CATEGORIES: Final = {
    LogType.LOGIN: ("authentication",),
    LogType.NETWORK: ("network", "network_traffic"),
    LogType.FILE_TRANSFER: ("file", "web"),
}
_ALSO: Final = {"service": "process.name", "user": "user.email", "src_ip": "client.ip", "host": "host.hostname"}
"""Where a column's value stands if its own field is missing."""
_CATEGORY: Final = "event.category"
_TIME: Final = "@timestamp"
_TELLING: Final = (_TIME, _CATEGORY, "event.type", "event.kind", "flow.final")
_WORDS: Final = ("outcome", "action", "direction")
"""Columns whose words need more than their own field, or are lenient."""


def _ecs(log_type: LogType, column: str) -> str:
    return COLUMNS[log_type][column].ecs


def _fields(log_type: LogType) -> tuple[Field, ...]:
    fields = []
    for column in readable_columns(log_type):
        name = _ecs(log_type, column)
        if name and column not in _WORDS:
            field = column_field(log_type, column, name)
            fields.append(replace(field, read=scaled(seconds, _NANOSECONDS)) if column == "duration_s" else field)
    return tuple(fields)


_CLOCK: Final = Field(_TIME, "event_time_us", time(partial(iso_us, zone="UTC")), "no time")
_DERIVED: Final = ("outcome", "verdict", "file_action", "way")
_FIELDS: Final = {log_type: _fields(log_type) for log_type in LOG_TYPES}
_NAMES: Final = tuple(
    dict.fromkeys(
        [
            *_TELLING,
            *("event.outcome", "event.action", "network.direction"),
            *(field.name for fields in _FIELDS.values() for field in fields),
            *_ALSO.values(),
        ]
    )
)
_NESTED: Final[dict[str, Path]] = {name: tuple(name.split(".")) for name in _NAMES}
_DOTTED_KEYS: Final = sorted({f'"{name.partition(".")[0]}.' for name in _NAMES if "." in name})
_DOTTED: Final = {f"dotted {name}": (name,) for name in _NAMES if "." in name}


class EcsJson(StatelessFormat):
    """Events in the Elastic Common Schema."""

    name = "ecs_json"
    title = "Elastic Common Schema in JSON lines (Beats, Elastic Agent, Logstash)"
    log_types = LOG_TYPES
    shape = Shape.JSON
    order = 90

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take objects with a @timestamp and an event.category."""
        line = lines["line"]
        own = line.str.contains('"@timestamp"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        own &= line.str.contains('"category"', literal=True) | line.str.contains('"event.category"', literal=True)
        own &= ~line.str.contains(_OTHERS)
        if not own.any():
            return NOTHING_PARSED
        found, failed = _read(lines.filter(own))
        told = _told(found.filter(pl.col(_CATEGORY).is_not_null() & pl.col(_TIME).is_not_null()))
        return events_parsed(
            {log_type: _events(told, log_type) for log_type in LOG_TYPES},
            of_kind(told, "part", ())["line_index"],
            of_kind(told, "skip", ())["line_index"],
            [failed],
        )


def _read(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fields by their ECS names, whether nested or dotted, with line_index; rejects."""
    dotted = lines["line"].str.contains_any(_DOTTED_KEYS)
    if not dotted.any():
        return json_fields(lines, _NESTED)
    both = json_fields(lines.filter(dotted), _NESTED | _DOTTED)
    joined = both.fields.select(
        "line_index",
        *(pl.coalesce(name, f"dotted {name}").alias(name) if "." in name else pl.col(name) for name in _NAMES),
    )
    nested = json_fields(lines.filter(~dotted), _NESTED)
    return pl.concat([nested.fields, joined]).sort("line_index"), pl.concat([nested.failed, both.failed])


def _values(text: str) -> set[str]:
    """The words of a field that may hold one or an array of them."""
    if not text.startswith("["):
        return {text.lower()}
    try:
        return {str(value).lower() for value in json.loads(text)}
    except (ValueError, RecursionError):
        return set()


def _log_type(category: str) -> str:
    values = _values(category)
    return next((str(kind) for kind, some in _CATEGORIES.items() if values.intersection(some)), "skip")


def _types(texts: pl.Series) -> dict[str, pl.Series]:
    """Which of the event types that matter here each of `texts` names."""
    distinct = {text: _values(text) for text in texts.drop_nulls().unique()}
    return {
        name: texts.is_in([text for text, values in distinct.items() if name in values]).fill_null(False)
        for name in ("start", "end", "denied", "allowed", "deletion", "access")
    }


def _told(found: pl.DataFrame) -> pl.DataFrame:
    """`found` with kind (a log type, part or skip), outcome, verdict and file_action."""
    categories = {text: _log_type(text) for text in found[_CATEGORY].unique()}
    types = _types(found["event.type"])
    action = found["event.action"].str.to_lowercase().str.replace_all("[ _]", "-")
    verdict = known_word(action, _VERDICTS, VERDICT)
    verdict = pl.select(
        pl.when(types["denied"]).then(pl.lit("deny")).when(types["allowed"]).then(pl.lit("allow")).otherwise(verdict)
    ).to_series()
    file_action = known_word(action, _ACTIONS, FILE_ACTION).cast(pl.String)
    by_type = pl.when(types["deletion"]).then(pl.lit("delete")).when(types["access"]).then(pl.lit("read"))
    outcome = known_word(found["event.outcome"], _OUTCOMES, OUTCOME)
    told = found.with_columns(
        *(pl.coalesce(_first_ecs(column), name).alias(_first_ecs(column)) for column, name in _ALSO.items()),
        kind=pl.col(_CATEGORY).replace_strict(categories, return_dtype=pl.String),
        outcome=outcome,
        verdict=verdict.cast(VERDICT),
        file_action=pl.coalesce(file_action, by_type).cast(FILE_ACTION),
        way=known_word(found["network.direction"], _DIRECTIONS, DIRECTION),
        started=types["start"],
        ended=types["end"] & ~types["start"],
    )
    kind = pl.col("kind")
    no_event = ~pl.col("event.kind").fill_null("event").is_in(["event"])
    no_login = (kind == "login") & (pl.col("ended") | (pl.col("outcome").is_null() & ~pl.col("started")))
    one_end = pl.col("destination.ip").is_null() & pl.col("dns.question.name").is_null()
    no_flow = (kind == "network") & (pl.col("source.ip").is_null() | one_end)
    no_transfer = (kind == "file_transfer") & (pl.col("file.path").is_null() | pl.col("file_action").is_null())
    open_flow = (kind == "network") & (pl.col("flow.final") == "false")
    return told.with_columns(
        kind=pl.when(no_event | no_login | no_flow | no_transfer)
        .then(pl.lit("skip"))
        .when(open_flow.fill_null(False))
        .then(pl.lit("part"))
        .otherwise(kind)
    )


def _first_ecs(column: str) -> str:
    return next(_ecs(kind, column) for kind in LOG_TYPES if column in COLUMNS[kind])


def _events(told: pl.DataFrame, log_type: LogType) -> Events:
    fields = (_CLOCK, *_FIELDS[log_type])
    told = of_kind(told, log_type, fields, *_DERIVED)
    more = {
        LogType.LOGIN: {
            "outcome": told["outcome"].fill_null("attempt"),
            "count": repeated(1, told.height, pl.Int32),
        },
        LogType.NETWORK: {
            "action": told["verdict"],
            "direction": told["way"],
            "connections": repeated(1, told.height, pl.Int64),
        },
        LogType.FILE_TRANSFER: {"action": told["file_action"], "direction": told["way"], "outcome": told["outcome"]},
    }
    return Events(told, fields, more[log_type])


FORMAT = EcsJson()
