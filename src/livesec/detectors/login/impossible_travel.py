"""Impossible travel: a login far from the user's last one, sooner than anyone could have travelled.

Sees a stolen password or session used from another part of the world. Misses attackers near the victim or
where the victim was within a month, and countries so large that their error circles overlap. Distances are
the least that both errors allow. Networks that the settings name as VPN, relay or hosting, and internal
addresses, say nothing about where a person is and are passed over.

Two places in turn are reported once, at the first login from the new one: an account that two people share,
or a VPN, would never be silent otherwise. How surely it is an anomaly follows from the history: after one or
two login hours nobody knows where a user belongs, and who is somewhere new every day may be so again. Source:
Panther's rule (900 km/h); CrowdSec has no test of speed. Rarity as in DETECTIONS, statistics 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import travel_speed
from livesec.baselines.country_code import country_text
from livesec.baselines.sightings import PLACE_COLUMNS, located_logins, sightings
from livesec.core.finding import Findings
from livesec.core.human_units import time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How fast is too fast, and how far is far."""

    max_kmh: float = param(900.0, "km/h", "Panther: an airliner's cruising speed", minimum=1)
    min_km: float = param(300.0, "km", "our choice: nearer places are an hour's flight, or wrong geography", minimum=1)
    p_star: float = param(
        0.1, "probability", "our choice: certain when a new place comes once in 10 login hours", maximum=0.5
    )
    known_s: float = param(30 * DAY_S, "s", "our choice: where a user was within a month is known", minimum=3600)
    forget_s: float = param(90 * DAY_S, "s", "our choice: as long as anomalies are kept", minimum=DAY_S)


class ImpossibleTravel(Detector[Params]):
    """Speed between consecutive successful logins of a user."""

    name = "impossible_travel"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = PLACE_COLUMNS
    technique = ("T1078",)
    base_severity = 73
    columns = travel_speed.COLUMNS
    params = Params
    max_keys = 1 << 17  # users who logged in: half a kilobyte each
    statistical = True
    summary = (
        "{user} logged in from {to_country} {elapsed} after {from_country}: at least {least_km:,.0f} km, "
        "{flight} by air"
    )
    guidance = Guidance(
        meaning="The same account was used in two places that no journey joins in that time. Someone else may hold "
        "the password, a key or a session.",
        usual="These logins lie {elapsed} apart; the least {least_km:,.0f} km between them that the errors of both "
        "places allow take an airliner {flight} at {max_kmh:,.0f} km/h. Login hours of {user} "
        "before: {login_hours:,}; places: {places:,}, this one not among those of the last {known_days:.0f} days.",
        benign=(
            "a VPN, proxy or mobile network that comes out in another country: list it in relay_networks",
            "an account that several people or machines share",
            "an address block that changed hands and is placed in its old country",
        ),
        commands=("logins_of_user", "owner_of_source", "who_is_on", "acts_of_user"),
        next_steps=(
            "Are the sessions of both places still open, and which of them did something that {user} never does?",
            "Who holds the addresses in {to_country} and {from_country}: access network, hosting provider, VPN?",
            "Ask {user}, over another channel, where they are and whether they use a VPN.",
            "If it was not them: end the account's sessions, change its password and remove unknown keys.",
        ),
        would_change=(
            "{user} is in {from_country}: then the login from {to_country} is somebody else's",
            "failed logins of {user} before the one from {to_country}, or transfers after it: then it is a takeover",
            "one of the two addresses is a VPN, relay or mobile gateway that {user} uses: then nobody travelled",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes from outside, not through a relay."""
        return located_logins(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login with the user's last."""
        found = travel_speed.journeys(
            state,
            sightings(rows, rows.key(*self.key), at),
            max_kmh=self.p.max_kmh,
            min_km=self.p.min_km,
            known_s=self.p.known_s,
            forget_s=self.p.forget_s,
        )
        positions = at[found.at]
        n = len(positions)
        return Findings(
            at=positions,
            details={
                "from_country": [country_text(number) for number in found.from_country.tolist()],
                "to_country": rows.frame["country"].gather(positions).to_list(),
                "distance_km": found.distance_km,
                "least_km": found.least_km,
                "elapsed_min": found.hours * 60,
                "elapsed": time_texts(found.hours * 3600),
                "flight": time_texts(found.least_km / self.p.max_kmh * 3600),
                "speed_kmh": found.least_km / found.hours,
                "max_kmh": np.full(n, self.p.max_kmh),
                "login_hours": found.seen_hours,
                "places": found.places,
                "known_days": np.full(n, self.p.known_s / DAY_S),
                "p_value": found.p,
            },
            evidence=found.from_address[:, np.newaxis],
            confidence=np.minimum(1.0, np.log(found.p) / np.log(self.p.p_star)),
        )

    def idle_s(self) -> float:
        """After so long the user can be anywhere, and nothing is known of them."""
        return travel_speed.idle_s(max_kmh=self.p.max_kmh, forget_s=self.p.forget_s)


DETECTOR = ImpossibleTravel
