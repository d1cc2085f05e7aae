"""NetFlow records as nfdump writes them with `-o csv`, under its header line.

    ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,...
    2026-03-02 00:00:00,2026-03-02 00:00:05,5.000,192.0.2.1,198.51.100.7,50000,443,TCP,...AP.SF,0,0,10,1000,0,0,...

Read: start (in the source's time zone), duration, addresses, ports, protocol, packets and bytes of both ways as the
record says: most exporters write each way as a record of its own, with nothing in opkt and obyt. Skipped: the Summary
at the end. Not read: flags, type of service, interfaces, autonomous systems, the type and code that ICMP has for ports.
"""

from __future__ import annotations

from functools import partial

import polars as pl

from livesec.formats.flow_csv import FlowCsv, address_or_none, is_icmp
from livesec.formats.text_times import iso_us
from livesec.formats.typed_fields import (
    Field,
    TypedRows,
    count,
    lower_text,
    needed,
    port,
    repeated,
    seconds,
    time,
    typed_rows,
)


class NfdumpCsv(FlowCsv):
    """Flows that nfdump wrote."""

    name = "nfdump_csv"
    title = "nfdump -o csv (header line with ts, te, td, sa, da)"
    columns = ("ts", "td", "sa", "da", "sp", "dp", "pr", "ipkt", "ibyt", "opkt", "obyt")
    telling = ("ts", "te", "td", "sa", "da", "ibyt")
    trailer = r"^(?:Summary|No match|flows,bytes,packets,|[0-9]+(?:,[0-9]+){4,}$)"

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of flows."""
        texts = texts.with_columns(pl.col("pr").str.strip_chars())
        icmp = is_icmp(texts["pr"])
        if icmp.any():
            texts = texts.with_columns(pl.when(~pl.lit(icmp)).then(name).alias(name) for name in ("sp", "dp"))
        return typed_rows(
            texts,
            (
                Field("ts", "event_time_us", time(partial(iso_us, zone=time_zone)), "no time"),
                Field("td", "duration_s", seconds, "no number of seconds"),
                Field("sa", "src_ip", needed(address_or_none), "missing, or no address"),
                Field("da", "dst_ip", needed(address_or_none), "missing, or no address"),
                Field("sp", "src_port", port, "no port number (0 to 65535)"),
                Field("dp", "dst_port", port, "no port number (0 to 65535)"),
                Field("pr", "protocol", lower_text),
                Field("ipkt", "packets_out", count, "no number of packets"),
                Field("ibyt", "bytes_out", count, "no number of bytes"),
                Field("opkt", "packets_in", count, "no number of packets"),
                Field("obyt", "bytes_in", count, "no number of bytes"),
            ),
            connections=repeated(1, texts.height, pl.Int64),
        )


FORMAT = NfdumpCsv()
