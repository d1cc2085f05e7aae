"""A machine of one's own uses a port that it never used.

Sees servers and devices with few ports that begin to speak to another: a shell, a tunnel, a way to the next machine.
Misses ports that the machine knows, and machines that use many (their p is large). Judged is each machine by its own
history; how usual the port is for its peers is not known here. The clients' end of connections, ports from
32768 on and passive FTP data are not news. Quiet until a week and 20 hours of it are known. A rare port
teaches slowly and is reported again at its 4th and 16th hour while it stays rare; its first contact is reported
however slowly the rest follows. Low by itself; it counts together with what else the machine does. Statistics:
baselines/rarity. Source: Elastic's jobs of rare destination ports.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import rarity, tails
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.network.suspicious_port import WELL_KNOWN_PORTS

DAY_S = 86_400.0
FIRST_EPHEMERAL_PORT = 32_768  # Linux takes its clients' ports from here on, others from 49152


@dataclass(frozen=True)
class Params:
    """How rare, after how much history."""

    report_p: float = param(0.01, "probability", "our choice: one in 100 port hours", minimum=1e-4, maximum=0.5)
    p_star: float = param(
        1e-3, "probability", "once in ten days for each 100 new ports a day; low alone", minimum=1e-4, maximum=0.1
    )
    min_hours: int = param(20, "port hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    learn_s: float = param(7 * DAY_S, "s", "our choice: each day of the week once", minimum=0)
    quiet_s: float = param(30 * DAY_S, "s", "our choice: a month away makes it new again", minimum=3600)
    forget_s: float = param(90 * DAY_S, "s", "our choice: a quarter's silence", minimum=DAY_S)


class RarePort(Detector[Params]):
    """Rarity of a destination port among those of a machine."""

    name = "rare_port"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("dst_port",)
    technique = ("T1571",)
    base_severity = 21
    columns = rarity.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 14
    summary = "{src_ip} uses port {port}, new for it (of {dst_ip})"
    guidance = Guidance(
        meaning="The machine was never seen to use this port, or hardly ever. Shells, tunnels and steps to "
        "the next machine show as services that a machine never needed.",
        usual="Counted over {port_hours:,} hours with ports usual for {src_ip} (two ports in one hour count "
        "twice) and {new_ports:,} that came new (at least one is assumed), an hour with a port as new "
        "as this has a probability of {p_value:.2%}. Hours with port {port}, this one included: "
        "{hours_there:,}.",
        benign=(
            "a new program or task of the machine",
            "an administrator who works from it for once",
            "a job that runs less than once a month",
        ),
        next_steps=(
            "Find the program on {src_ip} that uses port {port}, who started it and when.",
            "Find out what {dst_ip} is and whether it serves port {port} to others too.",
            "Look at what was installed or started on {src_ip} before the first contact.",
            "If nobody knows why, look at the logins of {src_ip} and {dst_ip}, and close port {port} between them.",
        ),
        commands=("sockets_of_port", "machine_of_destination", "machine_of_source", "newest_packages"),
        would_change=(
            "harmless if {dst_ip} serves port {port} to other machines too and {src_ip} got a new program for it",
            "worse if port {port} gives control of a machine, such as SSH, RDP, WinRM or SMB",
            "worse if {src_ip} uses it with several machines one after the other",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Answered connections to a service, not from outside and no passive FTP data."""
        ports = rows.integers("dst_port")
        service = (ports > 0) & (ports < FIRST_EPHEMERAL_PORT) & (rows.integers("is_internal", null=1) == 1)
        if not service.any():
            return np.asarray(service)
        sources = rows.integers("src_port")
        reply = (sources > 0) & (sources < WELL_KNOWN_PORTS) & (ports >= WELL_KNOWN_PORTS)
        return np.asarray(service & ~reply & ~unanswered(rows) & ~rows.is_value("app", "ftp-data"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each port with those of the machine."""
        ports = rows.integers("dst_port")[at]
        reports = rarity.meet(state, rows.key(*self.key)[at], rows.time_us[at], ports.astype(np.uint64), self._rules())
        return Findings(
            at=at[reports.at],
            details={
                "port": ports[reports.at],
                "port_hours": reports.hours,
                "new_ports": reports.news,
                "hours_there": reports.sightings,
                "p_value": reports.p,
            },
            confidence=tails.confidence(np.log(reports.p), self.p.p_star),
        )

    def _rules(self) -> rarity.Rules:
        return rarity.Rules(
            most_p=float(self.p.report_p),
            min_hours=self.p.min_hours,
            learn_s=float(self.p.learn_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
        )

    def idle_s(self) -> float:
        """A machine silent for so long starts anew."""
        return self.p.forget_s


DETECTOR = RarePort
