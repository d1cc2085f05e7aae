"""Suricata's eve.json: flows, alerts, DNS questions and files.

    {"timestamp":"2026-03-02T00:00:00.250000+0000","event_type":"flow","src_ip":"192.0.2.1",..,"flow":{"bytes_toserver":1000,..}}

Read: `flow` as connections, with their start as time; `alert` as what an inspection saw or stopped (action allow or
deny), without bytes, for the flow tells them; `dns` questions; `fileinfo` as transfers over HTTP, FTP, SMB or mail.
The signature of an alert and its severity (1 the worst) are its rule. Skipped: stats, tls, http, ssh, anomaly, drop
and all other types, and answers of DNS. Not read: netflow records (one-sided), categories and metadata of alerts.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Shape
from livesec.core.schema import FILE_ACTION, OUTCOME, VERDICT, LogType
from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import (
    Field,
    TypedRows,
    count,
    divided,
    ip_address,
    lower_text,
    needed,
    port,
    repeated,
    text,
    time,
    typed_rows,
    whole_number,
)

_WANTED: Final[dict[str, Path]] = {
    **{name: (name,) for name in ("timestamp", "event_type", "flow_id", "src_ip", "src_port", "dest_ip", "dest_port")},
    **{name: (name,) for name in ("proto", "app_proto", "host")},
    **{
        f"flow.{name}": ("flow", name)
        for name in ("bytes_toserver", "bytes_toclient", "pkts_toserver", "pkts_toclient")
    },
    **{f"flow.{name}": ("flow", name) for name in ("start", "end", "state", "action")},
    **{f"alert.{name}": ("alert", name) for name in ("action", "signature", "severity")},
    "dns.type": ("dns", "type"),
    "dns.rrname": ("dns", "rrname"),
    "dns.queries": ("dns", "queries"),
    "dns.query": ("dns", "query"),
    "file.name": ("fileinfo", "filename"),
    "file.size": ("fileinfo", "size"),
    "file.state": ("fileinfo", "state"),
    "http.host": ("http", "hostname"),
    "http.method": ("http", "http_method"),
}
_READ: Final = ("flow", "alert", "dns", "fileinfo")
_UPLOADS: Final = ("PUT", "POST")
_RRNAME: Final = r'"rrname": ?"([^"\\]*)"'
_QUESTIONS: Final = ("query", "request")
_DENIED: Final = ("blocked", "drop", "dropped", "reject")


def _time(texts: pl.Series) -> pl.Series:
    return iso_us(texts, "UTC")


_ENDS: Final = (
    Field("time", "event_time_us", time(_time), "no time that can be read in timestamp or flow.start"),
    Field("src_ip", "src_ip", needed(text), "missing, or no address"),
    Field("src_port", "src_port", port, "no port number (0 to 65535)"),
    Field("dest_ip", "dst_ip", needed(text), "missing, or no address"),
    Field("dest_port", "dst_port", port, "no port number (0 to 65535)"),
    Field("proto", "protocol", lower_text),
    Field("app", "app", text),
    Field("flow_id", "session_id", text),
    Field("host", "host", text),
)
_FLOW: Final = (
    *_ENDS,
    Field("flow.bytes_toserver", "bytes_out", count, "no number of bytes"),
    Field("flow.bytes_toclient", "bytes_in", count, "no number of bytes"),
    Field("flow.pkts_toserver", "packets_out", count, "no number of packets"),
    Field("flow.pkts_toclient", "packets_in", count, "no number of packets"),
    Field("alert.signature", "rule", text),
    Field("alert.severity", "rule_severity", whole_number(0, 255, pl.Int32), "no severity (0 to 255)"),
)
_FILE: Final = (
    Field("time", "event_time_us", time(_time), "no time that can be read in timestamp"),
    Field("client", "src_ip", needed(text), "missing, or no address"),
    Field("file.name", "path", needed(text), "missing"),
    Field("file.size", "bytes", count, "no number of bytes"),
    Field("app", "protocol", text),
    Field("http.host", "destination", text),
    Field("flow_id", "session_id", text),
    Field("host", "host", text),
)


class SuricataEve(StatelessFormat):
    """Flows, alerts, DNS questions and files that Suricata saw."""

    name = "suricata_eve"
    title = "Suricata eve.json"
    log_types = (LogType.NETWORK, LogType.FILE_TRANSFER)
    shape = Shape.JSON
    order = 40

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take Suricata's events."""
        line = lines["line"]
        own = line.str.contains('"event_type"', literal=True) & line.str.contains('"timestamp"', literal=True)
        own &= line.str.contains('"flow_id"', literal=True) | line.str.contains('"event_type":"stats"', literal=True)
        if not own.any():
            return NOTHING_PARSED
        found = json_fields(lines if own.all() else lines.filter(own), _WANTED)
        events = _prepared(found.fields)
        kind = events["event_type"]
        answered = (kind == "dns") & ~events["dns.type"].is_in(_QUESTIONS).fill_null(False)
        wanted = kind.is_in(_READ).fill_null(False) & ~answered.fill_null(False)
        network = _network(events.filter(wanted & (kind != "fileinfo")))
        files = _files(events.filter(wanted & (kind == "fileinfo")))
        used = pl.concat([network.rows["line_index"], files.rows["line_index"]]).sort()
        return Parsed(
            {LogType.NETWORK: network.rows, LogType.FILE_TRANSFER: files.rows},
            consumed=used.to_numpy(),
            skipped=events["line_index"].filter(~wanted).to_numpy(),
            rejects=pl.concat([no_rejects(), found.failed, network.rejects, files.rejects]).sort("line_index"),
        )


def _prepared(fields: pl.DataFrame) -> pl.DataFrame:
    """With addresses that are ones, the time of each event, and what is named differently from type to type."""
    addresses = [ip_address(fields[name]).values.alias(name) for name in ("src_ip", "dest_ip")]
    is_flow = pl.col("event_type") == "flow"
    app = pl.col("app_proto").str.to_lowercase()
    return fields.with_columns(*addresses).with_columns(
        pl.when(is_flow).then(pl.coalesce("flow.start", "timestamp")).otherwise("timestamp").alias("time"),
        pl.when(pl.col("event_type") == "dns").then(pl.lit("dns")).when(app != "failed").then(app).alias("app"),
    )


def _network(events: pl.DataFrame) -> TypedRows:
    is_flow = events["event_type"] == "flow"
    denied = events["alert.action"].is_in(_DENIED) | events["flow.action"].is_in(_DENIED)
    action = pl.when(denied).then(pl.lit("deny")).when(events["alert.action"].is_not_null()).then(pl.lit("allow"))
    spans = divided(iso_us(events["flow.end"], "UTC") - iso_us(events["flow.start"], "UTC"), 1e6)
    listed = pl.coalesce("dns.queries", "dns.query").str.extract(_RRNAME)
    return typed_rows(
        events,
        _FLOW,
        action=pl.select(action.cast(VERDICT)).to_series(),
        duration_s=pl.select(pl.when(is_flow & (spans >= 0)).then(spans)).to_series(),
        conn_state=pl.select(_state(events, is_flow)).to_series(),
        query=events.select(pl.coalesce("dns.rrname", listed)).to_series(),
        connections=pl.select(pl.when(is_flow).then(pl.lit(1, pl.Int64))).to_series()
        if events.height
        else repeated(None, 0, pl.Int64),
    )


def _state(events: pl.DataFrame, is_flow: pl.Series) -> pl.Expr:
    """Zeek's word for a flow without an answer; null for others, of which Suricata tells less."""
    silent = is_flow & (events["flow.pkts_toclient"] == "0")
    return pl.when(silent).then(pl.lit("S0"))


def _files(events: pl.DataFrame) -> TypedRows:
    sent = events["http.method"].is_in(_UPLOADS).fill_null(False)
    # The sender of the file is the source: the client of a download is the destination.
    client = events["src_ip"].zip_with(sent, events["dest_ip"])
    whole = events["file.state"] == "CLOSED"
    return typed_rows(
        events.with_columns(client.alias("client")),
        _FILE,
        action=pl.select(
            pl.when(sent).then(pl.lit("upload")).otherwise(pl.lit("download")).cast(FILE_ACTION)
        ).to_series(),
        outcome=pl.select(pl.when(whole).then(pl.lit("success")).cast(OUTCOME)).to_series(),
    )


FORMAT = SuricataEve()
