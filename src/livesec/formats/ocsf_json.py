"""JSON lines in the Open Cybersecurity Schema Framework (OCSF), as Amazon Security Lake and many products write them.

    {"class_uid":3002,"activity_id":1,"status_id":2,"time":1772445600000,"metadata":{"version":"1.1.0"},
     "user":{"name":"root"},"src_endpoint":{"ip":"192.0.2.1"}}          (on one line)

Read: Authentication (3002) as logins, where the activity is a logon or a preauthentication; Network Activity (4001),
HTTP (4002), DNS (4003) and RDP, SMB, SSH without a file as network, where both ends are named, or for DNS the query;
File System (1001), SMB with a file (4006), FTP (4008), Network File (4010) and File Hosting (6006) Activity as file
transfers, where the activity reads, moves, deletes or transfers a file. Status 1 is a success, 2 a failure, any other
an attempt. Skipped: other classes and activities, such as logoffs, tickets, and sockets that listen. A connection whose
opening and closing are both logged gives a row for each: OCSF does not tie them. Traffic counts are those of the event.
An address that is none is null; so is a user where only an id is given.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import DIRECTION, FILE_ACTION, LOG_TYPES, OUTCOME, VERDICT, LogType
from livesec.formats.column_readers import column_field
from livesec.formats.json_events import Events, events_parsed, known_word, of_kind, scaled
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import epoch_ms_us, iso_us
from livesec.formats.typed_fields import Field, repeated, seconds, time

_MILLISECONDS: Final = 1000

_LOGON: Final = ("1", "6")
_LISTEN: Final = "7"
_NETWORK_CLASSES: Final = ("4001", "4002", "4003", "4005", "4006", "4007")
_DNS: Final = "4003"
_HOSTED: Final = {"1": "upload", "2": "download", "4": "delete", "5": "rename", "6": "copy", "7": "move", "9": "read"}
_FILE_ACTIONS: Final = {
    "1001": {"2": "read", "4": "delete", "5": "rename"},
    "4006": {"2": "read"},
    "4008": {"1": "upload", "2": "download", "4": "delete", "5": "rename"},
    "4010": _HOSTED,
    "6006": _HOSTED,
}
_FILE_PROTOCOLS: Final = {"4006": "smb", "4008": "ftp"}
_OUTCOMES: Final = {"1": "success", "2": "failure"}
_DIRECTIONS: Final = {"1": "inbound", "2": "outbound", "3": "internal"}
_VERDICTS: Final = {"1": "allow", "2": "deny"}
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmp6", "132": "sctp"}

_COLUMNS: Final[dict[LogType, dict[str, str]]] = {
    LogType.LOGIN: {
        "user": "user.name",
        "src_ip": "src_endpoint.ip",
        "src_port": "src_endpoint.port",
        "reason": "status_detail",
        "auth_method": "auth_protocol",
        "client": "http_request.user_agent",
        "service": "service.name",
        "host": "device.hostname",
        "session_id": "session.uid",
    },
    LogType.NETWORK: {
        "src_ip": "src_endpoint.ip",
        "src_port": "src_endpoint.port",
        "dst_ip": "dst_endpoint.ip",
        "dst_port": "dst_endpoint.port",
        "protocol": "connection_info.protocol_name",
        "bytes_out": "traffic.bytes_out",
        "bytes_in": "traffic.bytes_in",
        "packets_out": "traffic.packets_out",
        "packets_in": "traffic.packets_in",
        "query": "query.hostname",
        "host": "device.hostname",
        "session_id": "connection_info.uid",
    },
    LogType.FILE_TRANSFER: {
        "user": "user.name",
        "src_ip": "src_endpoint.ip",
        "bytes": "file.size",
        "host": "device.hostname",
        "service": "service.name",
    },
}
_ALSO: Final = {
    "user.name": ("actor.user.name", "user.email_addr", "actor.user.email_addr"),
    "device.hostname": ("dst_endpoint.hostname",),
}
"""Where a value stands if its own field is missing."""
_TELLING: Final = (
    *("class_uid", "activity_id", "time", "time_dt", "status_id", "duration", "action_id", "disposition_id"),
    *("metadata.version", "connection_info.direction_id", "connection_info.protocol_num"),
    *("file.path", "file_result.path"),
)
_NEEDED: Final = (
    *("class_uid", "status_id", "action_id", "disposition_id", "connection_info.direction_id"),
    *("file.path", "file_result.path", "file_action"),
)
"""What a row's further columns are made of."""
_NAMES: Final = tuple(
    dict.fromkeys(
        [
            *_TELLING,
            *(name for columns in _COLUMNS.values() for name in columns.values()),
            *(name for others in _ALSO.values() for name in others),
        ]
    )
)
_PATHS: Final[dict[str, Path]] = {name: tuple(name.split(".")) for name in _NAMES}
_FIELDS: Final = {
    log_type: tuple(column_field(log_type, column, name) for column, name in columns.items())
    for log_type, columns in _COLUMNS.items()
}
_DURATION: Final = Field("duration", "duration_s", scaled(seconds, _MILLISECONDS), "no number of milliseconds")


def _time_us(texts: pl.Series) -> pl.Series:
    """Milliseconds since 1970, or RFC 3339."""
    time_us = epoch_ms_us(texts)
    others = (time_us.is_null() & texts.is_not_null()).arg_true()
    return time_us.scatter(others, iso_us(texts.gather(others), "UTC")) if len(others) else time_us


_CLOCK: Final = Field("time", "event_time_us", time(_time_us), "no time in milliseconds since 1970")


class OcsfJson(StatelessFormat):
    """Events of OCSF."""

    name = "ocsf_json"
    title = "OCSF in JSON lines (Amazon Security Lake and others)"
    log_types = LOG_TYPES
    shape = Shape.JSON
    order = 90

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take objects with a class_uid, a time and metadata."""
        line = lines["line"]
        own = line.str.contains('"class_uid"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        own &= line.str.contains('"metadata"', literal=True) & line.str.contains('"time', literal=True)
        if not own.any():
            return NOTHING_PARSED
        found, failed = json_fields(lines.filter(own), _PATHS)
        told = _told(found.filter(_is_ocsf()))
        return events_parsed(
            {log_type: _events(told, log_type) for log_type in LOG_TYPES},
            told["line_index"].head(0),
            of_kind(told, "skip", ())["line_index"],
            [failed],
        )


def _is_ocsf() -> pl.Expr:
    timed = pl.col("time").is_not_null() | pl.col("time_dt").is_not_null()
    return pl.col("class_uid").is_not_null() & pl.col("metadata.version").is_not_null() & timed


def _file_action() -> pl.Expr:
    """By class and activity."""
    words = {f"{uid}/{act}": word for uid, actions in _FILE_ACTIONS.items() for act, word in actions.items()}
    pair = pl.concat_str("class_uid", "activity_id", separator="/")
    return pair.replace_strict(words, default=None, return_dtype=FILE_ACTION)


def _told(found: pl.DataFrame) -> pl.DataFrame:
    """`found` with kind (a log type or skip), file_action, and what stands in other fields moved to its own."""
    protocol = pl.col("connection_info.protocol_num").replace_strict(
        _PROTOCOLS, default=pl.col("connection_info.protocol_num"), return_dtype=pl.String
    )
    told = found.with_columns(
        *(pl.coalesce(name, *others).alias(name) for name, others in _ALSO.items()),
        pl.coalesce("time", "time_dt"),
        pl.coalesce("connection_info.protocol_name", protocol).alias("connection_info.protocol_name"),
        file_action=_file_action(),
    )
    uid = pl.col("class_uid")
    login = (uid == "3002") & pl.col("activity_id").is_in(_LOGON)
    transfer = pl.col("file_action").is_not_null() & pl.col("file.path").is_not_null()
    ends = pl.col("src_endpoint.ip").is_not_null() & pl.col("dst_endpoint.ip").is_not_null()
    query = (uid == _DNS) & pl.col("src_endpoint.ip").is_not_null() & pl.col("query.hostname").is_not_null()
    opened = pl.col("activity_id").fill_null("0") != _LISTEN
    network = uid.is_in(_NETWORK_CLASSES) & ((ends & opened) | query)
    return told.with_columns(
        kind=pl.when(login)
        .then(pl.lit("login"))
        .when(transfer)
        .then(pl.lit("file_transfer"))
        .when(network)
        .then(pl.lit("network"))
        .otherwise(pl.lit("skip"))
    )


def _events(told: pl.DataFrame, log_type: LogType) -> Events:
    fields = (_CLOCK, *_FIELDS[log_type], *([_DURATION] if log_type == LogType.NETWORK else []))
    told = of_kind(told, log_type, fields, *_NEEDED)
    outcome = known_word(told["status_id"], _OUTCOMES, OUTCOME)
    if log_type == LogType.LOGIN:
        return Events(
            told, fields, {"outcome": outcome.fill_null("attempt"), "count": repeated(1, told.height, pl.Int32)}
        )
    direction = known_word(told["connection_info.direction_id"], _DIRECTIONS, DIRECTION)
    if log_type == LogType.NETWORK:
        verdict = pl.coalesce("action_id", "disposition_id").replace_strict(
            _VERDICTS, default=None, return_dtype=VERDICT
        )
        app = pl.when(pl.col("class_uid") == _DNS).then(pl.lit("dns"))
        more = told.select(action=verdict, app=app).get_columns()
        return Events(
            told,
            fields,
            {
                "direction": direction,
                "connections": repeated(1, told.height, pl.Int64),
                **{one.name: one for one in more},
            },
        )
    renamed = pl.col("file_action").is_in(["rename", "move", "copy"]) & pl.col("file_result.path").is_not_null()
    names = told.select(
        path=pl.when(renamed).then("file_result.path").otherwise("file.path"),
        old_path=pl.when(renamed).then("file.path"),
        protocol=pl.col("class_uid").replace_strict(_FILE_PROTOCOLS, default=None, return_dtype=pl.String),
        action="file_action",
    )
    return Events(told, fields, {**names.to_dict(), "outcome": outcome, "direction": direction})


FORMAT = OcsfJson()
