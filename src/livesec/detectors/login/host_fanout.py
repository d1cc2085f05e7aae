"""One user logs in to many hosts within ten minutes, more than this user ever does.

Sees lateral movement with a stolen password or key, and worms that go by a user's known_hosts. Misses a step every ten
minutes, fewer than five hosts, and accounts whose work it is to reach everything: what an account does on two days is
its habit (count_tail), so configuration management is quiet from its third day on. An attacker must come back on
several days, found on each, before his own fan-out is usual. A host is the machine that wrote the log. Statistics:
negative-binomial tail over the user's earlier ten minutes. Source: DETECTIONS; the floor is our choice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, distinct_tail, tails
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(5, "hosts", "our choice: DETECTIONS", minimum=2, maximum=distinct_tail.KEPT_VALUES)
    window_s: float = param(600.0, "s", "our choice: DETECTIONS", minimum=10)
    report_p: float = param(
        0.01, "probability", "our choice: five hosts of a user who always had one come at 0.004", maximum=0.01
    )
    p_star: float = param(
        1e-4,
        "probability",
        "one in 5 days for each 2,000 tests a day: 100 users, 20 windows",
        minimum=1e-12,
        maximum=0.01,
    )
    learn_s: float = param(3 * 86_400.0, "s", "our choice: three days", minimum=0)
    learn_windows: int = param(20, "windows", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    prior_mean: float = param(1.0, "hosts", "our choice: a login is to one host", minimum=0.01)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(60 * 86_400.0, "s", "our choice: two months' silence", minimum=86_400)


class HostFanout(Detector[Params]):
    """Distinct hosts that each user logs in to in ten minutes."""

    name = "host_fanout"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("host", "outcome")
    technique = ("T1021.004",)
    base_severity = 73
    columns = distinct_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} logged in to {hosts:,} hosts within {window}, usually {usual_hosts:,.1f}; last {host}"
    guidance = Guidance(
        meaning="An account goes from machine to machine faster than its user ever does: someone, or a program, tries "
        "where its password or key opens a door.",
        usual="{user} reached {hosts:,} hosts within {window}; in {windows:,} earlier stretches of that length with a "
        "login it was {usual_hosts:,.1f} on average, and by their spread {hosts:,} come {rarity} such stretches. In "
        "this episode so far: {episode_hosts:,}.",
        benign=(
            "an administrator who rolls something out by hand, or a first run of configuration management",
            "a terminal program that reopens all its tabs",
            "a monitoring or backup job that is new; it is usual after two days",
        ),
        commands=("logins_of_user", "acts_of_user", "processes_of_user", "outgoing_logins"),
        next_steps=(
            "From which machine do the logins come? See who is logged in there and what runs under {user}.",
            "Failures of {user} on further hosts in the same minutes show where the password or key did not fit.",
            "What did the sessions do on {host} and the hosts before it: rights, new keys, new services?",
            "If the user does not know of it: end the sessions, replace the key or password, and look at the first "
            "host of the chain.",
        ),
        would_change=(
            "failed logins of {user} on further hosts in the same minutes: then somebody tries doors",
            "new keys, services or scheduled jobs on the hosts reached: then they are taken over",
            "a roll-out or maintenance by {user} that was announced for this hour: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes."""
        return rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the distinct hosts of each user's window."""
        reports, _ = distinct_tail.count_distinct(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("host")[at],
            rows.addresses()[at],
            self._rules(),
            burst=1,
            leak_s=0.0,  # nothing ever is a burst: ten minutes are one already
        )
        return Findings(
            at=at[reports.at],
            details={
                "hosts": reports.count,
                "usual_hosts": reports.mean,
                "windows": reports.windows,
                "window": [time_text(self.p.window_s)] * len(reports.at),
                "one_in": tails.one_in(reports.log_p),
                "rarity": odds_texts(tails.one_in(reports.log_p)),
                "episode_hosts": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _rules(self) -> count_tail.Rules:
        return count_tail.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=float(self.p.learn_s),
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            log_p=math.log(self.p.report_p),
            prior_mean=float(self.p.prior_mean),
        )

    def idle_s(self) -> float:
        """The silence after which a user begins anew."""
        return self.p.forget_s


DETECTOR = HostFanout
