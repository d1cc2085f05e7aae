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
        meaning="The destination port is the default of remote-control and attack tools. An answered connection may be "
        "a shell that somebody opened from inside.",
        usual="Nothing is usual here: the pair used this port {connections:,} times in {span_s:,.0f} s.",
        benign=(
            "a program of your own at this port, such as a browser test grid at 4444: then take the port off the list",
            "a client port that a one-sided log shows as the destination",
        ),
        next_steps=(
            "On the source, which program is it? ss -tnp 'dport = :{port}'",
            "whois {dst_ip}    # a known partner, or a rented server?",
            "When did it begin, and what else happened on {src_ip} just before? Look at its logins and downloads.",
            "If no one knows the program, take {src_ip} off the network before looking further.",
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
