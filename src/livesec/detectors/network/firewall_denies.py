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
from livesec.core.human_units import time_text, time_texts
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
        "program that was cut off from its server.",
        usual="A device is refused now and then; {threshold:,} refusals within {window_text} are the limit. "
        "This address had none for {quiet_text} before, or as far as the log reaches; now {denied:,} "
        "within {span_text}.",
        benign=(
            "a device of your own behind a firewall rule that was just changed",
            "broadcasts and multicast of neighbours that the firewall logs as drops",
            "the everyday noise of the Internet at a public address",
        ),
        next_steps=(
            "See which ports it was refused at: one port of many hosts is a worm or a search, many ports "
            "of one host a port scan, always the same host and port a program that lost its server.",
            "Look at what the firewall let through from {src_ip} at the same time; that is what matters of a stranger.",
            "If {src_ip} is yours, find the program that asks and ask who changed the rules lately.",
            "If {src_ip} is yours and nobody knows the program, take the machine off the network, still running.",
        ),
        commands=(
            "firewall_log_of_source",
            "owner_of_source",
            "machine_of_source",
        ),
        would_change=(
            "worse if the firewall also let connections from {src_ip} through",
            "worse if {src_ip} is a machine of your own: then it is infected or misused",
            "harmless if all {denied:,} refusals are of one host and port that a new rule closed",
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
            details={
                "denied": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "threshold": np.full(len(reports.at), DENIES),
                "window_text": [time_text(self.p.window_s)] * len(reports.at),
                "quiet_text": [time_text(self.p.quiet_s)] * len(reports.at),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause."""
        return nth_in_window.idle_s(window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = FirewallDenies
