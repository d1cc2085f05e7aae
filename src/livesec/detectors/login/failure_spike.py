"""Far more failed logins of a service than it has at this hour of the day.

Sees what no single address or account shows: a botnet that spreads its guesses over both, and an outage of the
directory or an expired password of a job. Misses attacks that hide in a service's everyday failures, and services
without a name in the log. An attack of less than about twice the usual is not seen, and one that grows by so much from
fortnight to fortnight becomes usual; an hour that offends is learnt as at most mean + 2 sigma, so that a sudden one
does not. Statistics: negative-binomial tail over the same hour of earlier days
and the two beside it (baselines/hourly_count). Source: DETECTIONS; Elastic's job auth_high_count_logon_fails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import hourly_count, tails
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(20, "attempts", "our choice: fewer in an hour are a handful of people", minimum=2)
    p_star: float = param(
        1e-5,
        "probability",
        "one in 1,000 days for each 100 tests a day: 4 services, 24 hours",
        minimum=1e-12,
        maximum=0.01,
    )
    learn_s: float = param(3 * DAY_S, "s", "our choice: nine hours like this one, with those beside it", minimum=0)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(60 * DAY_S, "s", "our choice: two months' silence", minimum=DAY_S)


class FailureSpike(Detector[Params]):
    """Failures per service and hour against the same hour on earlier days."""

    name = "failure_spike"
    log_type = LogType.LOGIN
    key = ("service",)
    needs = ("outcome",)
    technique = ("T1110",)
    base_severity = 21
    columns = hourly_count.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 12
    summary = (
        "{failures:,} failed logins at {service} within the hour, usually {usual_failures:,.1f} at this time of day"
    )
    guidance = Guidance(
        meaning="A service turns away far more logins than it does at this hour: an attack that is spread over many "
        "addresses or accounts, or something that logs in by itself and cannot any more.",
        usual="{failures:,} failures at {service} this hour; by {hours:,} earlier hours {usual_failures:,.1f} are to "
        "be expected at this time of day, and by their spread {failures:,} come {rarity} such hours. In this episode "
        "so far: {episode_failures:,}.",
        benign=(
            "an outage of the directory, or a change of its configuration: then successes stop, too",
            "an expired password or key of a job that retries: one account, one address",
            "the first working hour after many passwords have expired",
        ),
        commands=("failures_by_address", "failures_by_account", "successes"),
        next_steps=(
            "How many addresses and accounts are behind it? Many of both: look for findings of bf_distributed, spray "
            "and user_enum in the same hour.",
            "Did successes at {service} go on as usual? If they stopped too, it is an outage.",
            "One account or one job fails alone: give it its new password.",
            "An attack: limit logins at {service} to known networks or to a second factor until it is over.",
        ),
        would_change=(
            "logins at {service} that succeeded from addresses which fail in that hour: then a password was guessed",
            "nearly all failures from one address of your own: then it is a job with an old password",
            "no successes at {service} in the same hour either: then it is an outage, not an attack",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, and unfinished attempts from outside."""
        return guesses(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the attempts that each row stands for in its service's hour."""
        reports = hourly_count.count(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("count", null=1)[at],
            rows.addresses()[at],
            hourly_count.Rules(
                learn_s=float(self.p.learn_s),
                floor=self.p.floor,
                log_p=math.log(self.p.p_star),
                quiet_s=float(self.p.quiet_s),
                forget_s=self.idle_s(),
            ),
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "service": rows.column("service").gather(found).to_list(),
                "failures": reports.count,
                "usual_failures": reports.mean,
                "hours": reports.windows,
                "one_in": tails.one_in(reports.log_p),
                "rarity": odds_texts(tails.one_in(reports.log_p)),
                "episode_failures": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which a service begins anew."""
        return float(max(self.p.forget_s, self.p.quiet_s))


DETECTOR = FailureSpike
