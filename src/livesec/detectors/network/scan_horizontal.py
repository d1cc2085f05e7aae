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
        meaning="One address looks for machines that offer one service: a worm, or a person who looks for the next "
        "machine to enter.",
        usual="A machine knows whom it talks to and gets answers; {threshold:,} hosts that stay silent within "
        "{window_s:,.0f} s are being searched. So far {hosts:,} hosts in {connections:,} connections.",
        benign=(
            "your own scanner, monitoring or inventory system",
            "a client that looks for its servers after an outage",
            "peer-to-peer programs, which keep lists of partners that have gone",
        ),
        next_steps=(
            "whois {src_ip}    # a stranger, or an address of your own?",
            "Which hosts answered {src_ip} at port {port}? Look at their logs from then on.",
            "If {src_ip} is a machine of your own: which program opens these connections? ss -tnp, then its parent.",
            "Nothing explains it: take {src_ip} off the network before it finds what it looks for.",
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
                "port": rows.integers("dst_port")[found],
                "threshold": np.full(len(found), self.p.hosts),
                "window_s": np.full(len(found), self.p.window_s),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the window."""
        return distinct_window.idle_s(self.p.hosts, window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = HorizontalScan
