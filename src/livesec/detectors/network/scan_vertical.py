"""Port scan of one host: one source knocks at many ports of one destination and gets no answer.

Sees the usual scanners at their usual speed, whatever the share of ports that answer. Misses slow scans
(scan_slow) and ports tried at long intervals. Source: CrowdSec scenario
crowdsecurity/iptables-scan-multi_ports, a bucket of 15 distinct ports that leaks one in 5 s: the sixteenth
overflows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import distinct_window
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_PORTS = 32


@dataclass(frozen=True)
class Params:
    """Bucket size and leak."""

    ports: int = param(
        16, "ports", "crowdsecurity/iptables-scan-multi_ports: more than 15", minimum=2, maximum=KEPT_PORTS
    )
    leak_s: float = param(5.0, "s per port", "crowdsecurity/iptables-scan-multi_ports", minimum=0.1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another scan", minimum=60)


class VerticalScan(Detector[Params]):
    """Leaky bucket over the distinct ports of a destination that did not answer a source."""

    name = "scan_vertical"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_ip")
    needs = ("dst_port",)
    technique = ("T1046",)
    base_severity = 47
    columns = distinct_window.columns(KEPT_PORTS)
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} tried {ports:,} ports of {dst_ip} without an answer in {span_s:,.0f} s"
    guidance = Guidance(
        meaning="One address looks for open doors on one machine: the reconnaissance before an attack.",
        usual="Between two machines a few ports are in use; {threshold:,} different silent ones in quick "
        "succession are the limit, one being forgiven every {leak_s:,.0f} s. {src_ip} has tried "
        "{ports:,} ports of {dst_ip} in {connections:,} connections, within {span_text}.",
        benign=(
            "your own vulnerability scanner or inventory system",
            "a peer-to-peer or video-call program that tries many ports of one partner",
            "a service behind a firewall rule that was just changed, with clients on many ports",
        ),
        next_steps=(
            "Find out which ports {dst_ip} has open: those are what the scan has learned.",
            "Look for later connections of {src_ip}, or of others in its network, to those ports.",
            "If {src_ip} is yours and nobody scans on purpose, look at that machine first: it may be taken over.",
            "If it is foreign, close what need not be open, and block {src_ip} if it comes back.",
        ),
        commands=("listeners", "firewall_log_of_source", "owner_of_source", "machine_of_destination"),
        would_change=(
            "harmless if {src_ip} is your scanner and the time is that of its plan",
            "worse if {src_ip} came back to a port that answered",
            "worse if {src_ip} is a machine of your own that has no business with {dst_ip}",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections without an answer."""
        return unanswered(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Give each pair the port that its row tried."""
        reports = distinct_window.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("dst_port")[at].view(np.uint64),
            rows.addresses()[at],
            threshold=self.p.ports,
            leak_s=self.p.leak_s,
            quiet_s=self.p.quiet_s,
        )
        return Findings(
            at=at[reports.at],
            details={
                "ports": reports.distinct,
                "connections": reports.events,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "threshold": np.full(len(reports.at), self.p.ports),
                "leak_s": np.full(len(reports.at), float(self.p.leak_s)),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the time a full bucket takes to drain."""
        return distinct_window.idle_s(self.p.ports, leak_s=self.p.leak_s, quiet_s=self.p.quiet_s)


DETECTOR = VerticalScan
