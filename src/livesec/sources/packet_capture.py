"""Packet captures (pcap, pcapng) read as lines: a JSON object per flow, and per DNS question, as Zeek writes them.

Packets are read and taken apart by dpkt. A flow is all packets between two addresses and ports by one protocol. It is
written when it ends (TCP: reset, or closed by both ends), when it was silent for IDLE_S, or with the capture; so lines
come in order of the flows' ends, and what a line says depends on the packets before it alone. The same capture always
gives the same lines. Not read: payloads but DNS questions over UDP, and fragments behind the first.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_address
from typing import Any, BinaryIO, Final

import dpkt  # type: ignore[import-untyped]  # it has no types

IDLE_S: Final = {"tcp": 300.0, "udp": 60.0, "icmp": 60.0}
"""As Zeek's tcp_inactivity_timeout (5 min), udp_inactivity_timeout and icmp_inactivity_timeout (1 min)."""
_OTHER_IDLE_S: Final = 60.0
MAX_FLOWS: Final = 100_000
"""Open at once; beyond, the one that was silent longest is written early."""
CAPTURE_MAGIC: Final = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_PCAPNG: Final = CAPTURE_MAGIC[-1]
_DNS_PORT: Final = 53
_PROTOCOLS: Final = {
    dpkt.ip.IP_PROTO_TCP: "tcp",
    dpkt.ip.IP_PROTO_UDP: "udp",
    dpkt.ip.IP_PROTO_ICMP: "icmp",
    58: "icmp",
}
_SERVICES: Final = {21: "ftp", 22: "ssh", 25: "smtp", 53: "dns", 80: "http", 443: "ssl", 445: "smb", 3389: "rdp"}
_ETHERNET, _RAW, _LINUX_COOKED, _LOOPBACK = 1, (12, 14, 101), 113, (0, 108)
_DAMAGED: Final = (dpkt.UnpackError, ValueError, IndexError, KeyError, TypeError, AttributeError)
"""What dpkt raises on bytes that are no such packet; the packet is passed over."""

_Ends = tuple[str, int, str, int, str]


@dataclass
class _Flow:
    ends: _Ends
    """Address and port of the originator, of the other end, protocol."""
    first_s: float
    last_s: float
    bytes_out: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    packets_in: int = 0
    syn: bool = False
    answered: bool = False
    """By a SYN and ACK."""
    closed_out: bool = False
    closed_in: bool = False
    reset: str = ""
    """Which end reset it: orig, resp or "" for none."""

    def state(self) -> str:
        """Zeek's conn_state, as far as packets in order tell it."""
        if self.ends[4] != "tcp":
            return "SF" if self.packets_in else "S0"
        if not self.syn:
            return "OTH"
        if self.reset == "resp":
            return "RSTR" if self.answered else "REJ"
        if self.reset == "orig":
            return "RSTO" if self.answered else "RSTOS0"
        if not self.answered:
            return "S0"
        return "SF" if self.closed_out and self.closed_in else "S1"


class ReadAhead:
    """A file of which `head` was read already, with no more than the library needs."""

    name = "capture"

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        """As of a file; fewer bytes than `size` only at the end."""
        data = self._head if size < 0 else self._head[:size]
        self._head = self._head[len(data) :]
        while size < 0 or len(data) < size:
            more = self._rest.read(size - len(data) if size >= 0 else -1)
            if not more:
                break
            data += more
        return data


class CaptureLines(io.RawIOBase):
    """A capture as the bytes of its lines, read from its start to its end.

    `read` raises ValueError where the file is damaged or of a kind that is not read; the text says which.
    """

    def __init__(self, capture: BinaryIO) -> None:
        self._parts = self._lines(capture)
        self._rest = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        parts, length = [self._rest], len(self._rest)
        while size < 0 or length < size:
            part = next(self._parts, b"")
            if not part:
                break
            parts.append(part)
            length += len(part)
        data = b"".join(parts)
        self._rest = data[size:] if size >= 0 else b""
        return data[:size] if size >= 0 else data

    def _lines(self, capture: BinaryIO) -> Iterator[bytes]:
        try:
            start = capture.read(len(_PCAPNG))
            kind = dpkt.pcapng if start == _PCAPNG else dpkt.pcap
            reader = kind.Reader(ReadAhead(start, capture))
            link = reader.datalink()
        except (dpkt.Error, EOFError) as error:
            raise ValueError(f"no capture that can be read: {error or type(error).__name__}") from error
        flows: OrderedDict[_Ends, _Flow] = OrderedDict()
        try:
            for time_s, data in reader:
                yield from _packet(flows, float(time_s), _network_layer(link, data))
        except (dpkt.NeedData, EOFError):  # a capture that was stopped by force ends in the middle of a packet
            pass
        except dpkt.Error as error:
            raise ValueError(f"damaged capture: {error or type(error).__name__}") from error
        for flow in sorted(flows.values(), key=lambda flow: (flow.first_s, flow.ends)):
            yield _conn_line(flow)


def _network_layer(link: int, data: bytes) -> Any:
    try:
        if link == _ETHERNET:
            return dpkt.ethernet.Ethernet(data).data
        if link == _LINUX_COOKED:
            return dpkt.sll.SLL(data).data
        if link in _LOOPBACK:
            return dpkt.loopback.Loopback(data).data
        if link in _RAW:
            return dpkt.ip6.IP6(data) if data[:1] and data[0] >> 4 == 6 else dpkt.ip.IP(data)  # noqa: PLR2004  # IPv6
    except _DAMAGED:
        return None
    raise ValueError(f"link type {link} is not read; expected Ethernet, Linux cooked, loopback or raw IP")


def _packet(flows: OrderedDict[_Ends, _Flow], time_s: float, packet: Any) -> Iterator[bytes]:
    """Take a packet; gives the lines of flows that ended with it, or before it."""
    while flows:
        oldest = next(iter(flows.values()))
        if time_s - oldest.last_s <= IDLE_S.get(oldest.ends[4], _OTHER_IDLE_S) and len(flows) <= MAX_FLOWS:
            break
        flows.popitem(last=False)
        yield _conn_line(oldest)
    try:
        read = _addresses(packet)
    except _DAMAGED:
        return
    if read is None:
        return
    ends, size, inner = read
    back = (ends[2], ends[3], ends[0], ends[1], ends[4])
    flow = flows.get(ends) or flows.get(back)
    if flow is None:
        flags = inner.flags if ends[4] == "tcp" else 0
        is_answer = bool(flags & dpkt.tcp.TH_SYN and flags & dpkt.tcp.TH_ACK)  # the capture began in between
        flow = _Flow(back if is_answer else ends, time_s, time_s)
        flows[flow.ends] = flow
    flows.move_to_end(flow.ends)
    is_out = flow.ends == ends
    flow.last_s = max(flow.last_s, time_s)
    flow.packets_out, flow.packets_in = flow.packets_out + is_out, flow.packets_in + (not is_out)
    flow.bytes_out, flow.bytes_in = flow.bytes_out + size * is_out, flow.bytes_in + size * (not is_out)
    if ends[4] == "udp" and is_out and ends[3] == _DNS_PORT:
        yield from _questions(flow, time_s, bytes(inner.data))
    if ends[4] == "tcp" and _note_flags(flow, inner.flags, is_out=is_out):
        del flows[flow.ends]
        yield _conn_line(flow)


def _note_flags(flow: _Flow, flags: int, *, is_out: bool) -> bool:
    """Note a TCP packet's flags; whether the flow ends with it."""
    if flags & dpkt.tcp.TH_SYN:
        flow.syn = True
        flow.answered |= bool(flags & dpkt.tcp.TH_ACK)
    if flags & dpkt.tcp.TH_FIN:
        flow.closed_out, flow.closed_in = flow.closed_out or is_out, flow.closed_in or not is_out
    if flags & dpkt.tcp.TH_RST:
        flow.reset = "orig" if is_out else "resp"
        return True
    return flow.closed_out and flow.closed_in and not flags & dpkt.tcp.TH_FIN


def _addresses(packet: Any) -> tuple[_Ends, int, Any] | None:
    """(ends as the packet goes, bytes of payload, the transport's part) of an IP packet."""
    if isinstance(packet, dpkt.ip.IP):
        if packet.offset:
            return None
        protocol = packet.p
    elif isinstance(packet, dpkt.ip6.IP6):
        protocol = packet.p
    else:
        return None
    source, target = str(ip_address(packet.src)), str(ip_address(packet.dst))
    name, inner = _PROTOCOLS.get(protocol, str(protocol)), packet.data
    if isinstance(inner, dpkt.tcp.TCP | dpkt.udp.UDP):
        return (source, inner.sport, target, inner.dport, name), len(inner.data), inner
    if name in ("tcp", "udp"):
        return None  # cut short: no ports
    return (source, 0, target, 0, name), len(bytes(inner)), inner


def _line(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _common(flow: _Flow, path: str, time_s: float) -> dict[str, object]:
    source, source_port, target, target_port, protocol = flow.ends
    uid = blake2b(f"{flow.ends}{flow.first_s:.6f}".encode(), digest_size=9).hexdigest()
    return {
        "_path": path,
        "ts": round(time_s, 6),
        "uid": f"C{uid}",
        "id.orig_h": source,
        "id.orig_p": source_port,
        "id.resp_h": target,
        "id.resp_p": target_port,
        "proto": protocol,
    }


def _conn_line(flow: _Flow) -> bytes:
    record = _common(flow, "conn", flow.first_s)
    service = _SERVICES.get(flow.ends[3]) if flow.packets_in else None
    if service is not None:
        record["service"] = service
    return _line(
        record
        | {
            "duration": round(flow.last_s - flow.first_s, 6),
            "orig_bytes": flow.bytes_out,
            "resp_bytes": flow.bytes_in,
            "conn_state": flow.state(),
            "orig_pkts": flow.packets_out,
            "resp_pkts": flow.packets_in,
        }
    )


def _questions(flow: _Flow, time_s: float, data: bytes) -> Iterator[bytes]:
    try:
        message = dpkt.dns.DNS(data)
        asked = [(str(one.name), int(one.type)) for one in message.qd] if message.qr == dpkt.dns.DNS_Q else []
        number = int(message.id)
    except (*_DAMAGED, RecursionError):
        return
    for name, kind in asked[:1]:
        yield _line(_common(flow, "dns", time_s) | {"trans_id": number, "query": name, "qtype": kind})
