"""A login from a country that the settings list.

Sees any success from a listed country; the list is empty unless you fill it. Misses attackers who rent a
machine elsewhere, which is most of them: a country is a weak sign, and this rule is for organisations with
nobody there. Failures from listed countries are the Internet's noise and are left to the guessing detectors.
Source: the livesec seed's list of suspicious countries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import leaky_bucket
from livesec.core.ago import ago_texts
from livesec.core.country_names import iso_code
from livesec.core.errors import SettingsError
from livesec.core.finding import DetailColumn, Findings
from livesec.core.human_units import time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.core.text import shown


@dataclass(frozen=True)
class Params:
    """Which countries, and when a login from there is news again."""

    countries: tuple[str, ...] = param(
        (),
        "ISO codes or English names",
        "livesec seed's setting, empty by default",
        setting="suspicious_countries",
    )
    quiet_s: float = param(7 * 86_400.0, "s", "our choice: news again after a week without", minimum=60)


class SuspiciousGeoLocation(Detector[Params]):
    """Successful logins from listed countries, per user and country."""

    name = "suspicious_geo_location"
    log_type = LogType.LOGIN
    key = ("user", "country")
    needs = ("outcome",)
    technique = ("T1078",)
    base_severity = 47
    columns = leaky_bucket.COLUMNS
    params = Params
    max_keys = 1 << 17  # pairs of user and country: 150 bytes each
    summary = "{user} logged in from {country}, a listed country, from {src_ip}"
    guidance = Guidance(
        meaning="A login came from a country that your settings list as one nobody should log in from.",
        usual="Expected from any of the {listed:,} listed countries: no login. Logins of {user} from {country}: "
        "{logins:,}, the first {first}; before that, as far as the log was read: {before}.",
        benign=(
            "a trip, or a colleague who works from there: take the country off the list",
            "a VPN or proxy that comes out there",
            "an address block that is placed in the wrong country",
        ),
        commands=("logins_of_user", "owner_of_source", "who_is_on", "acts_of_user"),
        next_steps=(
            "Who holds {src_ip}: an access network of {country}, a hosting provider or a VPN?",
            "What else came from {src_ip}, and is the session still open?",
            "Ask {user}, over another channel, whether they are in {country}.",
            "If it was not them: end the sessions, change the password and remove unknown keys.",
        ),
        would_change=(
            "failed logins of {user} or of others from {src_ip} before this one: then the password was guessed",
            "transfers or new rights of {user} since: then the account is taken over",
            "{user} works from {country}, or {src_ip} is a VPN that comes out there: then it is harmless",
        ),
    )

    def __init__(self, params: Params, *, seed_mode: bool = False) -> None:
        """Raises SettingsError for a country that nobody knows."""
        super().__init__(params, seed_mode=seed_mode)
        codes = {name: iso_code(name) for name in params.countries}
        unknown = [name for name, code in codes.items() if code is None]
        if unknown:
            raise SettingsError(
                f"suspicious_countries: {shown(unknown[0])!r} is no country; "
                "use an ISO code such as RU or its English name"
            )
        self._listed = tuple(sorted({code for code in codes.values() if code}))

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes from listed countries; in seed mode any attempt from there."""
        listed = rows.is_any("country", self._listed)
        return np.asarray(listed if self.seed_mode else listed & rows.is_value("outcome", "success"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Report the 1st, 4th, 16th... login of each user from each listed country."""
        if self.seed_mode:
            ones = np.ones(len(at), dtype=np.int64)
            return self._findings(rows, at, ones, np.zeros(len(at)), None)
        reports = leaky_bucket.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            np.ones(len(at), dtype=np.int64),
            rows.addresses()[at],
            capacity=1,  # the first one fills it
            leak_s=1.0,
            quiet_s=self.p.quiet_s,
        )
        return self._findings(rows, at[reports.at], reports.total, reports.span_s / 3600, reports.evidence)

    def _findings(
        self,
        rows: Rows,
        positions: NDArray[np.int64],
        logins: NDArray[np.int64],
        span_h: NDArray[np.float64],
        evidence: NDArray[np.int64] | None,
    ) -> Findings:
        countries = rows.frame["country"].gather(positions).to_list()
        before = "not counted" if self.seed_mode else f"none for {time_text(self.p.quiet_s)}"
        details: dict[str, DetailColumn] = {
            "country": countries,
            "logins": logins,
            "span_h": span_h,
            "first": ago_texts(span_h * 3600),
            "listed": np.full(len(positions), len(self._listed)),
            "before": [before] * len(positions),
        }
        return Findings(positions, details, evidence)

    def idle_s(self) -> float:
        """After so long the next login is news again."""
        return self.p.quiet_s


DETECTOR = SuspiciousGeoLocation
