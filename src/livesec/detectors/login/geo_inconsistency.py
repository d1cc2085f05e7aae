"""A login from a country that is new for the user and far from every place where the user usually is.

Sees a stolen account used from abroad at any time, also days after the user's own last login, where
impossible_travel is silent. Misses attackers in the user's countries or next to them. Users who move about
much are scored lower, by how often a new country is to be expected of them. Quiet until 20 login hours are
known. Source: the livesec seed (more than 1000 km from the usual location), against each user's own places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import travel_speed, usual_places
from livesec.baselines.country_code import country_text
from livesec.baselines.sightings import PLACE_COLUMNS, Sightings, located_logins, sightings
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How far is far, how much history it takes, and what counts as rare."""

    min_km: float = param(1000.0, "km", "livesec seed", minimum=0, setting="geo_distance_km")
    min_hours: int = param(20, "login hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    p_star: float = param(
        0.01,
        "probability",
        "our choice: certain when a new country comes once in 100 login hours",
        maximum=0.5,
    )
    quiet_s: float = param(30 * DAY_S, "s", "our choice: a month away makes it another visit", minimum=3600)
    forget_s: float = param(180 * DAY_S, "s", "our choice: half a year without a login", minimum=DAY_S)


class GeoInconsistency(Detector[Params]):
    """Rarity of a far country among the places of a user."""

    name = "geo_inconsistency"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = PLACE_COLUMNS
    technique = ("T1078",)
    base_severity = 47
    columns = usual_places.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 17  # users who logged in: half a kilobyte each
    summary = "{user} logged in from {country}, new for them and at least {distance_km:,.0f} km from {nearest_country}"
    guidance = Guidance(
        meaning="The account was used from a country where its user has not been before, far from all their usual "
        "places.",
        usual="Usual countries of {user}: {usual_countries} by {login_hours:,} login hours, the nearest "
        "{nearest_country}. {country} is at least {distance_km:,.0f} km from it, and less than {min_km:,.0f} km would "
        "be near. A login from a new country had a probability of {p_value:.1%}. Hours seen in {country}, this one "
        "included: {hours_there}.",
        benign=(
            "a business trip or a holiday",
            "a VPN, proxy or mobile network that comes out abroad: list it in relay_networks",
            "an address block that is placed in the wrong country",
        ),
        commands=("owner_of_source", "logins_of_user", "acts_of_user"),
        next_steps=(
            "Who holds the address: an access or mobile network of {country}, a hosting provider, a VPN?",
            "Look for failed logins of {user} just before, and for transfers after.",
            "Ask {user}, over another channel, whether they are in {country}.",
            "If not: end the account's sessions, change its password and remove unknown keys.",
        ),
        would_change=(
            "a login of {user} from {nearest_country} within the same hours: then two people use the account",
            "failed logins of {user} before this one, or an address of a hosting provider: then likely a thief",
            "a trip of {user} to {country} that somebody other than the account confirms: then it is harmless",
        ),
    )

    def initial(self) -> KeyedState:
        """Usual places; in seed mode the last place alone."""
        return KeyedState(travel_speed.COLUMNS if self.seed_mode else self.columns, self.max_keys)

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes from outside, not through a relay."""
        return located_logins(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login with the user's usual places; in seed mode with the last one."""
        seen = sightings(rows, rows.key(*self.key), at)
        if self.seed_mode:
            return self._step_as_seed(state, rows, at, seen)
        found = usual_places.visits(
            state,
            seen,
            min_km=self.p.min_km,
            min_hours=self.p.min_hours,
            quiet_s=self.p.quiet_s,
            idle_s=self.p.forget_s,
        )
        positions = at[found.at]
        return Findings(
            at=positions,
            details={
                "country": rows.frame["country"].gather(positions).to_list(),
                "nearest_country": [country_text(number) for number in found.nearest.tolist()],
                "distance_km": found.distance_km,
                "login_hours": found.hours,
                "usual_countries": found.usual,
                "hours_there": found.sightings,
                "p_value": found.p,
                "min_km": np.full(len(positions), self.p.min_km),
            },
            confidence=np.minimum(1.0, np.log(found.p) / np.log(self.p.p_star)),
        )

    def _step_as_seed(self, state: KeyedState, rows: Rows, at: NDArray[np.int64], seen: Sightings) -> Findings:
        """The seed's rule: more than `min_km` from the user's last login, whatever the error of either place."""
        points = seen._replace(radius_km=np.zeros_like(seen.radius_km))
        found = travel_speed.journeys(
            state,
            points,
            max_kmh=0.0,
            min_km=self.p.min_km,
            known_s=self.p.forget_s,
            forget_s=self.p.forget_s,
            known_too=True,
        )
        positions = at[found.at]
        n = len(positions)
        return Findings(
            at=positions,
            details={
                "country": rows.frame["country"].gather(positions).to_list(),
                "nearest_country": [country_text(number) for number in found.from_country.tolist()],
                "distance_km": found.distance_km,
                "login_hours": np.ones(n, dtype=np.int64),
                "usual_countries": np.ones(n, dtype=np.int64),
                "hours_there": np.ones(n, dtype=np.int64),
                "p_value": [None] * n,
                "min_km": np.full(n, self.p.min_km),
            },
            evidence=found.from_address[:, np.newaxis],
        )

    def idle_s(self) -> float:
        """A user away for so long starts anew."""
        return self.p.forget_s


DETECTOR = GeoInconsistency
