"""A machine inside looks for others: too many of its first contacts get no answer.

Sees scans of few targets that fixed counts let pass, in any order of hosts and ports, as long as contacts come within
the hour; four failures in a row suffice. Misses slower ones (scan_slow), datagrams, scans of the Internet
(scan_horizontal, scan_vertical) and those from it: strangers fail at every border all day. An attacker who mixes in as
many first contacts that get answers goes unseen, and has to know them. What was contacted before does not count, so a
server that fails is no scan; nothing else is learnt, so slowly rising does not help. Statistics: baselines/random_walk,
a sequential test. Source: Jung, Paxson, Berger, Balakrishnan 2004, "Fast Portscan Detection Using Sequential Hypothesis
Testing": 0.8 of an honest host's first contacts succeed, 0.2 of a scanner's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import random_walk
from livesec.baselines.first_contacts import attempts_inside, target_keys
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Error rates of the test, and times."""

    false_alarm: float = param(
        0.01, "probability", "Jung et al. 2004: alpha, for a host that fails one in five", minimum=1e-9, maximum=0.1
    )
    detection: float = param(0.99, "probability", "Jung et al. 2004: beta", minimum=0.5, maximum=0.999)
    pause_s: float = param(3600.0, "s", "our choice: slower scans are scan_slow's", minimum=60)
    quiet_s: float = param(8 * 86_400.0, "s", "our choice: a weekly scan of your own stays one scan", minimum=3600)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class RandomWalkScan(Detector[Params]):
    """Threshold Random Walk over a machine's first contacts inside."""

    name = "scan_trw"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("dst_ip",)
    technique = ("T1046",)
    base_severity = 47
    columns = random_walk.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = (
        "{src_ip} tried {failures:,} new hosts or ports inside without an answer, of {contacts:,} in {span_s:,.0f} s"
    )
    guidance = Guidance(
        meaning="A machine asks for services that are not there: somebody on it, or a worm, is looking for "
        "where to go next.",
        usual="A machine knows whom it talks to: {usual_share:.0%} of its first contacts stay without an "
        "answer, of {contacts:,} about {usual_failures:,.1f}. {src_ip} had {failures:,}, within "
        "{span_text}.",
        benign=(
            "your own scanner, monitoring or inventory system",
            "a machine that starts while several of its servers are down, and never talked to them before",
            "a program with an old list of servers, after a move",
        ),
        next_steps=(
            "See which ports were tried: the lines show the last. SMB, RDP, SSH and WinRM are what intruders look for.",
            "Find the program on {src_ip} that asks, and who started it.",
            "See who is logged in on {src_ip}, since when and from where.",
            "Look at the targets that answered and their logins from {src_ip} since then. If nothing "
            "explains it, take {src_ip} off the network, still running.",
        ),
        commands=(
            "half_open",
            "who_is_on",
            "newest_programs",
            "machine_of_source",
        ),
        would_change=(
            "harmless if all silent targets are servers that were down at that time",
            "worse if a target that answered then shows a login from {src_ip}",
            "worse if the user logged in on {src_ip} came from an unusual address",
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
                pause_s=float(self.p.pause_s),
                half_life_s=0.0,
                spacing_s=0.0,
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
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The silence after which a machine begins anew."""
        return self.p.forget_s


DETECTOR = RandomWalkScan
