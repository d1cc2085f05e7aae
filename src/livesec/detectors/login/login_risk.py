"""A login that is unlike its user's in several ways at once: network, provider, country, program, hour.

Sees a stolen account used from an unfamiliar place with an unfamiliar program, where each alone would be an event among
many. Misses attackers who look like the user: same provider, hour and program, or the user's own machine. The score's
tail is the user's own: whoever travels and changes machines needs more to stand out. Suspicious logins teach a
sixteenth of others, so that a thief who comes back is found for hours before he is usual; no login is judged before 20
clock hours outweigh the prior. Source: Freeman et al., Who Are You? A Statistical Approach to Measuring User
Authenticity (NDSS 2016), without the part that compares with all users and attackers; baselines/familiarity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import familiarity, tails
from livesec.baselines.local_hours import local_hours
from livesec.baselines.source_network import neighbourhood_keys
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0
NAMES = ("network", "provider", "country", "program")  # in the order of familiarity's features


@dataclass(frozen=True)
class Params:
    """What is rare, and how much history it takes."""

    time_zone: str = param("UTC", "IANA name", "livesec setting", setting="time_zone")
    report_p: float = param(1e-3, "probability", "our choice: an event in 1000 logins", minimum=1e-12, maximum=0.05)
    p_star: float = param(
        2e-5, "probability", "one in 20 days for each 2,500 logins a day: 100 users", minimum=1e-12, maximum=0.01
    )
    learn_hours: int = param(20, "login hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    quiet_s: float = param(DAY_S, "s", "our choice: a day's pause makes it another episode", minimum=60)
    forget_s: float = param(180 * DAY_S, "s", "our choice: half a year without a login", minimum=DAY_S)


class LoginRisk(Detector[Params]):
    """Unfamiliarity of each success for its user."""

    name = "login_risk"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("src_ip", "event_time_us")
    technique = ("T1078",)
    base_severity = 47
    columns = familiarity.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16  # users who logged in: 1.5 kilobytes each
    summary = "{user} logged in from {src_ip} in an unfamiliar way; new: {new}"
    guidance = Guidance(
        meaning="Network, provider, country, program and hour of this login together do not look like its user. Each "
        "alone would be an event among many.",
        usual="New for {user}: {new}; the hour is {hour:02d} h. By {login_hours:,} login hours before, a login as "
        "unfamiliar as this one comes {rarity}; told from once in {told_from:,.0f} on. Such logins in this stretch: "
        "{episode_logins:,}.",
        benign=(
            "a journey with a borrowed or new machine",
            "a new machine or program set up from home",
            "a job that now runs under the user's name",
        ),
        commands=("logins_of_user", "owner_of_source", "acts_of_user"),
        next_steps=(
            "Which of the unfamiliar things ({new}) can {user} explain: a new machine, a journey?",
            "Who holds {src_ip}: an access network, a hosting provider or a VPN?",
            "What did the session do? Look for transfers of {user} after it.",
            "Ask {user}, over another channel. Not them? End the sessions, change the password, remove unknown keys.",
        ),
        would_change=(
            "transfers, new keys or new rights of {user} after this login: then the account is taken over",
            "failed logins of {user} from {src_ip} before it: then the password was guessed",
            "{user} has a new machine or is on a journey, and says so over another channel: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes that do not come through a VPN or relay by the settings."""
        return np.asarray(rows.is_value("outcome", "success") & (rows.integers("is_relay") != 1))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Score each login by its user's earlier ones."""
        networks = neighbourhood_keys(rows.column("src_ip").gather(at))
        countries, clients = (text_keys(rows.column(name).gather(at)) for name in ("country", "client"))
        hours = local_hours(rows.integers("event_time_us")[at], self.p.time_zone) % 24
        found = familiarity.strangers(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            np.stack([networks, rows.key("asn")[at], countries, clients], axis=1),
            hours,
            report_p=self.p.report_p,
            learn_hours=self.p.learn_hours,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        return Findings(
            at=at[found.at],
            details={
                "new": [_named(bits) for bits in found.news.tolist()],
                "hour": hours[found.at],
                "login_hours": found.hours,
                "risk": found.score,
                "one_in": tails.one_in(found.log_p),
                "rarity": odds_texts(tails.one_in(found.log_p)),
                "told_from": np.full(len(found.at), 1 / self.p.report_p),
                "episode_logins": found.episode,
            },
            confidence=tails.confidence(found.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """A user away for so long starts anew."""
        return max(self.p.forget_s, self.p.quiet_s)


def _named(bits: int) -> str:
    """The features whose bits are set.

    >>> _named(0b1001), _named(0)
    ('network, program', 'nothing')
    """
    return ", ".join(name for place, name in enumerate(NAMES) if bits >> place & 1) or "nothing"


DETECTOR = LoginRisk
