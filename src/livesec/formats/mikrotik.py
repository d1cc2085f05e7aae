"""MikroTik RouterOS through syslog: packets that firewall rules log, and logins to the router.

    firewall,info DROP input: in:ether1 out:(unknown 0), proto TCP (SYN), 192.0.2.1:4444->198.51.100.7:22, len 60
    system,error,critical login failure for user admin from 192.0.2.1 via ssh
    system,info,account user admin logged in from 192.0.2.1 via winbox

Read: of packets the addresses and ports before NAT, protocol, length, the chain as direction (input: inbound, output:
outbound, others say nothing), and what happened, if the rule's log prefix says it in one of the usual words (see
netfilter). Of logins the user, address and way in (ssh, winbox, web, api, ..) as the service. Topics may stand in
front, be a tag (`firewall,info:`) or be missing. Logins by MAC address (mac-winbox) or on the console have no address.
Skipped: logouts; all other topics. Not read: NAT, MAC addresses, hotspot, PPP and VPN logins; messages behind a prefix
that the logging rule (not the firewall's) sets.

On the console no address is written: a name typed there that ends in ` from <address>` passes for one.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.commands import Platform
from livesec.core.protocols import Shape
from livesec.core.schema import DIRECTION, LogType
from livesec.formats.ip_text import canonical_ip
from livesec.formats.mikrotik_logins import login_rows, may_be_logins
from livesec.formats.plain_regex import plain_cases
from livesec.formats.protocol_text import protocol
from livesec.formats.stateless import StatelessFormat
from livesec.formats.text_halves import halves
from livesec.formats.typed_fields import Field, TypedRows, count, needed, port, repeated, text, typed_rows
from livesec.formats.verdict_words import verdict

CHAINS: Final = ("input", "output", "forward", "prerouting", "postrouting", "srcnat", "dstnat")
_TOPICS: Final = ("firewall,", "system,")
_WAYS: Final = {"input": "inbound", "output": "outbound"}
_INTERFACES: Final = ": in:"
_PROTOCOL: Final = " proto "
_ARROW: Final = "->"
_ENDPOINTS: Final = (
    r"(?P<src>[0-9.]+):(?P<src_port>[0-9]+)->(?P<dst>[0-9.]+):(?P<dst_port>[0-9]+)",
    r"(?P<src>[0-9.]+)->(?P<dst>[0-9.]+)",
)
_PLAIN_ENDS: Final = tuple(  # of packets of IPv4 that were not translated, as most are
    rf"^(?P<protocol>[A-Za-z0-9]+){flags}, {endpoints}, len (?P<length>[0-9]+)$"
    for endpoints in _ENDPOINTS
    for flags in (r" \([^)>]*\)", "")
)
_BROKEN: Final = "a packet without protocol, addresses and length at its end; cut short?"
_UNCLEAR: Final = "an IPv6 address without brackets: where its port begins is not told"
_FIELDS: Final = (
    Field("src", "src_ip", needed(text), "no address"),
    Field("dst", "dst_ip", needed(text), "no address"),
    Field("src_port", "src_port", port, "no port number (0 to 65535)"),
    Field("dst_port", "dst_port", port, "no port number (0 to 65535)"),
    Field("protocol", "protocol", protocol),
    Field("length", "bytes_out", count, "no number of bytes"),
)


class Mikrotik(StatelessFormat):
    """Packets and logins that RouterOS logs."""

    name = "mikrotik"
    title = "MikroTik RouterOS (firewall, logins)"
    log_types = (LogType.NETWORK, LogType.LOGIN)
    shape = Shape.SYSLOG
    platform = Platform.CLOUD
    order = 35  # most of its messages have no tag

    def owns(self, program: str) -> bool:
        """No tag; topics or, where those are left out, a chain as one."""
        return program == "" or program in CHAINS or program.startswith(_TOPICS)

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        """Take the packets and logins among the messages."""
        message = lines["message"]
        is_packet = _packets(message, lines["program"])
        is_login = may_be_logins(message)
        if not is_packet.any() and not is_login.any():
            return NOTHING_PARSED
        found = _packet_rows(lines.filter(is_packet))
        logins, skipped, failed = login_rows(lines.filter(is_login & ~is_packet))
        return Parsed(
            {LogType.NETWORK: found.rows, LogType.LOGIN: logins},
            consumed=np.sort(np.concatenate([found.rows["line_index"].to_numpy(), logins["line_index"].to_numpy()])),
            skipped=skipped.to_numpy(),
            rejects=pl.concat([found.rejects, failed]).sort("line_index"),
        )


def _packets(message: pl.Series, program: pl.Series) -> pl.Series:
    """Which messages are about packets, by the marks that the router puts into all of them."""
    is_chain = program.is_in(CHAINS).fill_null(False)
    told = message.str.contains(_PROTOCOL, literal=True) & message.str.contains(_ARROW, literal=True)
    told |= message.str.starts_with(_TOPICS[0]) | program.str.starts_with(_TOPICS[0]).fill_null(False)
    return told & (message.str.contains(_INTERFACES, literal=True) | is_chain & message.str.starts_with("in:"))


def _packet_rows(lines: pl.DataFrame) -> TypedRows:
    """Every line is either a row or a reject."""
    texts = _texts(lines)
    unclear, broken = texts["unclear"], texts["length"].is_null()
    why = pl.when(broken).then(pl.lit(_BROKEN)).when(unclear).then(pl.lit(_UNCLEAR))
    failed = lines.select("line_index", reason=pl.select(why).to_series()).drop_nulls("reason")
    if failed.height:
        good = ~(unclear | broken)
        lines, texts = lines.filter(good), texts.filter(good)
    rows, rejects = typed_rows(
        texts.insert_column(0, lines["line_index"]),
        _FIELDS,
        event_time_us=lines["event_time_us"],
        host=lines["host"],
        action=verdict(texts["prefix"]),
        direction=texts["chain"].replace_strict(_WAYS, default=None, return_dtype=DIRECTION),
        packets_out=repeated(1, lines.height, pl.Int64),
        connections=repeated(1, lines.height, pl.Int64),
    )
    return TypedRows(rows, pl.concat([failed, rejects]))


def _texts(lines: pl.DataFrame) -> pl.DataFrame:
    """What packets say; all that comes from outside stands behind the last ` proto `."""
    message = lines["message"]
    if lines["program"].null_count() < lines.height:
        message = lines.select(pl.concat_str("program", pl.lit(": "), "message")).to_series().fill_null(message)
    head, tail = halves(message, _PROTOCOL)
    twice = tail.str.contains(_PROTOCOL, literal=True).fill_null(False)
    if twice.any():  # a prefix or an interface that is named so
        tail = message.str.extract("^.* proto (.*)$").zip_with(twice, tail)
    rule = halves(head, _INTERFACES)[0]
    distinct = rule.unique()
    parts = pl.DataFrame({"rule": distinct}).select(
        "rule",
        prefix=pl.col("rule").str.replace("[^ ]+$", ""),
        chain=pl.col("rule").str.extract("([^ ]+)$"),
    )
    named = rule.to_frame("rule").join(parts, on="rule", how="left", nulls_equal=True, maintain_order="left")
    return named.drop("rule").hstack(_ends(tail))


def _ends(tail: pl.Series) -> pl.DataFrame:
    """What stands behind ` proto `; `unclear`: an address whose port cannot be told from it."""
    found = pl.DataFrame(plain_cases(tail, *_PLAIN_ENDS)).with_columns(unclear=pl.lit(False))
    odd = found["length"].is_null().arg_true()
    if len(odd):
        others = _odd_ends(tail.gather(odd))
        found = pl.DataFrame([column.scatter(odd, others[column.name]) for column in found])
    return found.with_columns(canonical_ip(found["src"]), canonical_ip(found["dst"]))


def _odd_ends(tail: pl.Series) -> pl.DataFrame:
    left, right = halves(tail, _ARROW)
    src, src_port, src_bare = _endpoint(left.str.extract("([^ ]+)$"))
    dst, dst_port, dst_bare = _endpoint(halves(right, ",")[0])
    names = halves(halves(left, ",")[0], " ")[0]
    unclear = protocol(names).values.is_in(["tcp", "udp"]) & (src_bare | dst_bare)
    columns = {
        "protocol": names,
        "src": src,
        "src_port": src_port,
        "dst": dst,
        "dst_port": dst_port,
        "length": right.str.extract(", len ([0-9]+)$"),
        "unclear": unclear.fill_null(False),
    }
    return pl.DataFrame(columns)


def _endpoint(texts: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Address and port of `192.0.2.1:22`, `[2001:db8::1]:22` or an address; which are IPv6 without brackets."""
    address, behind = halves(texts, ":")
    bare = behind.str.contains(":", literal=True).fill_null(False)
    if bare.any():
        in_brackets = texts.str.starts_with("[").fill_null(False)
        inner, after = halves(texts.str.strip_prefix("["), "]")
        bare &= ~in_brackets
        behind = after.str.strip_prefix(":").zip_with(in_brackets, behind)
        behind = behind.zip_with(~bare, pl.repeat(None, len(behind), dtype=pl.String, eager=True))
        address = inner.zip_with(in_brackets, texts.zip_with(bare, address))
    return address, behind, bare


FORMAT = Mikrotik()
