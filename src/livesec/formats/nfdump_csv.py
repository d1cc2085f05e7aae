"""NetFlow and IPFIX records as nfdump prints them (`nfdump -o csv`), of versions 1.6 and 1.7.

    ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out,...
    2026-03-02 10:00:00,2026-03-02 10:00:01,1.204,192.0.2.1,198.51.100.7,40001,443,TCP,...AP.SF,0,0,11,4321,0,0,..
    firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows

Read: the first time (local time of the machine that ran nfdump: set the source's time zone; of `csv-fast` milliseconds
since 1970), duration, addresses, ports, protocol by name or number, packets and bytes out (in, opkt and obyt, where
there are any: most exporters write each direction as a flow of its own), and flows as connections. Columns are found by
the header, so that any choice of them (`-o "csv:%ts,%sa,..."`) is read that has first time and both addresses. ICMP has
no ports: nfdump writes type and code there. Skipped: the totals behind `Summary`. Not read: TCP flags, interfaces,
autonomous systems, NAT, statistics (`-s`); output without a header (`-q`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.flow_csv import FlowCsv
from livesec.formats.ip_text import canonical_ip
from livesec.formats.protocol_text import protocol
from livesec.formats.text_times import clock_text_us, epoch_us
from livesec.formats.typed_fields import Field, Reading, TypedRows, count, needed, port, text, time, typed_rows

_WITHOUT_PORTS: Final = ("icmp", "ipv6-icmp")
_EPOCH_MS: Final = r"^[0-9]{12,13}$"
_EPOCH: Final = r"^[0-9]{9,10}(?:\.[0-9]+)?$"


def _address(texts: pl.Series) -> Reading:
    return Reading(canonical_ip(texts))


def _seconds(texts: pl.Series) -> Reading:
    """A duration, null where it is written in another way than in seconds."""
    values = texts.str.strip_chars().cast(pl.Float64, strict=False)
    usable = values.is_finite() & (values >= 0)
    return Reading(values if usable.all() else values.set(~usable.fill_null(False), None))


def _connections(texts: pl.Series) -> Reading:
    known = count(texts)
    return Reading(known.values.fill_null(1).clip(lower_bound=1), known.bad)


class NfdumpCsv(FlowCsv):
    """Flows of nfdump."""

    name = "nfdump_csv"
    title = "nfdump's CSV (NetFlow, IPFIX)"
    order = 26  # its header makes its lines known, sooner than others look at them
    mark = ("ts,te,td,", "srcAddr")
    names = {  # noqa: RUF012
        "start": ("ts", "firstSeen"),
        "duration": ("td", "duration"),
        "src": ("sa", "srcAddr"),
        "dst": ("da", "dstAddr"),
        "src_port": ("sp", "srcPort"),
        "dst_port": ("dp", "dstPort"),
        "protocol": ("pr", "proto"),
        "packets": ("ipkt", "packets", "inPackets"),
        "bytes": ("ibyt", "bytes", "inBytes"),
        "packets_back": ("opkt", "outPackets"),
        "bytes_back": ("obyt", "outBytes"),
        "flows": ("fl", "flows"),
    }
    telling = ("start", "src", "dst")
    trailer = ("No matching flows", "No matched flows", "Summary", "flows,bytes,packets,avg_bps,avg_pps,avg_bpp")

    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of flows."""
        names = protocol(texts["protocol"].str.strip_chars_end()).values
        texts = texts.with_columns(names)
        without_ports = names.is_in(_WITHOUT_PORTS).fill_null(False)
        if without_ports.any():
            ports = [pl.when(~without_ports).then(name).alias(name) for name in ("src_port", "dst_port")]
            texts = texts.with_columns(ports)
        one_way = (texts["packets_back"] == "0") & (texts["bytes_back"] == "0")
        if one_way.any():
            back = [pl.when(~one_way).then(name).alias(name) for name in ("packets_back", "bytes_back")]
            texts = texts.with_columns(back)
        return typed_rows(
            texts,
            (
                Field("start", "event_time_us", time(lambda found: _start_us(found, time_zone)), "no time"),
                Field("src", "src_ip", needed(_address), "no address"),
                Field("dst", "dst_ip", needed(_address), "no address"),
                Field("src_port", "src_port", port, "no port number (0 to 65535)"),
                Field("dst_port", "dst_port", port, "no port number (0 to 65535)"),
                Field("protocol", "protocol", text),
                Field("duration", "duration_s", _seconds),
                Field("packets", "packets_out", count, "no number of packets"),
                Field("bytes", "bytes_out", count, "no number of bytes"),
                Field("packets_back", "packets_in", count, "no number of packets"),
                Field("bytes_back", "bytes_in", count, "no number of bytes"),
                Field("flows", "connections", _connections, "no number of flows"),
            ),
        )


def _start_us(texts: pl.Series, zone: str) -> pl.Series:
    time_us = clock_text_us(texts, "-", zone)
    others = (time_us.is_null() & texts.is_not_null()).arg_true()
    if not len(others):
        return time_us
    numbers = texts.gather(others)
    in_ms, in_s = numbers.str.contains(_EPOCH_MS), numbers.str.contains(_EPOCH)
    seconds = pl.when(in_ms).then(numbers.str.head(-3) + "." + numbers.str.tail(3)).when(in_s).then(numbers)
    return time_us.scatter(others, epoch_us(pl.select(seconds).to_series()))


FORMAT = NfdumpCsv()
