"""Zeek's conn.log: tab-separated with its header, JSON, or JSON with the logs of all kinds in one stream.

    {"ts":1772409600.25,"uid":"CJ1","id.orig_h":"192.0.2.1","id.orig_p":50000,"id.resp_h":"198.51.100.7",..,"conn_state":"SF"}

Read of each connection: ts, uid, the addresses and ports of both ends, proto, service, duration, bytes and packets both
ways, conn_state, and local_orig with local_resp as the direction. A record is one by the header's #path, in JSON by
`_path` or `@stream`, and where neither is by its conn_state. Also as id_orig_h, as some shippers write id.orig_h.
Not read: history, tunnels, VLANs, layer-2 addresses; records inside another JSON object; conn_long and other logs that
tell the same connections again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import DIRECTION, LogType
from livesec.formats.typed_fields import Field, TypedRows, count, lower_text, repeated, seconds, text, typed_rows
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import (
    CONNECTION,
    ORIGINATOR,
    ORIGINATOR_PORT,
    RESPONDER,
    RESPONDER_PORT,
    TIME,
    is_true,
)

_FIELDS: Final = (
    TIME,
    CONNECTION,
    ORIGINATOR,
    ORIGINATOR_PORT,
    RESPONDER,
    RESPONDER_PORT,
    Field("proto", "protocol", lower_text),
    Field("service", "app", lower_text),
    Field("duration", "duration_s", seconds, "no number of seconds"),
    Field("orig_bytes", "bytes_out", count, "no number of bytes"),
    Field("resp_bytes", "bytes_in", count, "no number of bytes"),
    Field("conn_state", "conn_state", text),
    Field("orig_pkts", "packets_out", count, "no number of packets"),
    Field("resp_pkts", "packets_in", count, "no number of packets"),
)


class ZeekConn(ZeekLog):
    """Zeek's connections."""

    name = "zeek_conn"
    title = "Zeek conn.log (tab-separated or JSON)"
    log_types = (LogType.NETWORK,)
    log = "conn"
    fields = (*(field.name for field in _FIELDS), "local_orig", "local_resp")

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each connection."""
        typed = typed_rows(
            texts,
            _FIELDS,
            direction=_direction(texts["local_orig"], texts["local_resp"]),
            connections=repeated(1, len(texts), pl.Int64),
        )
        return [(LogType.NETWORK, typed)]


def _direction(local_orig: pl.Series, local_resp: pl.Series) -> pl.Series:
    """By whether Zeek counts each end among its own networks; null where it does not say."""
    if local_orig.null_count() == len(local_orig):
        return repeated(None, len(local_orig), DIRECTION)
    from_own, to_own = is_true(local_orig), is_true(local_resp)
    way = (
        pl.when(from_own & to_own)
        .then(pl.lit("internal", DIRECTION))
        .when(from_own & ~to_own)
        .then(pl.lit("outbound", DIRECTION))
        .when(~from_own & to_own)
        .then(pl.lit("inbound", DIRECTION))
        .when(~from_own & ~to_own)
        .then(pl.lit("external", DIRECTION))
    )
    return pl.select(way).to_series()


FORMAT = ZeekConn()
