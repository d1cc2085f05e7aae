"""A login from a country where nobody of the organisation has been before.

Sees a stolen account of a user with too little history for geo_inconsistency, or of one that travels, when the country
is new for everybody. Misses countries where a single colleague has been within `forget_s`. Quiet for the first week.
A country is reported once and known from then on: the finding is the chance to look. Statistics: countries that came
new after the first week against the clock hours with logins (baselines/first_seen). The state is one for the whole
organisation: its key is the outcome, which is `success` in all rows that it takes. Source: DETECTIONS, rarity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import first_seen
from livesec.baselines.country_code import UNKNOWN, country_numbers
from livesec.baselines.sightings import located_logins
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_COUNTRIES = 256  # more than there are
DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How much history it takes, and what counts as rare."""

    learn_s: float = param(7 * DAY_S, "s", "our choice: a whole week, weekend and all", minimum=0)
    learn_hours: int = param(48, "hours with logins", "our choice: two full days", minimum=1)
    p_star: float = param(
        0.005, "probability", "our choice: certain when a new one comes once in 200 hours with logins", maximum=0.5
    )
    quiet_s: float = param(DAY_S, "s", "our choice: several new countries on one day are one finding", minimum=60)
    forget_s: float = param(180 * DAY_S, "s", "our choice: half a year", minimum=DAY_S)


class RareCountry(Detector[Params]):
    """First success from a country over all users."""

    name = "rare_country"
    log_type = LogType.LOGIN
    key = ("outcome",)
    needs = ("country", "user")
    technique = ("T1078",)
    base_severity = 47
    columns = first_seen.columns(KEPT_COUNTRIES)
    statistical = True
    params = Params
    max_keys = 1 << 8
    summary = "{user} logged in from {country}, where nobody here has logged in from before"
    guidance = Guidance(
        meaning="A login came from a country that is new for the whole organisation.",
        usual="Countries that all users together came from: {countries:,}, in {login_hours:,} hours with logins; new "
        "ones after the first days, before this one: {new_countries:,}. So an hour with a new country had a "
        "probability of {p_value:.2%}; new ones in this stretch: {episode_countries:,}.",
        benign=(
            "a business trip, a holiday or a new colleague",
            "a VPN, proxy or mobile network that comes out abroad: list it in relay_networks",
            "an address block that is placed in the wrong country",
        ),
        commands=("logins_of_user", "owner_of_source", "acts_of_user"),
        next_steps=(
            "Who holds the address: an access or mobile network of {country}, a hosting provider, a VPN?",
            "From where did {user} log in before, and when last: could they be in {country} by now?",
            "Ask {user}, over another channel, whether they are there.",
            "Not them? End the account's sessions, change its password and remove unknown keys.",
        ),
        would_change=(
            "failed logins of {user} or of colleagues from {country} before this one: then a password was guessed",
            "a login of {user} from one of the usual countries within the same hours: then two people use the account",
            "{user} or a colleague is in {country} for a known reason: then the country is known from now on",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes from outside, not through a relay."""
        return located_logins(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login's country with all that were seen."""
        countries = country_numbers(rows.column("country").gather(at))
        at = at[countries != UNKNOWN]
        found = first_seen.first_times(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            countries[countries != UNKNOWN].astype(np.uint64),
            learn_s=self.p.learn_s,
            learn_hours=self.p.learn_hours,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        positions = at[found.at]
        return Findings(
            at=positions,
            details={
                "country": rows.column("country").gather(positions).to_list(),
                "countries": found.known,
                "new_countries": found.news,
                "login_hours": found.hours,
                "episode_countries": found.episode,
                "p_value": found.p,
            },
            confidence=np.minimum(1.0, np.log(found.p) / np.log(self.p.p_star)),
        )

    def idle_s(self) -> float:
        """An organisation without logins for so long starts anew."""
        return max(self.p.forget_s, self.p.quiet_s)


DETECTOR = RareCountry
