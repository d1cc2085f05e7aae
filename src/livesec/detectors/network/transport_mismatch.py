"""A transport that the port's service does not use, or one that nobody knows: UDP to SSH's port, protocol 253.

protocol_mismatch judges applications; this is what is left to see in a log without them, such as one of packets. Sees
tunnels made by hand and tools that send UDP to a port which is open for TCP. Misses every tunnel in the port's own
transport. Strangers outside are not judged: they try everything. Keyed by transport and port alone, because packet
logs may have no addresses: while one machine's use goes on, another's shows only as growth. A contact
counts at once if it was answered and its source is known to be inside, else when it comes back; then on fourfold
growth, so that going slowly hides nothing. In seed_mode: every such row. Source: the network_multi_template seed; ports
by IANA's registry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.baselines.growth import GROWTH
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

TCP_PORTS = frozenset({20, 21, 22, 23, 25, 80, 110, 143, 445, 465, 587, 993, 995})
UDP_PORTS = frozenset({67, 68, 69, 123, 161, 162, 514})
_WITH_PORTS = ("tcp", "udp", "sctp", "dccp", "udplite")
_WITHOUT_PORTS = ("icmp", "ipv6-icmp", "icmpv6", "icmp6", "igmp", "gre", "esp", "ah", "ospf", "pim", "vrrp", "ipip")
_RARER = ("eigrp", "rsvp", "l2tp", "etherip", "ipcomp", "isis", "hopopt", "ipv6", "ipv6-frag", "ipv6-nonxt", "carp")
KNOWN_TRANSPORTS = frozenset((*_WITH_PORTS, *_WITHOUT_PORTS, *_RARER))

_PORTS = np.arange(1 << 16)
_OF_TCP = np.isin(_PORTS, list(TCP_PORTS))
_OF_UDP = np.isin(_PORTS, list(UDP_PORTS))

UNKNOWN = "unknown_protocol"
MISMATCH = "port_mismatch"


@dataclass(frozen=True)
class Params:
    """When a contact counts, and when it is a new one."""

    repeats: int = param(3, "rows", "our choice: as suspicious_port", minimum=1)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new contact", minimum=3600)


class TransportMismatch(Detector[Params]):
    """Transports at others' ports, and unknown ones, per transport and port."""

    name = "transport_mismatch"
    log_type = LogType.NETWORK
    key = ("protocol", "dst_port")
    technique = ("T1571",)
    base_severity = 21
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{transport} was sent to port {port}, where one expects {usual_transport} ({rows:,} so far)"
    guidance = Guidance(
        meaning="The port's service does not use this transport, or nobody knows it. Somebody sends packets "
        "by hand, tunnels, or tries what a firewall forgot.",
        usual="At port {port} {usual_transport} is usual. In the {quiet_text} before the first of these, or "
        "as far as the log reaches, no machine of yours sent {transport} there. Rows with it so far: "
        "{rows:,}, within {span_text}.",
        benign=(
            "a program of your own that chose this port",
            "a log that names the transport in its own way",
            "a monitoring probe that tests what the firewall lets through",
        ),
        next_steps=(
            "Find out which machine sends {transport} to port {port}, and which program of it.",
            "Look at the contents of a few packets: a known protocol, or something of its own?",
            "Check whether the firewall lets {transport} through to port {port}, and whether anything needs it.",
            "If nothing needs it, close it in the firewall, and look at the machine that sent it.",
        ),
        commands=(
            "packets_at_port",
            "sockets_of_port",
            "rules_at_port",
            "newest_programs",
        ),
        would_change=(
            "harmless if all of it goes to one server of yours whose program uses {transport} at port {port}",
            "worse if packets go to an address outside and answers come back",
            "worse if only one machine sends it and its contents look random",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Rows not from outside whose transport is unknown or not the port's."""
        over_tcp, over_udp = rows.is_value("protocol", "tcp"), rows.is_value("protocol", "udp")
        ports = np.clip(rows.integers("dst_port"), 0, len(_OF_TCP) - 1)
        wrong = (over_udp & _OF_TCP[ports]) | (over_tcp & _OF_UDP[ports])
        others = ~over_tcp & ~over_udp & rows.known("protocol")
        if others.any():
            wrong |= others & ~rows.column("protocol").is_in(list(KNOWN_TRANSPORTS)).fill_null(True).to_numpy()
        if self.seed_mode or not wrong.any():
            return np.asarray(wrong)
        return np.asarray(wrong & (rows.integers("is_internal", null=1) == 1))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each row."""
        reports = recurrence.recur(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            (~unanswered(rows)[at] & (rows.integers("is_internal")[at] == 1)) | self.seed_mode,
            rows.addresses()[at],
            repeats=self.p.repeats,
            growth=1 if self.seed_mode else GROWTH,
            quiet_s=self.p.quiet_s,
        )
        found = at[reports.at]
        ports = rows.integers("dst_port")[found]
        transports = rows.column("protocol").gather(found)
        unknown = ~transports.is_in(list(KNOWN_TRANSPORTS))
        return Findings(
            at=found,
            details={
                "transport": transports.to_list(),
                "port": ports,
                "usual_transport": [_usual(port) for port in ports.tolist()],
                "rows": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
            reasons=[UNKNOWN if strange else MISMATCH for strange in unknown],
        )

    def idle_s(self) -> float:
        """The pause after which a contact is a new one."""
        return self.p.quiet_s


def _usual(port: int) -> str:
    return "tcp" if port in TCP_PORTS else "udp" if port in UDP_PORTS else "tcp or udp"


DETECTOR = TransportMismatch
