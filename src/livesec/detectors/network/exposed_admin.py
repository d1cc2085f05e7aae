"""Remote control of a machine of one's own answers to the Internet: RDP, VNC, SMB, telnet, WinRM.

Each such service is reported at the first connection from outside that it answered, and as these keep coming. Misses
services at other ports, and those behind a gateway whose log shows only the gateway. Source: Elastic's rules for RDP,
VNC and SMB from the Internet; CISA names the same services as the usual way in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.network.suspicious_port import at_listed_port

SERVICES = {23: "telnet", 135: "RPC", 139: "SMB", 445: "SMB", 3389: "RDP", 5900: "VNC", 5985: "WinRM", 5986: "WinRM"}


@dataclass(frozen=True)
class Params:
    """Which ports, and when a service is new again."""

    ports: tuple[int, ...] = param(tuple(SERVICES), "ports", "Elastic detection rules")
    answer_bytes: int = param(200, "bytes", "our choice: more than refusals, less than any greeting of RDP", minimum=1)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new exposure", minimum=3600)


class ExposedAdmin(Detector[Params]):
    """Answered connections from outside per internal address and port."""

    name = "exposed_admin"
    log_type = LogType.NETWORK
    key = ("dst_ip", "dst_port")
    needs = ("src_ip",)
    technique = ("T1133",)
    base_severity = 47
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{service} at {dst_ip} port {port} answers to the Internet, first to {src_ip} ({connections:,} so far)"
    guidance = Guidance(
        meaning="A service that gives control of a machine can be reached from the Internet. A guessed "
        "password or a flaw in it is enough to be inside; ransomware often comes this way.",
        usual="Usual is none, for such services are for the inside: in the {quiet_text} before the first of "
        "these, or as far as the log reaches, {dst_ip} answered nobody outside at port {port}. "
        "Answered connections from outside so far: {connections:,}, within {span_text}.",
        benign=(
            "a service opened to a partner's address on purpose, with a rule that admits that address alone",
            "a test from outside that you ordered",
            "a honeypot",
        ),
        next_steps=(
            "Look up the firewall rule or port forwarding that lets {src_ip} reach port {port} of "
            "{dst_ip}, who made it and when.",
            "Look at the logins of {dst_ip} through {service} since the port is open: any from outside that succeeded?",
            "Check whether {service} on {dst_ip} has its updates, and whether it asks for a second factor.",
            "Close the rule, or put the service behind a VPN. If somebody got in, take {dst_ip} off the "
            "network, still running.",
        ),
        commands=(
            "open_at_port",
            "rules_at_port",
            "logins_of_address",
            "owner_of_source",
        ),
        would_change=(
            "harmless if the rule admits {src_ip} alone and that is a partner's address",
            "worse if a login from {src_ip} or another outside address succeeded",
            "worse if many outside addresses connect: then scanners have found the port",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from outside to a listed port inside that were answered."""
        listed = at_listed_port(rows, "dst_port", self.p.ports)
        if not listed.any():
            return listed
        inwards = (rows.integers("is_internal", null=1) == 0) & (rows.integers("dst_is_internal") == 1)
        talked = rows.known("conn_state") | (rows.integers("bytes_in") >= self.p.answer_bytes)
        return np.asarray(listed & inwards & talked & ~unanswered(rows))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each connection."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        found = at[reports.at]
        ports = rows.integers("dst_port")[found]
        return Findings(
            at=found,
            details={
                "service": [SERVICES.get(port, "remote control") for port in ports.tolist()],
                "port": ports,
                "connections": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which an exposure is a new one."""
        return self.p.quiet_s


DETECTOR = ExposedAdmin
