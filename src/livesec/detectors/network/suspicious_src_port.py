"""A connection whose own port is one that attack tools bind by default (1337, 6666, 9999).

Clients take random ports from 32768 or 49152 on, so a machine of one's own that calls a well-known port from one
of these was told to. Misses tools at other ports. Strangers outside are not judged: address translation gives them any
port. Nor are connections to ports from 1024 on, which are the replies of a service in logs of packets or single
directions; suspicious_port sees the service itself. Keyed by the two ports alone, because packet logs may have
no addresses: while one machine's use of them goes on, another's shows only as growth. A contact counts at
once if it was answered and its source is known to be inside, else when it comes back; then on fourfold growth,
so that going slowly hides nothing. In seed_mode: every row with such a source port. Source: the
network_multi_template seed.
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
from livesec.detectors.network.rare_port import FIRST_EPHEMERAL_PORT
from livesec.detectors.network.suspicious_port import WELL_KNOWN_PORTS, at_listed_port


@dataclass(frozen=True)
class Params:
    """Which ports, and when a contact counts."""

    ports: tuple[int, ...] = param((1337, 9999, 6666), "ports", "network_multi_template seed")
    repeats: int = param(3, "connections", "our choice: as suspicious_port", minimum=1)
    quiet_s: float = param(7 * 86_400.0, "s", "our choice: a weekend's pause is not a new contact", minimum=3600)


class SuspiciousSrcPort(Detector[Params]):
    """First contacts and recurrence per listed source port and well-known destination port."""

    name = "suspicious_src_port"
    log_type = LogType.NETWORK
    key = ("src_port", "dst_port")
    technique = ("T1571",)
    base_severity = 47
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "A connection from port {port}, a usual one of attack tools, to port {dst_port} ({src_ip} to {dst_ip})"
    guidance = Guidance(
        meaning="Programs leave the choice of their own port to the system, which takes a high random one. "
        "This one was chosen on purpose, as attack tools do, and some firewalls let it pass.",
        usual="Systems give programs ports from {first_client_port} on; this one came from port {port}. In "
        "the {quiet_text} before the first of these, or as far as the log reaches, no machine of "
        "yours called port {dst_port} from it. Connections so far: {connections:,}, within "
        "{span_text}.",
        benign=(
            "a program of your own that binds this port",
            "a gateway that translates addresses and gives out low ports",
            "a system that was set to take its clients' ports from a lower range",
        ),
        next_steps=(
            "Find the program on {src_ip} that is bound to port {port}, its parent and the user who started it.",
            "Find out whose {dst_ip} is and what it serves at port {dst_port}.",
            "Look at the logins and downloads of {src_ip} just before the first connection.",
            "If nobody knows the program, take {src_ip} off the network before looking further, still running.",
        ),
        commands=("sockets_of_port", "newest_programs", "owner_of_destination", "machine_of_source"),
        would_change=(
            "harmless if {src_ip} is a gateway or load balancer that gives out ports below {first_client_port}",
            "harmless if a program of yours binds port {port}: then take the port off the list",
            "worse if {src_ip} also has a listener at port {port} that others connect to",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from a listed port to a well-known one, not from outside."""
        listed = at_listed_port(rows, "src_port", self.p.ports)
        if self.seed_mode or not listed.any():
            return listed
        from_outside = rows.integers("is_internal", null=1) == 0
        return np.asarray(listed & (rows.integers("dst_port") < WELL_KNOWN_PORTS) & ~from_outside)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each contact."""
        decisive = ~unanswered(rows)[at] & (rows.integers("is_internal")[at] == 1)
        reports = recurrence.recur(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            decisive | self.seed_mode,
            rows.addresses()[at],
            repeats=self.p.repeats,
            growth=1 if self.seed_mode else GROWTH,
            quiet_s=self.p.quiet_s,
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "port": rows.integers("src_port")[found],
                "dst_port": rows.integers("dst_port")[found],
                "connections": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
                "first_client_port": np.full(len(found), FIRST_EPHEMERAL_PORT),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a contact is a new one."""
        return self.p.quiet_s


DETECTOR = SuspiciousSrcPort
