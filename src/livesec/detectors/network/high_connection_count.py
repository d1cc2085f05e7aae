"""Far more connections in a minute than a source usually opens.

Sees floods, scans that get answers, and programs gone wild, from sources whose ordinary is known. Misses new
sources (a flood from strangers is seen at its target, by traffic_spike_received) and growth so slow that it
becomes usual. Statistics: baselines/count_tail, negative-binomial tail over the source's earlier minutes. In
seed_mode: every row that stands for more than the threshold. Source: the livesec seed (100).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, tails
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows, taken
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(100, "connections", "livesec seed", minimum=1, setting="connection_count_threshold")
    window_s: float = param(60.0, "s", "our choice: a minute", minimum=1)
    p_star: float = param(
        1e-6,
        "probability",
        "one in 50 days for each 20,000 tests a day: 100 hosts, 200 minutes",
        minimum=1e-12,
        maximum=0.01,
    )
    learn_s: float = param(86_400.0, "s", "our choice: a day", minimum=0)
    learn_windows: int = param(20, "minutes", "our choice: DETECTIONS' prior of about 20", minimum=1)
    prior_mean: float = param(5.0, "connections", "our choice: weighs as much as two minutes seen", minimum=0.01)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(30 * 86_400.0, "s", "our choice: a month's silence", minimum=86_400)


class HighConnectionCount(Detector[Params]):
    """Connections per source and minute against the source's own minutes."""

    name = "high_connection_count"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    technique = ("T1499",)
    base_severity = 21
    columns = count_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} opened {connections:,} connections in a minute, usually {usual_connections:,.1f}"
    guidance = Guidance(
        meaning="A machine opens many more connections than it ever does: a flood, a scan, or a program in a loop.",
        usual="In {minutes:,} earlier minutes with traffic it opened {usual_connections:,.1f} connections "
        "on average; {connections:,} in one minute come, by the spread of those, {odds_text} such "
        "minutes.",
        benign=(
            "a program that retries at once because its server is down",
            "a backup, synchronisation or update that opens a connection per file",
            "a load test",
        ),
        next_steps=(
            "See with whom the connections are: with one destination, check whether it is up and answers; "
            "with many, look for scan findings of {src_ip}.",
            "Find the program on {src_ip} that opens them, since when it runs and who started it.",
            "Look at whether the destination still serves others, if all of them go to one.",
            "If nobody knows the program, limit or block {src_ip} at the next firewall, then take it off "
            "the network, still running.",
        ),
        commands=(
            "busiest_peers",
            "newest_programs",
            "half_open",
            "machine_of_source",
        ),
        would_change=(
            "harmless if all go to one server of yours that was down: they stop when it is back",
            "worse if they go to many machines inside, or to one outside that you do not know",
            "worse if the program that opens them was started in the last hours and nobody installed it",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections: a DNS question or a verdict that counts none is told of one that has a row of its own."""
        return rows.known("connections") | ~(rows.known("query") | rows.known("action"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the connections that each row stands for."""
        connections = np.maximum(taken(rows.integers("connections", null=1), at), 1)
        if self.seed_mode:
            return self._every_large_row(at, connections)
        reports = count_tail.count(
            state,
            taken(rows.key(*self.key), at),
            taken(rows.time_us, at),
            connections,
            taken(rows.addresses(), at),
            self._rules(),
        )
        return Findings(
            at=at[reports.at],
            details={
                "connections": reports.count,
                "usual_connections": reports.mean,
                "minutes": reports.windows,
                "one_in_10_to": -reports.log_p / math.log(10),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_connections": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _every_large_row(self, at: NDArray[np.int64], connections: NDArray[np.int64]) -> Findings:
        large = connections > self.p.floor
        unknown = np.full(int(large.sum()), np.nan)
        return Findings(
            at=at[large],
            details={
                "connections": connections[large],
                "usual_connections": unknown,
                "minutes": np.zeros(len(unknown), dtype=np.int64),
                "one_in_10_to": unknown,
                "odds_text": odds_texts(unknown),
                "episode_connections": connections[large],
            },
        )

    def _rules(self) -> count_tail.Rules:
        return count_tail.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=float(self.p.learn_s),
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            log_p=math.log(self.p.p_star),
            prior_mean=float(self.p.prior_mean),
        )

    def idle_s(self) -> float:
        """The silence after which a source begins anew."""
        return self.p.forget_s


DETECTOR = HighConnectionCount
