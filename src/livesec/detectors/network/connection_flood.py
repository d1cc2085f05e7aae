"""Far more connections from outside to a service within a quarter of an hour than it gets at this time of day.

Sees floods of small requests, also where neither a single source nor the bytes stand out, and at night what would pass
by day. A service is a machine's port, so that a scan of its ports is none. Misses what a busy hour hides, about twice
the usual, services with less than three days of history, and protocols without ports. A flood that grows by so much
from fortnight to fortnight becomes usual; a sudden one does not, for what offends is learnt as at most mean + 2 sigma.
Statistics: baselines/hourly_count, the negative-binomial tail over the same hour of earlier days and the two beside it.
Source: our choice, after Elastic's job high_count_network_events; the floor is the livesec seed's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import hourly_count, tails
from livesec.baselines.border import inwards
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

PARTS = 4  # our choice: of an hour; a flood of minutes stands out of a quarter of it


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(100, "connections", "livesec seed", minimum=1, setting="connection_count_threshold")
    p_star: float = param(
        1e-4,
        "probability",
        "one in 10 days for each 1,000 tests a day: 10 servers, 96 quarters of an hour",
        minimum=1e-12,
        maximum=0.01,
    )
    learn_s: float = param(3 * 86_400.0, "s", "as failure_spike: nine hours like this one", minimum=0)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(60 * 86_400.0, "s", "our choice: two months' silence", minimum=86_400)


class ConnectionFlood(Detector[Params]):
    """Connections from outside per service and quarter of an hour against the same hour on earlier days."""

    name = "connection_flood"
    log_type = LogType.NETWORK
    key = ("dst_ip", "dst_port")
    technique = ("T1498", "T1499")
    base_severity = 47
    columns = hourly_count.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16  # a scan of all ports must not drive out the services
    summary = (
        "{dst_ip} got {connections:,} connections from outside to port {port} within {window}, usually "
        "{usual_connections:,.1f} at this time of day"
    )
    guidance = Guidance(
        meaning="A service gets far more connections from outside than at this time of other days: a flood that may "
        "keep it from serving others, or a crowd that has a reason.",
        usual="{connections:,} connections within {window}; by {windows:,} earlier such windows "
        "{usual_connections:,.1f} are to be expected at this time of day, and by their spread {connections:,} come "
        "{odds_text} of them. In this episode so far: {episode_connections:,}.",
        benign=(
            "a release, a campaign or a press report that brings visitors",
            "a load test, or a monitor that somebody set up outside",
            "clients that all come back at once after an outage",
        ),
        next_steps=(
            "Count by source: a few with nearly all of it can be blocked, hundreds with a little each are a flood or "
            "a crowd.",
            "Do they ask for what visitors ask for, or all for the same, and do they go on after the answer?",
            "Check whether {dst_ip} still serves its users, and how long it takes to answer.",
            "If it is a flood, limit connections per source at the border and ask your provider to filter upstream.",
        ),
        commands=("load", "busiest_peers", "listeners", "machine_of_destination"),
        would_change=(
            "harmless if a release or a campaign began just then",
            "worse if {dst_ip} answers slowly or not at all while it lasts",
            "worse if other findings of {dst_ip} follow: a flood may be there to hide them",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Connections from outside to inside; a DNS question is told of one that has a row of its own."""
        return np.asarray(inwards(rows) & ~rows.known("query"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the connections that each row stands for in its service's quarter of an hour."""
        reports = hourly_count.count(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            np.maximum(rows.integers("connections", null=1)[at], 1),
            rows.addresses()[at],
            hourly_count.Rules(
                learn_s=float(self.p.learn_s),
                floor=self.p.floor,
                log_p=math.log(self.p.p_star),
                quiet_s=float(self.p.quiet_s),
                forget_s=self.idle_s(),
                parts=PARTS,
            ),
        )
        return Findings(
            at=at[reports.at],
            details={
                "port": rows.integers("dst_port")[at[reports.at]],
                "connections": reports.count,
                "usual_connections": reports.mean,
                "window": [time_text(3600 / PARTS)] * len(reports.at),
                "windows": reports.windows,
                "one_in_10_to": -reports.log_p / math.log(10),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_connections": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which a service begins anew."""
        return float(max(self.p.forget_s, self.p.quiet_s))


DETECTOR = ConnectionFlood
