"""The three row schemas: every column with its type, unit and Elastic Common Schema name.

Unknown is null. A format fills what its lines say and leaves out the rest; `complete` adds the missing columns as
nulls.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import polars as pl


class LogType(StrEnum):
    """What a row is about."""

    LOGIN = "login"
    NETWORK = "network"
    FILE_TRANSFER = "file_transfer"


LOG_TYPES = (LogType.LOGIN, LogType.NETWORK, LogType.FILE_TRANSFER)

OUTCOME = pl.Enum(["success", "failure", "attempt"])
"""`attempt` is a try whose end the log does not tell, such as a connection dropped before authentication."""

DIRECTION = pl.Enum(["inbound", "outbound", "internal", "external"])
VERDICT = pl.Enum(["allow", "deny"])
FILE_ACTION = pl.Enum(["upload", "download", "copy", "move", "delete", "rename", "read"])


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its polars type, its unit ("" where it has none), its ECS field, and what it says."""

    dtype: pl.DataType | type[pl.DataType]
    unit: str
    ecs: str
    about: str


COMMON: dict[str, Column] = {
    "sequence": Column(pl.Int64, "lines", "event.sequence", "ordinal of the line in the journalled order"),
    "row_in_line": Column(pl.Int32, "rows", "", "0 for the first row of a line"),
    "event_time_us": Column(pl.Int64, "us since 1970 UTC", "@timestamp", "the time the line states"),
    "stream_time_us": Column(
        pl.Int64, "us since 1970 UTC", "", "running maximum of the stream's event time, jumps clamped"
    ),
    "stream_id": Column(pl.Int32, "", "log.file.inode", "ordinal of the stream in the store"),
    "line_offset": Column(pl.Int64, "bytes", "log.offset", "where the line starts in its stream"),
    "line_length": Column(pl.Int64, "bytes", "", "length of the line without its line break"),
    "host": Column(pl.String, "", "host.name", "the machine that wrote the line"),
    "service": Column(pl.String, "", "service.name", "the program, such as sshd"),
    "session_id": Column(pl.String, "", "transaction.id", "ties the lines of one session"),
}

_ADDRESS: dict[str, Column] = {
    "country": Column(pl.String, "ISO 3166-1 alpha-2", "source.geo.country_iso_code", "of the source address"),
    "asn": Column(pl.UInt32, "", "source.as.number", "autonomous system of the source address"),
    "lat": Column(pl.Float32, "degrees", "source.geo.location.lat", "of the source address"),
    "lon": Column(pl.Float32, "degrees", "source.geo.location.lon", "of the source address"),
    "geo_radius_km": Column(pl.Float32, "km", "", "error of lat and lon"),
    "is_internal": Column(pl.Boolean, "", "", "source address is private or reserved"),
    "is_relay": Column(pl.Boolean, "", "", "source network is a VPN, relay or hosting network by the settings"),
}

LOGIN: dict[str, Column] = {
    "user": Column(pl.String, "", "user.name", "the account named"),
    "src_ip": Column(pl.String, "", "source.ip", "where from"),
    "src_port": Column(pl.Int32, "", "source.port", ""),
    **_ADDRESS,
    "outcome": Column(OUTCOME, "", "event.outcome", "success, failure or attempt"),
    "reason": Column(pl.String, "", "event.reason", "why it failed, such as invalid_user"),
    "auth_method": Column(pl.String, "", "", "password, publickey, ..."),
    "key_id": Column(pl.String, "", "", "fingerprint of the key used"),
    "client": Column(pl.String, "", "user_agent.original", "the client's own name"),
    "count": Column(pl.Int32, "attempts", "", "attempts that this row stands for (repeated messages); at least 1"),
}

NETWORK: dict[str, Column] = {
    "src_ip": Column(pl.String, "", "source.ip", "who opened the connection"),
    "src_port": Column(pl.Int32, "", "source.port", ""),
    "dst_ip": Column(pl.String, "", "destination.ip", ""),
    "dst_port": Column(pl.Int32, "", "destination.port", ""),
    "protocol": Column(pl.String, "", "network.transport", "tcp, udp, icmp, ... in lower case"),
    "app": Column(pl.String, "", "network.protocol", "application protocol, such as dns"),
    "direction": Column(DIRECTION, "", "network.direction", ""),
    "action": Column(VERDICT, "", "event.action", "what a firewall did"),
    "conn_state": Column(pl.String, "", "", "Zeek's conn_state, such as S0 for no answer"),
    "bytes_out": Column(pl.Int64, "bytes", "source.bytes", "from source to destination"),
    "bytes_in": Column(pl.Int64, "bytes", "destination.bytes", "from destination to source"),
    "packets_out": Column(pl.Int64, "packets", "source.packets", ""),
    "packets_in": Column(pl.Int64, "packets", "destination.packets", ""),
    "duration_s": Column(pl.Float64, "s", "event.duration", ""),
    "connections": Column(pl.Int64, "connections", "", "connections that this row stands for; at least 1"),
    "latency_ms": Column(pl.Float64, "ms", "", ""),
    "query": Column(pl.String, "", "dns.question.name", "DNS name asked for"),
    "rule": Column(pl.String, "", "rule.name", "what a network sensor calls it, where the row is an alert of one"),
    "rule_severity": Column(pl.Int32, "", "event.severity", "of that rule, 1 the worst, as Suricata counts"),
    "log_age_us": Column(pl.Int64, "us", "", "for how long network rows had been coming when this one came"),
    **_ADDRESS,
    **{
        f"dst_{name}": Column(
            column.dtype,
            column.unit,
            column.ecs.replace("source", "destination"),
            column.about.replace("source", "destination"),
        )
        for name, column in _ADDRESS.items()
    },
}

FILE_TRANSFER: dict[str, Column] = {
    "user": Column(pl.String, "", "user.name", ""),
    "src_ip": Column(pl.String, "", "source.ip", ""),
    "path": Column(pl.String, "", "file.path", "as the log names it"),
    "old_path": Column(pl.String, "", "", "before a rename or move"),
    "bytes": Column(pl.Int64, "bytes", "file.size", "bytes moved"),
    "action": Column(FILE_ACTION, "", "event.action", ""),
    "direction": Column(DIRECTION, "", "network.direction", ""),
    "destination": Column(pl.String, "", "", "where to: external_drive, cloud_storage, a host, ..."),
    "protocol": Column(pl.String, "", "network.protocol", "ftp, sftp, smb, ..."),
    "outcome": Column(OUTCOME, "", "event.outcome", ""),
    "duration_s": Column(pl.Float64, "s", "event.duration", ""),
    **_ADDRESS,
}

COLUMNS: dict[LogType, dict[str, Column]] = {
    LogType.LOGIN: COMMON | LOGIN,
    LogType.NETWORK: COMMON | NETWORK,
    LogType.FILE_TRANSFER: COMMON | FILE_TRANSFER,
}

IP_COLUMNS = frozenset({"src_ip", "dst_ip"})


def dtypes(log_type: LogType) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Column name to polars type, in schema order."""
    return {name: column.dtype for name, column in COLUMNS[log_type].items()}


def complete(frame: pl.DataFrame, log_type: LogType) -> pl.DataFrame:
    """`frame` with every column of the schema in order; missing ones are null, unknown ones are an error.

    Raises polars.exceptions.InvalidOperationError where a column does not cast to its type.
    """
    return frame.select(_completing(log_type, tuple(frame.columns), tuple(frame.dtypes)))


@lru_cache(maxsize=256)
def _completing(log_type: LogType, names: tuple[str, ...], types: tuple[pl.DataType, ...]) -> list[pl.Expr]:
    """How a frame of these columns is completed: the same for all batches of a format."""
    wanted = dtypes(log_type)
    unknown = set(names) - set(wanted)
    if unknown:
        raise ValueError(f"columns {sorted(unknown)} are not in the {log_type} schema (core/schema.py)")
    known = dict(zip(names, types, strict=True))
    return [
        pl.col(name).cast(dtype)
        if name in known and known[name] != dtype
        else pl.col(name)
        if name in known
        else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in wanted.items()
    ]
