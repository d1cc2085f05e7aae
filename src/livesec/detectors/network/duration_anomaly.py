"""A connection or packet that took far longer than those of its service.

Sees sessions held open on a service of short answers (tunnels, attacks that exhaust a server by slowness), from 1.5 s
on. Misses long sessions of services that have them every day, services with few connections, and durations that rise
in small steps, which are learnt as usual before they stand out; large steps teach only once a day. What got no answer
is not judged: its duration is that of the retries. Statistics: baselines/size_tail over the service's earlier
durations in microseconds, instead of a robust z, which takes every heavy tail for an anomaly. In seed_mode: every row
above the floor. Source: the network_multi_template seed (1500 ms).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import size_tail, tails
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

US = 1_000_000


@dataclass(frozen=True)
class Params:
    """Floor, tail probabilities and how much to learn."""

    floor_s: float = param(1.5, "s", "network_multi_template seed", minimum=0.001)
    report_p: float = param(
        1e-5, "probability", "our choice: of 100,000 connections, the longest", minimum=1e-9, maximum=0.1
    )
    p_star: float = param(
        1e-6, "probability", "once in ten days for each 100,000 connections a day", minimum=1e-12, maximum=0.1
    )
    learn: int = param(200, "connections", "our choice: ten times DETECTIONS' prior, rows are many", minimum=10)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class DurationAnomaly(Detector[Params]):
    """Durations against those of their service."""

    name = "duration_anomaly"
    log_type = LogType.NETWORK
    key = ("dst_port", "protocol")
    needs = ("duration_s",)
    technique = ("T1499",)
    base_severity = 21
    columns = size_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 15
    summary = "A connection to port {port} took {took_text}, where half take no more than {usual_text}"
    guidance = Guidance(
        meaning="The connection was held open far longer than this service needs: a tunnel, a client that "
        "keeps a server busy on purpose, or a server that hangs.",
        usual="Of {connections:,} earlier connections to port {port} half took no more than {usual_text} "
        "and one in ten more than {long_text}; this one took {took_text}, which by their spread comes "
        "{odds_text}.",
        benign=(
            "a large transfer, or a client on a slow line",
            "a server that was overloaded or waited for another",
            "a program that now keeps its connections open for the next request",
        ),
        next_steps=(
            "Count how many connections to port {port} are open for long, and from how many sources: one "
            "is a tunnel or a slow client, hundreds are an attack on the server.",
            "Compare the bytes of this connection with its {took_text}: much data is a transfer, next to "
            "none is a held door or a tunnel that waits.",
            "Look at the server's own log and load at that time: did it answer others as quickly as usual?",
            "If it is a flood of held connections: lower the service's idle limit, or block the sources.",
        ),
        commands=("open_at_port", "load", "owner_of_source", "machine_of_destination"),
        would_change=(
            "harmless if as many bytes went over it as {took_text} on that line allow",
            "harmless if all connections to port {port} were slow then: the server was the cause",
            "worse if {src_ip} holds many of them open at once",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """What has a duration and was answered, as far as is known."""
        took_s = rows.floats("duration_s")
        timed = (took_s >= 0.0) & np.isfinite(took_s)
        return np.asarray(timed & ~unanswered(rows)) if timed.any() else timed

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Judge each duration, then learn it."""
        took_s = rows.floats("duration_s")[at]
        if self.seed_mode:
            return self._every_long_one(rows, at[took_s > self.p.floor_s])
        reports = size_tail.judge(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            np.minimum(took_s * US, float(size_tail.LARGEST_SIZE)).astype(np.int64),
            rows.addresses()[at],
            self._rules(),
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "took_s": took_s[reports.at],
                "took_text": time_texts(took_s[reports.at]),
                "port": rows.integers("dst_port")[found],
                "usual_s": reports.median / US,
                "usual_text": time_texts(reports.median / US),
                "long_s": reports.ninetieth / US,
                "long_text": time_texts(reports.ninetieth / US),
                "connections": reports.sizes,
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_s": reports.offended / US,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _every_long_one(self, rows: Rows, found: NDArray[np.int64]) -> Findings:
        unknown = np.full(len(found), np.nan)
        took_s = rows.floats("duration_s")[found]
        return Findings(
            at=found,
            details={
                "took_s": took_s,
                "took_text": time_texts(took_s),
                "port": rows.integers("dst_port")[found],
                "usual_s": unknown,
                "usual_text": time_texts(unknown),
                "long_s": unknown,
                "long_text": time_texts(unknown),
                "connections": np.zeros(len(found), dtype=np.int64),
                "one_in": unknown,
                "odds_text": odds_texts(unknown),
                "episode_s": took_s,
            },
        )

    def _rules(self) -> size_tail.Rules:
        return size_tail.Rules(
            floor=int(self.p.floor_s * US),
            young_limit=size_tail.NEVER,
            learn=self.p.learn,
            log_p=math.log(self.p.report_p),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
        )

    def idle_s(self) -> float:
        """The silence after which a service begins anew."""
        return self.p.forget_s


DETECTOR = DurationAnomaly
