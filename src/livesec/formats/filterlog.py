"""Packets that pf logs on pfSense and OPNsense (filterlog).

    filterlog[7]: 146,,,1535324496,igb1,match,block,in,4,0x0,,63,126,0,DF,6,tcp,60,192.0.2.1,198.51.100.7,49724,22,0,S

Read: of TCP, UDP, ICMP and all others, through IPv4 and IPv6, the addresses, ports, protocol, length (of an IPv6 packet
with its header, as of IPv4), what was done (block, reject and synproxy-drop deny, pass allows; of nat, rdr, binat and
scrub nothing is said), and the direction as pf says it: at its interface, so that what comes from the inside is inbound
there. A row is one packet; of a connection only the packets that a rule logs are seen. Fragments but the first have no
ports. Skipped: other messages of filterlog. Not read: rules and their labels, interfaces, TCP flags, ICMP types.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import DIRECTION, VERDICT, LogType
from livesec.formats.ip_text import canonical_ip
from livesec.formats.protocol_text import protocol
from livesec.formats.stateless import StatelessFormat
from livesec.formats.typed_fields import Field, count, needed, port, repeated, text, typed_rows

SERVICE: Final = "filterlog"
_RECORD: Final = r"^[0-9]*,"
_TRUNCATED: Final = ",truncated-ip"
_TRUNCATION: Final = r",truncated-ip6?=[0-9]+,"  # a field more, before those of the IP header
_ACTION, _DIRECTION, _VERSION = 6, 7, 8
_LAST: Final = 22
# Places of the IP header's fields; ports and the length of what is behind them follow the addresses.
_IPV4: Final = {"protocol": 15, "length": 17, "src": 18, "dst": 19, "src_port": 20, "dst_port": 21, "data": 22}
_IPV6: Final = {"protocol": 12, "length": 14, "src": 15, "dst": 16, "src_port": 17, "dst_port": 18, "data": 19}
_IPV6_HEADER_BYTES: Final = 40
_WITH_PORTS: Final = ("tcp", "udp")
_VERDICTS: Final = {"pass": "allow", "block": "deny", "reject": "deny", "synproxy-drop": "deny"}
_WAYS: Final = {"in": "inbound", "out": "outbound"}
_NO_IP: Final = "a packet of neither IPv4 nor IPv6"
_SHORT: Final = "fewer fields than a packet has; cut short?"
_NO_ADDRESS: Final = "source or destination is no address"
_FIELDS: Final = (
    Field("src", "src_ip", needed(text), _NO_ADDRESS),
    Field("dst", "dst_ip", needed(text), _NO_ADDRESS),
    Field("src_port", "src_port", port, "no port number (0 to 65535)"),
    Field("dst_port", "dst_port", port, "no port number (0 to 65535)"),
    Field("protocol", "protocol", text),
    Field("length", "bytes_out", needed(count), "no number of bytes"),
)


class Filterlog(StatelessFormat):
    """Packets that pf logs."""

    name = "filterlog"
    title = "pfSense and OPNsense firewall (filterlog)"
    log_types = (LogType.NETWORK,)
    shape = Shape.SYSLOG
    platform = Platform.CLOUD
    journal_programs = ("filterlog",)
    order = 25

    def owns(self, program: str) -> bool:
        """The logger of pf's packets."""
        return program == SERVICE

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the packets among the messages."""
        own = lines["message"].str.contains(_RECORD)
        if not own.any():
            return NOTHING_PARSED
        packets = lines if own.all() else lines.filter(own)
        texts = _texts(packets["message"])
        reasons = _reasons(texts)
        failed = packets.select("line_index", reason=reasons).drop_nulls("reason")
        if failed.height:
            packets, texts = packets.filter(reasons.is_null()), texts.filter(reasons.is_null())
        typed = typed_rows(
            texts.insert_column(0, packets["line_index"]),
            _FIELDS,
            event_time_us=packets["event_time_us"],
            host=packets["host"],
            action=texts["action"].replace_strict(_VERDICTS, default=None, return_dtype=VERDICT),
            direction=texts["direction"].replace_strict(_WAYS, default=None, return_dtype=DIRECTION),
            packets_out=repeated(1, packets.height, pl.Int64),
            connections=repeated(1, packets.height, pl.Int64),
        )
        rows = typed.rows.with_columns(service=pl.lit(SERVICE))
        return Parsed(
            {LogType.NETWORK: rows},
            consumed=rows["line_index"].to_numpy(),
            rejects=pl.concat([failed, typed.rejects]).sort("line_index"),
        )


def _texts(message: pl.Series) -> pl.DataFrame:
    """action, direction, version and the fields of the IP header; those null where the version is another."""
    if message.str.contains(_TRUNCATED, literal=True).any():
        message = message.str.replace(_TRUNCATION, ",")
    pieces = message.str.split_exact(",", _LAST).struct.unnest()
    action, direction, version = pieces[:, _ACTION], pieces[:, _DIRECTION], pieces[:, _VERSION]
    if (version == "4").all():
        fields = pieces.select(pl.nth(place).alias(name) for name, place in _IPV4.items())
    else:
        is_ipv4, is_ipv6 = (pl.nth(_VERSION) == number for number in ("4", "6"))
        fields = pieces.select(
            pl.when(is_ipv4).then(pl.nth(place)).when(is_ipv6).then(pl.nth(_IPV6[name])).alias(name)
            for name, place in _IPV4.items()
        )
        longer = (pl.col("length").cast(pl.Int64, strict=False) + _IPV6_HEADER_BYTES).cast(pl.String)
        length = pl.when(version == "6").then(longer).otherwise("length")
        fields = fields.with_columns(length.alias("length"))
    names = protocol(fields["protocol"]).values
    with_ports = names.is_in(_WITH_PORTS) & ~fields["src_port"].str.starts_with("errormsg")
    ports = fields.select(pl.when(with_ports).then(pl.col(name)).alias(name) for name in ("src_port", "dst_port"))
    addresses = (canonical_ip(fields[name]).alias(name) for name in ("src", "dst"))
    return fields.with_columns(
        names, *addresses, *ports, after=pl.col("src_port"), action=action, direction=direction, version=version
    )


def _reasons(texts: pl.DataFrame) -> pl.Series:
    """Why a record cannot be used, null where it can."""
    known = pl.col("version").is_in(["4", "6"])
    short = pl.col("after").is_null() | pl.col("src_port").str.len_bytes().gt(0) & pl.col("data").is_null()
    wrong = pl.col("src").is_null() | pl.col("dst").is_null()
    is_cut = pl.col("version").is_null() | known & short
    why = pl.when(is_cut).then(pl.lit(_SHORT)).when(~known).then(pl.lit(_NO_IP)).when(wrong).then(pl.lit(_NO_ADDRESS))
    return texts.select(why).to_series()


FORMAT = Filterlog()
