"""One account in use from two networks at once, one of them new for its user.

Sees a stolen password, key or session used while its owner works: the owner's network, the stranger's, the owner's
again (or the other way round) within three hours, also within one city, where impossible_travel says nothing. Misses a
thief in one of the owner's own networks, one who comes when the owner is away, and one who came unseen a day before:
his network is not new any more, which first_source then has told. Logs name few ends of sessions, so that logins in
turn stand for sessions that overlap. Networks are autonomous systems; rows without one are not judged, nor are VPNs
and relays by the settings. Two networks of one country are an event; an alert takes two countries. A rule. Source:
Elastic's and Panther's rules for sessions of one user from several networks; new-against-old is our choice, for laptop
and telephone are two networks all day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import side_by_side
from livesec.baselines.country_code import UNKNOWN, country_numbers, country_text
from livesec.baselines.sightings import located_logins
from livesec.core.finding import Findings
from livesec.core.human_units import time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0
SAME_COUNTRY_CONFIDENCE = 0.6  # our choice: an event, no alert; a new provider beside the old one is mostly harmless


@dataclass(frozen=True)
class Params:
    """What is at once, what is new, and how much history it takes."""

    window_s: float = param(10_800.0, "s", "our choice: nobody goes abroad and back in three hours", minimum=60)
    fresh_s: float = param(DAY_S, "s", "our choice: a network is new on its first day", minimum=60)
    learn_s: float = param(5 * DAY_S, "s", "as first_source: five days of history", minimum=0)
    quiet_s: float = param(DAY_S, "s", "our choice: a day's pause makes it another episode", minimum=60)
    forget_s: float = param(90 * DAY_S, "s", "our choice: as long as anomalies are kept", minimum=DAY_S)


class ConcurrentSessions(Detector[Params]):
    """Networks that each user's successes come from in turn."""

    name = "concurrent_sessions"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("asn", "outcome")
    technique = ("T1078",)
    base_severity = 47
    columns = side_by_side.COLUMNS
    params = Params
    max_keys = 1 << 17  # users who logged in: half a kilobyte each
    summary = (
        "{user} logs in from two networks in turn, one of them new; last {src_ip} in {this_country}, "
        "{other_min:,.0f} min after the other in {other_country}"
    )
    guidance = Guidance(
        meaning="Two networks use the account at the same time, and one of them is new for its user. One of the two "
        "may not be the user.",
        usual="{user} is known from {networks:,} networks, these two among them. Who moves to a new one does not log "
        "in from the old one again within {window}; moves to and fro here: {alternations:,}. This "
        "network, in {this_country}, was used {before_min:,.0f} min ago, the other one, in {other_country}, "
        "{other_min:,.0f} min ago.",
        benign=(
            "a new telephone provider, or a telephone used as a modem",
            "a train, hotel or customer's network beside the user's own connection",
            "a VPN that is switched on and off: list it in relay_networks",
        ),
        commands=("logins_of_user", "owner_of_source", "who_is_on", "acts_of_user"),
        next_steps=(
            "Do the sessions of both networks overlap, and do they look alike: same service, same key or password?",
            "Who holds {src_ip}, and who the other address in the evidence: access network, hosting provider, VPN?",
            "Ask {user}, over another channel, whether both are theirs.",
            "If not: end the account's sessions, change its password and remove unknown keys.",
        ),
        would_change=(
            "{user} does not know one of the two networks: then the account is in somebody else's hands",
            "the newer network is a hosting provider's or a VPN service's that the organisation does not use: more "
            "likely a thief",
            "the newer network is the user's telephone, a train or a hotel, and both sessions do the same work: then "
            "it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes from outside, not through a relay."""
        return located_logins(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login's network with those used in the last hours."""
        countries = country_numbers(rows.column("country").gather(at))
        found = side_by_side.alternations(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("asn")[at],
            countries.astype(np.int64),
            rows.addresses()[at],
            window_s=self.p.window_s,
            fresh_s=self.p.fresh_s,
            learn_s=self.p.learn_s,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        abroad = _differ(countries[found.at], found.other_group)
        return Findings(
            at=at[found.at],
            details={
                "this_country": [country_text(number) for number in countries[found.at].tolist()],
                "other_country": [country_text(number) for number in found.other_group.tolist()],
                "networks": found.values,
                "alternations": found.episode,
                "other_min": found.other_s / 60,
                "before_min": found.before_s / 60,
                "window": [time_text(self.p.window_s)] * len(found.at),
            },
            evidence=found.evidence,
            confidence=np.where(abroad, 1.0, SAME_COUNTRY_CONFIDENCE),
            reasons=["two_countries" if differ else "one_country" for differ in abroad.tolist()],
        )

    def idle_s(self) -> float:
        """A user away for so long starts anew."""
        return max(self.p.forget_s, self.p.window_s, self.p.fresh_s, self.p.learn_s, self.p.quiet_s)


def _differ(one: NDArray[np.int32], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two countries are known and not the same, shape (n,)."""
    return np.asarray((one != other) & (one != UNKNOWN) & (other != UNKNOWN))


DETECTOR = ConcurrentSessions
