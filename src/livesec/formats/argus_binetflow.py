"""Argus' bidirectional flows as CSV (`.binetflow`), as the CTU-13 data set has them.

    StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label
    2011/08/10 09:46:59.607825,1.026539,tcp,192.0.2.1,1577,   ->,198.51.100.7,6881,S_RA,0,0,4,276,156,flow=Background

Read: the start (a time without a zone: set the source's), duration, addresses, ports, protocol, SrcBytes out and the
rest of TotBytes in; packets where there are SrcPkts and DstPkts, or where all bytes went one way. Where Dir is `<-` the
destination opened the flow, and the ends are exchanged; `?` in it says that Argus is not sure, and they stay. The State
of TCP is given as Zeek's conn_state (S_ is S0, S_RA is REJ, FSPA_FSPA is SF), others are not. rtp, rtcp and udt are
applications over UDP. What stands as ports of ICMP is its type and code: it has none. Skipped: flows of layer 2 (arp,
llc, ..), others between MAC addresses, and Argus' own records (man). Not read: Label, sTos, dTos, user data; names of
ports; output of `ra` that is not comma-separated.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.argus_states import zeek_states
from livesec.formats.flow_csv import FlowCsv
from livesec.formats.ip_text import canonical_ip
from livesec.formats.protocol_text import protocol
from livesec.formats.text_starts import begins_with
from livesec.formats.text_times import clock_text_us, keep_where
from livesec.formats.typed_fields import (
    MAX_PORT,
    Field,
    Reading,
    TypedRows,
    count,
    needed,
    repeated,
    seconds,
    text,
    time,
    typed_rows,
)
from livesec.formats.typed_fields import port as decimal_port

_NO_IP: Final = ("arp", "rarp", "llc", "man", "ipx/spx", "isis", "lldp", "loop", "unas")
_OVER_UDP: Final = ("rtp", "rtcp", "udt")
_WITH_PORTS: Final = ("tcp", "udp", "sctp", "dccp")
_MAC_BYTES: Final = 17
_MAC: Final = "^(?:[0-9a-fA-F]{2}:){5}[^:]*$"
_MORE_OUT: Final = "SrcBytes: more than TotBytes"


def _address(texts: pl.Series) -> Reading:
    return Reading(canonical_ip(texts))


def _port(texts: pl.Series) -> Reading:
    """A port, decimal or as `0x0035`."""
    at = begins_with(texts, "0x").arg_true()
    if not len(at):
        return decimal_port(texts)
    written = texts.gather(at)
    numbers = written.str.strip_prefix("0x").str.to_integer(base=16, strict=False, dtype=pl.Int64)
    usable = (numbers <= MAX_PORT).fill_null(False)
    return decimal_port(texts.clone().scatter(at, written.zip_with(~usable, numbers.cast(pl.String))))


class ArgusBinetflow(FlowCsv):
    """Flows of Argus."""

    name = "argus_binetflow"
    title = "Argus flows as CSV (binetflow, CTU-13)"
    order = 27  # as nfdump_csv
    mark = ("StartTime",)
    names = {  # noqa: RUF012
        "start": ("StartTime",),
        "duration": ("Dur",),
        "protocol": ("Proto",),
        "src": ("SrcAddr",),
        "src_port": ("Sport",),
        "way": ("Dir",),
        "dst": ("DstAddr",),
        "dst_port": ("Dport",),
        "state": ("State",),
        "packets_out": ("SrcPkts",),
        "packets_in": ("DstPkts",),
        "bytes_out": ("SrcBytes",),
        "bytes_in": ("DstBytes",),
        "packets": ("TotPkts",),
        "bytes": ("TotBytes",),
    }
    telling = ("start", "protocol", "src", "dst")

    def skips(self, texts: pl.DataFrame) -> pl.Series:
        """Flows of layer 2."""
        named = texts["protocol"].is_in(_NO_IP)
        as_long = texts["src"].str.len_bytes() == _MAC_BYTES
        if as_long.any():
            named |= keep_where(as_long, texts["src"]).str.contains(_MAC).fill_null(False)
        return named.fill_null(False)

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of flows."""
        names = protocol(texts["protocol"]).values
        over_udp = names.is_in(_OVER_UDP).fill_null(False)
        app = pl.repeat(None, texts.height, dtype=pl.String, eager=True)
        if over_udp.any():
            names, app = names.set(over_udp, "udp"), names.set(~over_udp, None)
        texts = texts.with_columns(names)
        with_ports = names.is_in(_WITH_PORTS).fill_null(False)
        if not with_ports.all():
            ports = (pl.when(with_ports).then(name).alias(name) for name in ("src_port", "dst_port"))
            texts = texts.with_columns(ports)
        back = (texts["way"].str.strip_chars() == "<-").fill_null(False)
        read = typed_rows(
            texts,
            (
                Field("start", "event_time_us", time(lambda found: _start_us(found, time_zone)), "no time"),
                Field("src", "src_ip", needed(_address), "no address"),
                Field("dst", "dst_ip", needed(_address), "no address"),
                Field("src_port", "src_port", _port, "no port number (0 to 65535)"),
                Field("dst_port", "dst_port", _port, "no port number (0 to 65535)"),
                Field("protocol", "protocol", text),
                Field("duration", "duration_s", seconds, "no number of seconds"),
                Field("packets_out", "packets_out", count, "no number of packets"),
                Field("packets_in", "packets_in", count, "no number of packets"),
                Field("bytes_out", "bytes_out", count, "no number of bytes"),
                Field("bytes_in", "bytes_in", count, "no number of bytes"),
                Field("packets", "packets", count, "no number of packets"),
                Field("bytes", "bytes", count, "no number of bytes"),
            ),
            app=app,
            conn_state=zeek_states(texts["state"], names, back),
            connections=repeated(1, texts.height, pl.Int64),
            back=back,
        )
        return _complete(read)


def _start_us(texts: pl.Series, zone: str) -> pl.Series:
    time_us = clock_text_us(texts, "/", zone)
    return time_us if time_us.null_count() == 0 else time_us.fill_null(clock_text_us(texts, "-", zone))


def _complete(read: TypedRows) -> TypedRows:
    """What the totals tell of each way, and the ends exchanged where the flow went `back`."""
    rest = pl.col("bytes") - pl.col("bytes_out")
    rows = read.rows.with_columns(bytes_in=pl.coalesce("bytes_in", rest))
    one_way = pl.col("bytes_in") == 0
    rows = rows.with_columns(
        packets_out=pl.coalesce("packets_out", pl.when(one_way).then("packets")),
        packets_in=pl.coalesce("packets_in", pl.when(one_way).then(pl.lit(0, pl.Int64))),
    )
    wrong = rows["bytes_in"] < 0
    rejects = read.rejects
    if wrong.any():
        failed = rows.filter(wrong).select("line_index", reason=pl.lit(_MORE_OUT))
        rows, rejects = rows.filter(~wrong.fill_null(False)), pl.concat([rejects, failed])
    if rows["back"].any():
        pairs = [
            ("src_ip", "dst_ip"),
            ("src_port", "dst_port"),
            ("bytes_out", "bytes_in"),
            ("packets_out", "packets_in"),
        ]
        rows = rows.with_columns(
            pl.when("back").then(other).otherwise(one).alias(one) for pair in pairs for one, other in (pair, pair[::-1])
        )
    return TypedRows(rows.drop("packets", "bytes", "back"), rejects)


FORMAT = ArgusBinetflow()
