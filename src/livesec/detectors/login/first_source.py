"""A login from a network that is new for the user, once the user's habits have been seen for five days.

Sees a stolen account used from anywhere but the user's own networks, also from the next street, where geography says
nothing. Misses attackers in a network that the user has used (the same mobile or access provider, the office) and
those of the first five days. A network is the autonomous system where that is known, else a /24 or /48. An attacker
who comes back is reported once: the network is then the user's own, so that this is an event among others, never an
alert alone. Statistics: the more seldom a user shows a new network, the surer; baselines/first_seen. Source: Elastic's
"new terms" rules (first seen after five days of history).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import first_seen
from livesec.baselines.source_network import network_keys
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_NETWORKS = 32
DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How much history it takes, and what counts as rare."""

    learn_s: float = param(5 * DAY_S, "s", "Elastic new terms: five days of history", minimum=0)
    learn_hours: int = param(20, "login hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    p_star: float = param(
        0.01, "probability", "our choice: certain when a new network comes once in 100 login hours", maximum=0.5
    )
    quiet_s: float = param(DAY_S, "s", "our choice: what a user shows new within a day is one move", minimum=60)
    forget_s: float = param(90 * DAY_S, "s", "our choice: as long as anomalies are kept", minimum=DAY_S)


class FirstSource(Detector[Params]):
    """First success of a user from a network."""

    name = "first_source"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("src_ip", "outcome")
    technique = ("T1078.003",)
    base_severity = 21
    columns = first_seen.columns(KEPT_NETWORKS)
    statistical = True
    params = Params
    max_keys = 1 << 17  # users who logged in: 0.6 kilobytes each
    summary = "{user} logged in from {src_ip}, in a network that is new for them"
    guidance = Guidance(
        meaning="The account was used from a network where its user has never been seen.",
        usual="Networks that {user} came from: {networks:,}, in {login_hours:,} login hours; new ones after the first "
        "days, before this one: {new_networks:,}. So an hour with a new network had a probability of {p_value:.2%}; "
        "new ones in this stretch: {episode_networks:,}.",
        benign=(
            "a new access or mobile provider, a hotel, a customer's office",
            "the provider of the user's line has other addresses now",
            "an automatic job that runs on another machine",
        ),
        commands=("owner_of_source", "logins_of_user", "acts_of_user"),
        next_steps=(
            "Who holds {src_ip}: an access network where {user} may be, or a hosting provider?",
            "Is anything else of this login unlike {user}: country, hour, program, what the session did?",
            "With a second such sign ask {user}, over another channel; if it was not them, end the sessions and change "
            "the password.",
        ),
        would_change=(
            "failed logins of {user} from {src_ip} or its neighbours before this one: then the password was guessed",
            "an hour, country or program that is new for {user} as well, or transfers right after: then likely a thief",
            "{user} says where they are, and {src_ip} fits: then the network is theirs from now on",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes: anyone can fail from anywhere."""
        return rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login's network with the user's."""
        found = first_seen.first_times(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            network_keys(rows, at),
            learn_s=self.p.learn_s,
            learn_hours=self.p.learn_hours,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        return Findings(
            at=at[found.at],
            details={
                "networks": found.known,
                "new_networks": found.news,
                "login_hours": found.hours,
                "episode_networks": found.episode,
                "p_value": found.p,
            },
            confidence=np.minimum(1.0, np.log(found.p) / np.log(self.p.p_star)),
        )

    def idle_s(self) -> float:
        """A user away for so long starts anew."""
        return max(self.p.forget_s, self.p.quiet_s)


DETECTOR = FirstSource
