"""Sweep of a network: one source knocks at one port of many hosts and gets no answer.

Sees worms and people who look for one service (445, 22, 3389). Misses slow sweeps (scan_slow), sweeps over
many ports at once, and ping sweeps, which have no port. Source: Zeek 4.0.9, policy/misc/scan: 25 hosts in 5
minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import distinct_window
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_HOSTS = 32


@dataclass(frozen=True)
class Params:
    """How many hosts within how long."""

    hosts: int = param(25, "hosts", "Zeek 4.0.9, addr_scan_threshold", minimum=2, maximum=KEPT_HOSTS)
    window_s: float = param(300.0, "s", "Zeek 4.0.9, addr_scan_interval", minimum=1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another sweep", minimum=60)


class HorizontalScan(Detector[Params]):
    """Distinct hosts that did not answer a source at a port, within a sliding window."""

    name = "scan_horizontal"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_port")
    needs = ("dst_ip",)
    technique = ("T1046",)
    base_severity = 47
    columns = distinct_window.columns(KEPT_HOSTS)
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} tried port {port} of {hosts:,} hosts without an answer in {span_s:,.0f} s"
    guidance = Guidance(
        meaning="One address looks for machines that offer one service: a worm, or a person who looks for the "
        "next machine to enter.",
        usual="A machine knows whom it talks to and gets answers; {threshold:,} silent hosts at one port "
        "within {window_text} are the limit. {src_ip} has tried port {port} of {hosts:,} in "
        "{connections:,} connections, within {span_text}.",
        benign=(
            "your own scanner, monitoring or inventory system",
            "a client that looks for its servers after an outage",
            "peer-to-peer programs, which keep lists of partners that have gone",
        ),
        next_steps=(
            "Find out whether {src_ip} is yours. If not, what it got an answer from matters, not what it asked.",
            "Look for hosts that did answer {src_ip} at port {port}, and at their logs from then on.",
            "If {src_ip} is yours, find the program that opens these connections, its parent and its user.",
            "If nothing explains it, take {src_ip} off the network before it finds what it looks for.",
        ),
        commands=(
            "half_open",
            "machine_of_source",
            "owner_of_source",
            "firewall_log_of_source",
        ),
        would_change=(
            "harmless if {src_ip} is your scanner and the time is that of its plan",
            "worse if a host that answered then shows a login or a new connection from {src_ip}",
            "worse if further machines of yours begin to try port {port}: then it is a worm",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections without an answer."""
        return unanswered(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Give each source and port the host that its row tried; every IPv6 address is a host of its own."""
        reports = distinct_window.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            text_keys(rows.column("dst_ip").gather(at)),
            rows.addresses()[at],
            threshold=self.p.hosts,
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "hosts": reports.distinct,
                "connections": reports.events,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "port": rows.integers("dst_port")[found],
                "threshold": np.full(len(found), self.p.hosts),
                "window_s": np.full(len(found), self.p.window_s),
                "window_text": [time_text(self.p.window_s)] * len(found),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the window."""
        return distinct_window.idle_s(self.p.hosts, window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = HorizontalScan
