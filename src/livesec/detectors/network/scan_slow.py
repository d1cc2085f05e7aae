"""A machine inside looks for others, a few a day: its first contacts fail too often over hours and days.

Sees scans that pause for minutes to hours between two tries, too slow for every window. Failures within a quarter of an
hour count once, so that quick scans stay scan_trw's. Misses scans that try less than about four targets a day, and
those that mix in as many first contacts that get answers. What was contacted before does not count; nothing else is
learnt, so slowly rising does not help. Statistics: baselines/random_walk, a sequential test whose evidence halves in a
day. Source: Jung et al. 2004; the decay is our choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import random_walk
from livesec.baselines.first_contacts import attempts_inside, target_keys
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Error rates of the test, and times."""

    false_alarm: float = param(
        0.001,
        "probability",
        "our choice: a tenth of Jung et al.'s alpha, for days of chances",
        minimum=1e-9,
        maximum=0.1,
    )
    detection: float = param(0.99, "probability", "Jung et al. 2004: beta", minimum=0.5, maximum=0.999)
    half_life_s: float = param(86_400.0, "s", "our choice: yesterday's evidence is worth half", minimum=3600)
    spacing_s: float = param(900.0, "s", "our choice: what is quicker is a part of one try", minimum=0)
    quiet_s: float = param(8 * 86_400.0, "s", "our choice: a weekly scan of your own stays one scan", minimum=3600)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class SlowScan(Detector[Params]):
    """Threshold Random Walk with a half-life over a machine's first contacts inside."""

    name = "scan_slow"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("dst_ip",)
    technique = ("T1046",)
    base_severity = 47
    columns = random_walk.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = (
        "{src_ip} tried {failures:,} new hosts or ports inside without an answer, a few at a time in {hours:,.1f} h"
    )
    guidance = Guidance(
        meaning="Somebody looks around patiently, below what counts as a scan. Programs that are lost try "
        "again at once; patience is a person's or an attack tool's.",
        usual="A machine knows whom it talks to: {usual_share:.0%} of its first contacts stay without an "
        "answer, of {contacts:,} about {usual_failures:,.1f}. {src_ip} had {failures:,}, spread over "
        "{hours:,.1f} h; failures within {spacing_text} of each other count as one.",
        benign=(
            "your own inventory or monitoring that goes slowly by design",
            "a user who looks for a printer or share that has moved",
            "a program that works down an old list of servers",
        ),
        next_steps=(
            "See what was tried: the lines show the last hosts and ports. One port of many hosts is a "
            "search for a service, many ports of one a study of that host.",
            "Find what runs on {src_ip} at those times: a scheduled task, a service, or a user's program.",
            "Look at the logins and downloads of {src_ip} before the first of the lines: was it entered itself?",
            "Look at the targets that answered and their logins from {src_ip} since then. If nothing "
            "explains it, take {src_ip} off the network, still running.",
        ),
        commands=(
            "scheduled",
            "half_open",
            "who_is_on",
            "machine_of_source",
        ),
        would_change=(
            "harmless if the targets are those of an old list, such as servers that were switched off",
            "worse if the ports are ways into a machine, such as SSH, SMB, RDP or WinRM",
            "worse if a target that answered then shows a login from {src_ip}",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Attempts inside whose outcome is known."""
        return attempts_inside(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Let each source take its steps."""
        reports = random_walk.walk(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            target_keys(rows, at),
            unanswered(rows)[at],
            rows.addresses()[at],
            random_walk.Rules(
                detection=float(self.p.detection),
                false_alarm=float(self.p.false_alarm),
                pause_s=0.0,
                half_life_s=float(self.p.half_life_s),
                spacing_s=float(self.p.spacing_s),
                quiet_s=float(self.p.quiet_s),
                forget_s=float(self.p.forget_s),
            ),
        )
        return Findings(
            at=at[reports.at],
            details={
                "failures": reports.failures,
                "contacts": reports.contacts,
                "usual_share": np.full(len(reports.at), random_walk.FAIL_BENIGN),
                "usual_failures": random_walk.FAIL_BENIGN * reports.contacts,
                "hours": reports.span_s / 3600,
                "spacing_text": [time_text(self.p.spacing_s)] * len(reports.at),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The silence after which a machine begins anew."""
        return self.p.forget_s


DETECTOR = SlowScan
