"""An address that runs into the firewall again and again.

Sees scanners and worms by what the firewall refused, where no flow record exists. Misses what is refused slowly, and
what is let through. Low by itself: the Internet knocks all day; it counts together with what else the address does.
Source: Wazuh rule 4151, 18 drops of one source in 45 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import nth_in_window
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DENIES = 18  # Wazuh rule 4151


@dataclass(frozen=True)
class Params:
    """In what time so many denials count."""

    window_s: float = param(45.0, "s", "Wazuh rule 4151", minimum=1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another episode", minimum=60)


class FirewallDenies(Detector[Params]):
    """The DENIES-th denial of a source address within a window."""

    name = "firewall_denies"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("action",)
    technique = ("T1595",)
    base_severity = 21
    columns = nth_in_window.columns(DENIES)
    params = Params
    max_keys = 1 << 17
    summary = "The firewall refused {denied:,} packets or connections of {src_ip} in {span_s:,.0f} s"
    guidance = Guidance(
        meaning="One address keeps asking for what the firewall does not let through: a scan, a worm, or a "
        "program that was cut "
        "off from its server.",
        usual="A misconfigured client is refused now and then; {denied:,} refusals in {span_s:,.0f} s are systematic.",
        benign=(
            "a device of your own behind a rule that was just changed",
            "broadcasts and multicast of neighbours that the firewall logs as drops",
        ),
        next_steps=(
            "Which ports did it ask for? journalctl -k --since '1 hour ago' | grep -F SRC={src_ip}",
            "whois {src_ip}    # a stranger, or an address of your own?",
            "If it is yours: which program is it? ss -tnp on {src_ip}",
            "If it is foreign: the firewall has done its work; look for what it let through from {src_ip}.",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """What a firewall refused."""
        return rows.is_value("action", "deny")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each refusal."""
        reports = nth_in_window.count(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("connections", null=1)[at],
            rows.addresses()[at],
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        return Findings(
            at=at[reports.at],
            details={"denied": reports.total, "span_s": reports.span_s},
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause."""
        return nth_in_window.idle_s(window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = FirewallDenies
