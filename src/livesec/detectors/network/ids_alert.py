"""What a network sensor (Suricata, Zeek's notices) itself calls an attack, scored and tied to what else is known.

Each source and rule is reported at its first alert, and again as its alerts grow fourfold, so that a rule that fires
all day is a handful of anomalies; a day's pause makes it new again. The sensor's severity is taken over: Suricata's 1
counts fully, 2 as medium, others and notices, which state none, as a note. Misses what the sensor has no rule for, and
believes it otherwise: rules that are wrong here are best switched off there, or kept silent with `livesec suppress`.
Nothing is learnt. Source: CrowdSec's scenarios suricata-major-severity and suricata-high-medium-severity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

WORST, SECOND = 1, 2
SECOND_CONFIDENCE = 0.6  # our choice: medium
OTHER_CONFIDENCE = 0.4  # our choice: a note


@dataclass(frozen=True)
class Params:
    """When an alert is new again."""

    quiet_s: float = param(86_400.0, "s", "our choice: a day's pause makes it news", minimum=60)


class IdsAlert(Detector[Params]):
    """First alerts and recurrence per source and rule."""

    name = "ids_alert"
    log_type = LogType.NETWORK
    key = ("src_ip", "rule")
    technique = ("T1190",)
    base_severity = 73
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} set off {rule} against {dst_ip} ({alerts:,} so far)"
    guidance = Guidance(
        meaning="A sensor on the network recognised in the traffic itself what the maker of its rules calls an attack.",
        usual="Usual is none: in the {quiet_text} before the first of these, or as far as the log reaches, "
        "{src_ip} had not set off this rule. Alerts so far: {alerts:,}, within {span_text}; the "
        "sensor's severity is {severity}, where one is its worst.",
        benign=(
            "a scan or penetration test of your own",
            "a rule that takes a program of yours for something else",
            "noise of the Internet against a machine that does not run what is attacked",
        ),
        next_steps=(
            "Look up {rule} in the sensor's rule set: what it looks for, which product and version it is "
            "about, and how often it errs.",
            "Check whether {dst_ip} runs that product in a version concerned, and what it answered to {src_ip}.",
            "Look at {dst_ip} in the hour after the first alert: new connections outwards, logins, files, programs.",
            "If it answered and is vulnerable, take {dst_ip} off the network, still running, and look for "
            "what was changed.",
        ),
        commands=("sockets_of_source", "listeners", "machine_of_destination", "owner_of_source"),
        would_change=(
            "harmless if {dst_ip} does not run what the rule is about, or refused the request",
            "worse if {dst_ip} connected to {src_ip} or to a new address outside after the alert",
            "worse if other rules fired for the pair too, one after the other",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Alerts of sensors."""
        return rows.known("rule")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each alert."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        found = at[reports.at]
        severity = rows.integers("rule_severity")[found]
        return Findings(
            at=found,
            details={
                "rule": rows.column("rule").gather(found).to_list(),
                "severity": [str(number) if number > 0 else "none" for number in severity.tolist()],
                "alerts": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "quiet_text": [time_text(self.p.quiet_s)] * len(found),
            },
            evidence=reports.evidence,
            confidence=np.select(
                [severity == WORST, severity == SECOND], [1.0, SECOND_CONFIDENCE], default=OTHER_CONFIDENCE
            ),
        )

    def idle_s(self) -> float:
        """The pause after which an alert is a new one."""
        return self.p.quiet_s


DETECTOR = IdsAlert
