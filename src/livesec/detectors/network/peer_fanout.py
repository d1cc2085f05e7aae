"""A machine inside meets many others that it never talked to: somebody on it looks around, or goes from host to host.

Sees discovery and lateral movement that get answers, which scans for silence do not: shares, directories, remote
shells. Misses machines with little history, new peers at a few an hour, and growth over weeks: an attacker who meets a
few more each day makes that usual, at most twice the limit once a day. Statistics: baselines/new_peers, the
negative-binomial tail of new peers per hour over the machine's earlier hours with traffic, which does not contain the
hour that is judged. Source: our choice; it is what remains of ATT&CK T1018 where every probe is answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, new_peers, tails
from livesec.baselines.border import inside
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(10, "peers", "our choice: an hour's new peers that a person would notice", minimum=2)
    window_s: float = param(3600.0, "s", "our choice: an hour", minimum=60)
    p_star: float = param(
        1e-5,
        "probability",
        "one in 50 days for each 2,000 tests a day: 200 hosts, 10 hours",
        minimum=1e-12,
        maximum=0.01,
    )
    acquaint_s: float = param(86_400.0, "s", "our choice: the first day everybody is new", minimum=0)
    learn_s: float = param(3 * 86_400.0, "s", "our choice: two days after that", minimum=0)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    prior_mean: float = param(0.5, "peers", "our choice: weighs as much as two hours seen", minimum=0.01)
    quiet_s: float = param(86_400.0, "s", "our choice: a day's pause makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class PeerFanout(Detector[Params]):
    """New peers inside per source and hour against the source's own hours."""

    name = "peer_fanout"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("dst_ip",)
    technique = ("T1018",)
    base_severity = 47
    columns = new_peers.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 14
    summary = "{src_ip} met {new_peers:,} machines inside for the first time within an hour, usually {usual_peers:,.1f}"
    guidance = Guidance(
        meaning="A machine talks to many others that it never needed: somebody maps the network from it, or "
        "uses it to enter the next ones.",
        usual="In {hours:,} earlier hours with traffic it met {usual_peers:,.2f} new peers on average, and "
        "has met {known_peers:,} since the log knows it; {new_peers:,} in one hour come, by the "
        "spread of those, {odds_text} such hours.",
        benign=(
            "a new task of the machine: a scanner, a monitoring or deployment server",
            "its user has changed departments, or an administrator works from it",
            "the servers have moved to new addresses",
        ),
        next_steps=(
            "See which services it asked for: SMB, RDP, SSH, RPC and WinRM are ways to enter a machine; DNS, Kerberos "
            "and LDAP are what one asks first to learn about a network.",
            "Find the program on {src_ip} that talks to them, and whose it is.",
            "Look at the logins on the {new_peers:,} new peers from {src_ip} since then: with whose accounts?",
            "If nobody explains it, take {src_ip} off the network, still running, and change the "
            "passwords of who was logged in on it.",
        ),
        commands=(
            "busiest_peers",
            "who_is_on",
            "newest_programs",
            "machine_of_source",
        ),
        would_change=(
            "harmless if {src_ip} became a scanner, monitoring or deployment server by a change that you can look up",
            "worse if one account logged in on several of the new peers",
            "worse if it met them one after the other at even intervals, or at night: a script did it",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections between two internal addresses."""
        return inside(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each source's new peers."""
        reports, met = new_peers.count_new(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("dst_ip")[at],
            rows.addresses()[at],
            count_tail.Rules(
                window_s=float(self.p.window_s),
                quiet_s=float(self.p.quiet_s),
                forget_s=float(self.p.forget_s),
                learn_s=float(self.p.learn_s),
                learn_windows=self.p.learn_windows,
                floor=self.p.floor,
                log_p=math.log(self.p.p_star),
                prior_mean=float(self.p.prior_mean),
            ),
            acquaint_s=float(self.p.acquaint_s),
        )
        return Findings(
            at=at[reports.at],
            details={
                "new_peers": reports.count,
                "usual_peers": reports.mean,
                "hours": reports.windows,
                "known_peers": met,
                "one_in_10_to": -reports.log_p / math.log(10),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_peers": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which a machine begins anew."""
        return self.p.forget_s


DETECTOR = PeerFanout
