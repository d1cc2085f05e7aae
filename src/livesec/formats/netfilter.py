"""Packets that a Linux firewall logs: iptables' LOG target, nftables' log statement, ufw, and ulogd's syslog output.

    kernel: [1995.51] [UFW BLOCK] IN=eth0 OUT= MAC=.. SRC=192.0.2.1 DST=198.51.100.7 LEN=44 .. PROTO=TCP SPT=5222 DPT=80

Read: addresses, ports, protocol; the interfaces as direction (in alone: inbound, out alone: outbound, both: forwarded,
which says nothing); what happened, if the rule's log prefix says it in one of the usual words (BLOCK, DROP, REJECT,
DENY; ACCEPT, ALLOW, PASS): the kernel itself does not, and ufw's AUDIT comes before its verdict. A row is one packet,
its length what went out; of a connection only the packets that a rule logs are seen. The kernel writes IPv6 addresses
in full; rows have them shortened, as other logs do. In a prefix an administrator may write anything, nobody else can.
Skipped: other messages of the kernel. Not read: the packet inside an ICMP error (in brackets), MAC addresses, marks.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.protocols import Shape
from livesec.core.schema import DIRECTION, LogType
from livesec.formats.ip_text import canonical_ip
from livesec.formats.protocol_text import protocol
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_halves import halves
from livesec.formats.typed_fields import Field, count, needed, port, repeated, text, typed_rows
from livesec.formats.verdict_words import verdict

PROGRAMS: Final = ("kernel", "ulogd")
_MARK: Final = " SRC="
_BROKEN: Final = "a packet without the fields IN, OUT, SRC, DST, LEN and PROTO in their order; cut short?"
_NO_ADDRESS: Final = "SRC or DST is no address"
_FIELDS: Final = (
    Field("src", "src_ip", needed(text), _NO_ADDRESS),
    Field("dst", "dst_ip", needed(text), _NO_ADDRESS),
    Field("src_port", "src_port", port, "no port number (0 to 65535)"),
    Field("dst_port", "dst_port", port, "no port number (0 to 65535)"),
    Field("protocol", "protocol", protocol),
    Field("length", "bytes_out", count, "no number of bytes"),
)


class Netfilter(StatelessFormat):
    """Packets that the kernel logs."""

    name = "netfilter"
    title = "Linux firewall (iptables, nftables, ufw)"
    log_types = (LogType.NETWORK,)
    shape = Shape.SYSLOG
    journal_programs = PROGRAMS
    order = 25

    def owns(self, program: str) -> bool:
        """The kernel and the daemon that logs in its place."""
        return program in PROGRAMS

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the packets among the messages."""
        message = lines["message"]
        own = message.str.contains(_MARK, literal=True) & message.str.contains("IN=", literal=True)
        if not own.any():
            return NOTHING_PARSED
        packets = lines if own.all() else lines.filter(own)
        texts = _texts(packets["message"])
        broken = texts["protocol"].is_null() | texts["out"].is_null() | texts["into"].is_null()
        texts = texts.with_columns(canonical_ip(texts[name]).alias(name) for name in ("src", "dst"))
        wrong = ~broken & (texts["src"].is_null() | texts["dst"].is_null())
        reason = pl.select(pl.when(broken).then(pl.lit(_BROKEN)).when(wrong).then(pl.lit(_NO_ADDRESS))).to_series()
        failed = packets.select("line_index", reason=reason).drop_nulls("reason")
        if failed.height:
            good = ~(broken | wrong)
            packets, texts = packets.filter(good), texts.filter(good)
        typed = typed_rows(
            texts.insert_column(0, packets["line_index"]),
            _FIELDS,
            event_time_us=packets["event_time_us"],
            host=packets["host"],
            action=verdict(_without_stamp(texts["prefix"])),
            direction=_direction(texts["into"], texts["out"]),
            packets_out=repeated(1, packets.height, pl.Int64),
            connections=repeated(1, packets.height, pl.Int64),
        )
        return Parsed(
            {LogType.NETWORK: typed.rows},
            consumed=typed.rows["line_index"].to_numpy(),
            rejects=pl.concat([failed, typed.rejects]).sort("line_index"),
        )


def _texts(message: pl.Series) -> pl.DataFrame:
    """The fields of packets, in the order in which the kernel writes them; null behind the first that is missing."""
    start, rest = halves(message, _MARK)
    src, rest = halves(rest, " DST=")
    dst, rest = halves(rest, " LEN=")
    sizes, rest = halves(rest, " PROTO=")
    before, interfaces = halves(start, " OUT=")
    prefix, into = halves(before, "IN=")
    twice = into.str.contains("IN=", literal=True).fill_null(False)
    if twice.any():  # a prefix such as CHAIN=INPUT
        ends = before.str.extract_groups(r"^(.*)IN=([^ ]*)$").struct.unnest()
        prefix, into = ends["1"].zip_with(twice, prefix), ends["2"].zip_with(twice, into)
    words = rest.str.splitn(" ", 4).struct.unnest()
    ports = [
        pl.select(pl.when(words[field].str.starts_with(name)).then(words[field].str.strip_prefix(name))).to_series()
        for field, name in (("field_1", "SPT="), ("field_2", "DPT="))
    ]
    columns = {
        "prefix": prefix,
        "into": into,
        "out": halves(interfaces, " ")[0],
        "src": src,
        "dst": dst,
        "length": halves(sizes, " ")[0],
        "protocol": words["field_0"],
        "src_port": ports[0],
        "dst_port": ports[1],
    }
    return pl.DataFrame(columns)


def _without_stamp(prefix: pl.Series) -> pl.Series:
    """`prefix` without the kernel's own seconds, so that few are left that differ."""
    return prefix.str.strip_prefix("[").str.replace(r"^ *[0-9]+\.[0-9]+\] ?", "")


def _direction(into: pl.Series, out: pl.Series) -> pl.Series:
    ways = pl.when((into != "") & (out == "")).then(pl.lit("inbound"))
    return pl.select(ways.when((into == "") & (out != "")).then(pl.lit("outbound")).cast(DIRECTION)).to_series()


FORMAT = Netfilter()
