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
    summary = "A connection to port {port} took {took_s:,.1f} s, where half take less than {usual_s:,.3f} s"
    guidance = Guidance(
        meaning="The connection was held open far longer than this service needs: a tunnel, a client that holds the "
        "server up on purpose, or a server that hangs.",
        usual="Of {connections:,} earlier ones to port {port} the median took {usual_s:,.3f} s and one in ten longer "
        "than {long_s:,.3f} s; one as long as this is expected once in {one_in:,.0f}.",
        benign=(
            "a large transfer, or a slow client",
            "a server that was overloaded or waited for another",
            "a program that now keeps its connections open",
        ),
        next_steps=(
            "How many such are open? ss -to state established 'sport = :{port}' on the server",
            "How much went over it? Hours with few bytes are a tunnel or a held door.",
            "Are there others of the same source, or of many sources at the same time?",
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
                "port": rows.integers("dst_port")[found],
                "usual_s": reports.median / US,
                "long_s": reports.ninetieth / US,
                "connections": reports.sizes,
                "one_in": tails.one_in(reports.log_p),
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
                "port": rows.integers("dst_port")[found],
                "usual_s": unknown,
                "long_s": unknown,
                "connections": np.zeros(len(found), dtype=np.int64),
                "one_in": unknown,
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
