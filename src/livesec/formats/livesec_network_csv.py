"""network_logs.csv: timestamp,source_ip,dest_ip,port,protocol,bytes_sent,bytes_received,connections.

Read: all eight; `port` is the destination's. A line without `connections`, or with 0, stands for one connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from livesec.core.schema import LogType
from livesec.formats.csv_log import NETWORK_HEADER, CsvLog
from livesec.formats.plain_csv import LOWER_TEXT, NUMBER, TEXT, TIME, Plain
from livesec.formats.text_times import iso_us, utc_of_local
from livesec.formats.typed_fields import (
    MAX_PORT,
    Field,
    Reading,
    TypedRows,
    address,
    count,
    lower_text,
    port,
    time,
    typed_rows,
)


def _connections(texts: pl.Series) -> Reading:
    known = count(texts)
    return Reading(known.values.fill_null(1).clip(lower_bound=1), known.bad)


class LivesecNetworkCsv(CsvLog):
    """Connections, one line for one or several of the same kind."""

    name = "livesec_network_csv"
    title = "network_logs.csv (header line with timestamp, source_ip, dest_ip, port)"
    log_types = (LogType.NETWORK,)
    header = NETWORK_HEADER
    plain = {  # noqa: RUF012
        "timestamp": Plain(TIME),
        "source_ip": Plain(TEXT),
        "dest_ip": Plain(TEXT),
        "port": Plain(NUMBER, largest=MAX_PORT),
        "protocol": Plain(LOWER_TEXT),
        "bytes_sent": Plain(NUMBER),
        "bytes_received": Plain(NUMBER),
        "connections": Plain(NUMBER),
    }

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of connections."""
        return typed_rows(
            texts,
            (
                Field("timestamp", "event_time_us", time(partial(iso_us, zone=time_zone)), "no time"),
                Field("source_ip", "src_ip", address),
                Field("dest_ip", "dst_ip", address),
                Field("port", "dst_port", port, "no port number (0 to 65535)"),
                Field("protocol", "protocol", lower_text),
                Field("bytes_sent", "bytes_out", count, "no number of bytes"),
                Field("bytes_received", "bytes_in", count, "no number of bytes"),
                Field("connections", "connections", _connections, "no number of connections"),
            ),
        )

    def typed_plain(self, fields: Mapping[str, pl.Series], time_zone: str) -> dict[str, pl.Series] | None:
        """Columns as `typed` gives them."""
        event_time_us = utc_of_local(fields["timestamp"].cast(pl.Datetime("us")), time_zone)
        if event_time_us.null_count():  # hours from 1970-01-01 or 2199-12-31 that lie outside these years in UTC
            return None
        return {
            "event_time_us": event_time_us,
            "src_ip": fields["source_ip"],
            "dst_ip": fields["dest_ip"],
            "dst_port": fields["port"].cast(pl.Int32),
            "protocol": fields["protocol"],
            "bytes_out": fields["bytes_sent"],
            "bytes_in": fields["bytes_received"],
            "connections": fields["connections"].clip(lower_bound=1),
        }


FORMAT = LivesecNetworkCsv()
