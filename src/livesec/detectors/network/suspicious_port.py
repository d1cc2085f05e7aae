"""A connection to a port that back doors and attack tools use by default (1337, 4444, 31337 ...).

Sees reverse shells and tools left at their default. Misses whoever changes the port. Each source, destination
and port is reported at its first contact, and again when its connections have grown fourfold: a program of
one's own at such a port is reported a handful of times, not every day. High ports also serve as the clients'
end of ordinary connections, and logs of packets or single directions show those ends as destinations; so a
contact counts at once only if it was answered and did not come from a well-known port, and otherwise when it
comes back: the clients' end is a random one of 28,000. In seed_mode every connection is reported. Source: the
livesec seed.
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

WELL_KNOWN_PORTS = 1024


@dataclass(frozen=True)
class Params:
    """Which ports, and when a contact counts."""

    ports: tuple[int, ...] = param(
        (1337, 4444, 6666, 31337, 1234, 12345), "ports", "livesec seed", setting="suspicious_ports"
    )
    repeats: int = param(3, "connections", "our choice: no accident of client ports", minimum=1)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new contact", minimum=3600)


class SuspiciousPort(Detector[Params]):
    """First contacts and recurrence per source, destination and listed port."""

    name = "suspicious_port"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_ip", "dst_port")
    technique = ("T1571",)
    base_severity = 47
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} connected to {dst_ip} at port {port}, a usual port of back doors ({connections:,} so far)"
    guidance = Guidance(
        meaning="The destination port is the default of remote-control and attack tools. An answered "
        "connection may be a shell that somebody opened from inside.",
        usual="Usual is none: in the {quiet_text} before the first of these, or as far as the log reaches, "
        "{src_ip} had no contact with {dst_ip} at port {port}. Connections so far: {connections:,}, "
        "within {span_text}.",
        benign=(
            "a program of your own at this port, such as a grid of browsers for tests",
            "a client's port that a log of single directions shows as the destination",
            "a test of your own with an attack tool",
        ),
        next_steps=(
            "Find the program on {src_ip} that uses port {port}, its parent and the user who started it.",
            "Find out whose {dst_ip} is, and whether others of your machines talk to it.",
            "Look at the logins, mail and downloads of {src_ip} just before the first connection.",
            "If nobody knows the program, take {src_ip} off the network before looking further, still running.",
        ),
        commands=("sockets_of_port", "newest_programs", "owner_of_destination", "machine_of_source"),
        would_change=(
            "harmless if a program of yours listens at port {port} of {dst_ip}: then take the port off the list",
            "worse if the program is a shell, or a script interpreter started by an office program, "
            "browser or web server",
            "worse if {dst_ip} is outside and new to the organisation",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections to a listed port."""
        return at_listed_port(rows, "dst_port", self.p.ports)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each contact."""
        source_ports = rows.integers("src_port")[at]
        decisive = ~unanswered(rows)[at] & ((source_ports <= 0) | (source_ports >= WELL_KNOWN_PORTS))
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
                "port": rows.integers("dst_port")[found],
                "connections": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a contact is a new one."""
        return self.p.quiet_s


def at_listed_port(rows: Rows, column: str, ports: tuple[int, ...]) -> NDArray[np.bool_]:
    """Rows whose port in `column` is one of `ports`, shape (n,)."""
    values, listed = rows.integers(column), np.zeros(len(rows), dtype=np.bool_)
    for port in ports:  # few: sooner done than np.isin
        listed |= values == port
    return listed


DETECTOR = SuspiciousPort
