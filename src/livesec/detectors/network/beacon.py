"""Malware that calls home: one machine contacts one outside address and port at regular intervals.

Sees command-and-control beacons of minutes to an hour that last for most of a day, with jitter and varying sizes.
Misses those that call less than hourly, change their address between calls, or sleep for a random time as long as the
period itself; and what calls inside the organisation. Nothing is learnt, so a slowly rising attacker cannot train it;
but what was there in the first day of the log may be the monitoring and update agents of every server, so such pairs
are reported at half the confidence: an attacker who was there before the log is only a note. Statistics: RITA's score
of timing, sizes, duration and histogram, a quarter each (baselines/rita_score); confidence is the score. Source:
Active Countermeasures' RITA v5, which calls 0.5 low, 0.7 medium, 0.9 high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import contact_rhythm
from livesec.baselines.border import outwards
from livesec.core.age_of_log import began
from livesec.core.finding import Findings
from livesec.core.human_units import size_texts, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

FROM_START = 0.5  # our choice: confidence in what began with the log
RANDOM_TIMING = 0.52  # RITA's score of the intervals of random arrivals


@dataclass(frozen=True)
class Params:
    """From which score and how many contacts on, and what began with the log."""

    score: float = param(0.7, "score", "RITA v5: medium", minimum=0.5, maximum=1.0)
    timing: float = param(
        0.75,
        "score",
        "our choice: intervals of random arrivals score 0.52, those of a period with 30 % jitter 0.86",
        minimum=0.0,
        maximum=1.0,
    )
    contacts: int = param(16, "contacts", "our choice; RITA needs 4, in a day's batch", minimum=4)
    learn_s: float = param(86_400.0, "s", "our choice: a day, so that every agent has called", minimum=0)
    forget_s: float = param(7 * 86_400.0, "s", "our choice: a week's silence", minimum=86_400)


class Beacon(Detector[Params]):
    """RITA's score per source, destination and port, at the first contact of each hour."""

    name = "beacon"
    log_type = LogType.NETWORK
    key = ("src_ip", "dst_ip", "dst_port")
    technique = ("T1071",)
    base_severity = 73
    columns = contact_rhythm.COLUMNS
    params = Params
    max_keys = 1 << 15
    summary = "{src_ip} contacts {dst_ip} port {port} every {period_s:,.0f} s, score {score:.2f} ({contacts:,} so far)"
    guidance = Guidance(
        meaning="A program calls an outside address as regularly as a clock. Malware that asks its operators "
        "for orders does so, and so do agents that report to their maker.",
        usual="Contacts that people cause come at random moments, whose intervals score about "
        "{random_timing:.2f}; these score {timing:.2f}, half of them at most {period_text} apart. "
        "Sizes score {sizes:.2f} (half of them at most {size_text}), duration {duration:.2f}, "
        "evenness over the hours {histogram:.2f}: together {score:.2f}, where {least_score:.2f} is "
        "reported. So far {contacts:,} contacts in {span_text}; the pair was first seen {began}.",
        benign=(
            "an agent of the machine's own software: updates, telemetry, monitoring, time, mail",
            "a web page left open that refreshes itself",
            "a probe of your own that checks an outside service",
        ),
        next_steps=(
            "Find the program on {src_ip} that calls, its file, its parent and when it started. A signed "
            "agent in its maker's folder is expected there; a file in a user's or a temporary folder is "
            "not.",
            "Search the logs for other machines that call {dst_ip}: all machines of one kind point to an "
            "agent, a single one to an implant.",
            "Look at what reached {src_ip} in the hour before the first contact: mail, downloads, logins.",
            "If nobody knows the program: block {dst_ip}, then take {src_ip} off the network, still "
            "running, so that its memory can be read.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "scheduled", "machine_of_source"),
        would_change=(
            "harmless if the program is an agent that you installed and {dst_ip} belongs to its maker",
            "worse if {src_ip} alone in the organisation calls {dst_ip}",
            "worse if single contacts carry far more than {size_text}: then orders are carried out or files fetched",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from inside to outside."""
        return outwards(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Note each contact; a size that the log does not tell counts as 0, which has no regularity."""
        reports = contact_rhythm.follow(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("bytes_out")[at],
            rows.integers("log_age_us")[at] < self.p.learn_s * 1e6,
            rows.addresses()[at],
            contact_rhythm.Rules(
                least_contacts=self.p.contacts,
                least_score=float(self.p.score),
                least_timing=float(self.p.timing),
                forget_s=float(self.p.forget_s),
            ),
        )
        found = at[reports.at]
        timing, sizes, duration, histogram = reports.parts.T
        score = (timing + sizes + duration + histogram) / 4
        return Findings(
            at=found,
            details={
                "port": rows.integers("dst_port")[found],
                "period_s": reports.gap_s,
                "period_text": time_texts(reports.gap_s),
                "contacts": reports.contacts,
                "hours": reports.span_s / 3600,
                "span_text": time_texts(reports.span_s),
                "size": reports.size,
                "size_text": size_texts(reports.size),
                "score": score,
                "timing": timing,
                "sizes": sizes,
                "duration": duration,
                "histogram": histogram,
                "random_timing": np.full(len(found), RANDOM_TIMING),
                "least_score": np.full(len(found), float(self.p.score)),
                "from_start": reports.from_start,
                "began": began(reports.from_start, self.p.learn_s),
            },
            evidence=reports.evidence,
            confidence=np.where(reports.from_start, FROM_START, 1.0) * score,
        )

    def idle_s(self) -> float:
        """The silence after which a pair begins anew."""
        return self.p.forget_s


DETECTOR = Beacon
