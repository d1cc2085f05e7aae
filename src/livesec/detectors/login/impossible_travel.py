"""Impossible travel: two successful logins of one user, farther apart than anyone could have travelled between them.

Sees a stolen password or session used from another part of the world. Misses attackers near the victim, and countries
so large that their error circles overlap. Distances are the least that both errors allow. Networks that the settings
name as VPN, relay or hosting, and internal addresses, say nothing about where a person is and are passed over.
Source: Panther's rule (900 km/h); CrowdSec has no test of speed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import travel_speed
from livesec.baselines.country_code import country_text
from livesec.baselines.sightings import PLACE_COLUMNS, located_logins, sightings
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How fast is too fast, and how far is far."""

    max_kmh: float = param(900.0, "km/h", "Panther: an airliner's cruising speed", minimum=1)
    min_km: float = param(300.0, "km", "our choice: nearer places are an hour's flight and wrong geography")
    quiet_s: float = param(30 * DAY_S, "s", "our choice: a month without makes it another case", minimum=3600)


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
    summary = (
        "{user} logged in from {to_country} {elapsed_min:,.0f} min after {from_country}: at least {least_km:,.0f} km, "
        "{speed_kmh:,.0f} km/h"
    )
    guidance = Guidance(
        meaning="The same account was used in two places that no journey joins in that time. Someone else may hold "
        "the password, a key or a session.",
        usual="An airliner makes {max_kmh:,.0f} km/h; these logins, {elapsed_min:,.0f} min apart, need "
        "{speed_kmh:,.0f} km/h over {least_km:,.0f} km, the least that the errors of both places allow. "
        "{cases:,} such case(s) of this user within a month of each other.",
        benign=(
            "a VPN, proxy or mobile network that comes out in another country: list it in relay_networks",
            "an account that several people or machines share",
            "an address block that changed hands and is placed in its old country",
        ),
        next_steps=(
            "last -iw | head -50    # the sessions of both places, still open?",
            "whois {src_ip}    # an access network, a hosting provider or a VPN?",
            "Ask the user, over another channel, where they are and whether they use a VPN.",
            "If it was not them: end the account's sessions, change its password and remove unknown keys.",
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
            quiet_s=self.p.quiet_s,
        )
        positions = at[found.at]
        return Findings(
            at=positions,
            details={
                "from_country": [country_text(number) for number in found.from_country.tolist()],
                "to_country": rows.frame["country"].gather(positions).to_list(),
                "distance_km": found.distance_km,
                "least_km": found.least_km,
                "elapsed_min": found.hours * 60,
                "speed_kmh": found.least_km / found.hours,
                "max_kmh": np.full(len(positions), self.p.max_kmh),
                "cases": found.hits,
            },
            evidence=found.from_address[:, np.newaxis],
        )

    def idle_s(self) -> float:
        """After so long the user can be anywhere, and an old case is another case."""
        return travel_speed.idle_s(max_kmh=self.p.max_kmh, quiet_s=self.p.quiet_s)


DETECTOR = ImpossibleTravel
