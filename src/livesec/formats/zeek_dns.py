"""Zeek's dns.log: the names that were asked for, tab-separated or JSON.

    {"ts":1772409600.25,"uid":"CJ1","id.orig_h":"192.0.2.1",..,"proto":"udp","rtt":0.0015,"query":"example.org",..}

Read: ts, uid, the addresses and ports of both ends, proto, the query, and rtt as latency. conn.log tells the connection
with its bytes: a row of this log is no connection. Skipped: records without a query.
Not read: types, codes and answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from livesec.core.schema import LogType
from livesec.formats.json_events import scaled
from livesec.formats.typed_fields import Field, TypedRows, lower_text, seconds, text, typed_rows
from livesec.formats.zeek_logs import ZeekLog
from livesec.formats.zeek_records import (
    CONNECTION,
    ORIGINATOR,
    ORIGINATOR_PORT,
    RESPONDER,
    RESPONDER_PORT,
    TIME,
)

_MS_IN_S: Final = 1000
_FIELDS: Final = (
    TIME,
    CONNECTION,
    ORIGINATOR,
    ORIGINATOR_PORT,
    RESPONDER,
    RESPONDER_PORT,
    Field("proto", "protocol", lower_text),
    Field("query", "query", text),
    Field("rtt", "latency_ms", scaled(seconds, 1 / _MS_IN_S), "no number of seconds"),
)


class ZeekDns(ZeekLog):
    """DNS questions that Zeek saw."""

    name = "zeek_dns"
    title = "Zeek dns.log (tab-separated or JSON)"
    log_types = (LogType.NETWORK,)
    log = "dns"
    fields = tuple(field.name for field in _FIELDS)

    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """A row for each question."""
        asked = texts.filter(texts["query"].is_not_null())
        app = pl.repeat("dns", asked.height, dtype=pl.String, eager=True)
        return [(LogType.NETWORK, typed_rows(asked, _FIELDS, app=app))]


FORMAT = ZeekDns()
