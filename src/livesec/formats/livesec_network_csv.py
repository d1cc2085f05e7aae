"""network_logs.csv: timestamp,source_ip,dest_ip,port,protocol,bytes_sent,bytes_received,connections.

Read: all eight; `port` is the destination's. A line without `connections`, or with 0, stands for one connection.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from livesec.core.schema import LogType
from livesec.formats.csv_log import NETWORK_HEADER, CsvLog
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import (
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


FORMAT = LivesecNetworkCsv()
