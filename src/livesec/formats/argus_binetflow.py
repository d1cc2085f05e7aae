"""Argus flows in CSV, as the CTU-13 data (.binetflow) has them, under their header line.

    StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label
    2011/08/10 09:46:59.607825,1.026539,tcp,192.0.2.1,1577,   ->,198.51.100.7,6881,S_RA,0,0,4,276,156,flow=Background

Read: start, duration, protocol, addresses, ports, the bytes of both ways (SrcBytes, and TotBytes without them). A time
is one of the source's time zone. Not read: Dir (the source is taken as Argus names it), State, TotPkts (both ways
together), the label, the hexadecimal type and code that ICMP has for ports, and addresses that are none (ARP).
"""

from __future__ import annotations

from functools import partial
from typing import Final

import polars as pl

from livesec.core.batch import no_rejects
from livesec.formats.flow_csv import FlowCsv, address_or_none, is_icmp
from livesec.formats.text_times import utc_of_local
from livesec.formats.typed_fields import Field, TypedRows, count, lower_text, port, repeated, seconds, time, typed_rows

_CLOCK: Final = "%Y/%m/%d %H:%M:%S%.f"
_MORE_OUT: Final = "SrcBytes: more than TotBytes"


def _start_us(texts: pl.Series, zone: str) -> pl.Series:
    clock = texts.str.to_datetime(_CLOCK, time_unit="us", strict=False, cache=False)
    return utc_of_local(clock, zone)


class ArgusBinetflow(FlowCsv):
    """Flows that Argus wrote."""

    name = "argus_binetflow"
    title = "Argus flows (.binetflow: header line with StartTime, SrcAddr, DstAddr, TotBytes)"
    columns = ("StartTime", "Dur", "Proto", "SrcAddr", "Sport", "DstAddr", "Dport", "TotBytes", "SrcBytes")
    telling = ("StartTime", "Proto", "SrcAddr", "DstAddr", "TotBytes")

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of flows."""
        icmp = is_icmp(texts["Proto"])
        ports = [
            pl.when(~pl.lit(icmp) & ~pl.col(name).str.starts_with("0x")).then(name).alias(name)
            for name in ("Sport", "Dport")
        ]
        flows = typed_rows(
            texts.with_columns(ports),
            (
                Field("StartTime", "event_time_us", time(partial(_start_us, zone=time_zone)), "no time"),
                Field("Dur", "duration_s", seconds, "no number of seconds"),
                Field("Proto", "protocol", lower_text),
                Field("SrcAddr", "src_ip", address_or_none),
                Field("DstAddr", "dst_ip", address_or_none),
                Field("Sport", "src_port", port, "no port number (0 to 65535)"),
                Field("Dport", "dst_port", port, "no port number (0 to 65535)"),
                Field("TotBytes", "bytes_in", count, "no number of bytes"),
                Field("SrcBytes", "bytes_out", count, "no number of bytes"),
            ),
            connections=repeated(1, texts.height, pl.Int64),
        )
        rows = flows.rows.with_columns(pl.col("bytes_in") - pl.col("bytes_out"))
        wrong = (rows["bytes_in"] < 0).fill_null(False)
        if not wrong.any():
            return TypedRows(rows, flows.rejects)
        failed = rows.filter(wrong).select("line_index", reason=pl.lit(_MORE_OUT))
        return TypedRows(rows.filter(~wrong), pl.concat([no_rejects(), flows.rejects, failed]))


FORMAT = ArgusBinetflow()
