"""A machine of one's own talks to a country where it never did.

Sees servers and workstations with few countries that begin to call another. Misses countries that the machine knows,
machines that talk to everybody (their p is large), and networks: only the country is judged, because most hosts meet
new networks every day. Judged is each machine by its own history; how usual the country is for the others is not
known here. Quiet until a week and 20 hours of it are known. A rare country teaches slowly and is reported
again at its 4th and 16th hour while it stays rare; its first contact is reported however slowly the rest follows. Low
by itself; it counts together with what else the machine does. Statistics: baselines/rarity. Source: Elastic's jobs of
rare destination countries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import rarity, tails
from livesec.baselines.country_code import country_numbers
from livesec.baselines.unanswered import unanswered
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How rare, after how much history."""

    report_p: float = param(0.01, "probability", "our choice: one in 100 country hours", minimum=1e-4, maximum=0.5)
    p_star: float = param(
        1e-3, "probability", "once in ten days for each 100 new countries a day; low alone", minimum=1e-4, maximum=0.1
    )
    min_hours: int = param(20, "country hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    learn_s: float = param(7 * DAY_S, "s", "our choice: each day of the week once", minimum=0)
    quiet_s: float = param(30 * DAY_S, "s", "our choice: a month away makes it new again", minimum=3600)
    forget_s: float = param(90 * DAY_S, "s", "our choice: a quarter's silence", minimum=DAY_S)


class RareGeo(Detector[Params]):
    """Rarity of a destination's country among those of a machine."""

    name = "rare_geo"
    log_type = LogType.NETWORK
    key = ("src_ip",)
    needs = ("dst_country",)
    technique = ("T1071",)
    base_severity = 21
    columns = rarity.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 14
    summary = "{src_ip} talks to {country}, new for it ({dst_ip} at port {port})"
    guidance = Guidance(
        meaning="The machine was never seen to talk to this country, or hardly ever. Command-and-control "
        "servers and drop sites are rented wherever it is cheap.",
        usual="Counted over {country_hours:,} hours with countries usual for {src_ip} (two countries in one "
        "hour count twice) and {new_countries:,} that came new (at least one is assumed), an hour "
        "with a country as new as this has a probability of {p_value:.2%}. Hours with {country}, this "
        "one included: {hours_there:,}.",
        benign=(
            "a content network or cloud service that answers from another country today",
            "a new customer, supplier or remote worker there",
            "an address block that the country data places wrongly",
        ),
        next_steps=(
            "Find out whose {dst_ip} is: a content network, a known service, or a rented server?",
            "Find the program on {src_ip} that talks to it at port {port}, and what was installed on it lately.",
            "See how much went there, and whether it goes on at even intervals.",
            "If nobody knows why, look at the logins and new files of {src_ip} before the first contact, "
            "then block {dst_ip}.",
        ),
        commands=("sockets_to_destination", "owner_of_destination", "machine_of_source", "newest_packages"),
        would_change=(
            "harmless if {dst_ip} belongs to a content network or cloud that {src_ip} uses in other countries too",
            "worse if more was sent to {dst_ip} than came back",
            "worse if {src_ip} is a server that calls nobody outside by itself",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Answered connections from inside to outside."""
        outwards = (rows.integers("is_internal") == 1) & (rows.integers("dst_is_internal", null=1) == 0)
        return np.asarray(outwards & ~unanswered(rows)) if outwards.any() else outwards

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each country with those of the machine."""
        countries = rows.column("dst_country").gather(at)
        numbers = country_numbers(countries).astype(np.uint64)
        reports = rarity.meet(state, rows.key(*self.key)[at], rows.time_us[at], numbers, self._rules())
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "country": countries.gather(reports.at).to_list(),
                "port": rows.integers("dst_port")[found],
                "country_hours": reports.hours,
                "new_countries": reports.news,
                "hours_there": reports.sightings,
                "p_value": reports.p,
            },
            confidence=tails.confidence(np.log(reports.p), self.p.p_star),
        )

    def _rules(self) -> rarity.Rules:
        return rarity.Rules(
            most_p=float(self.p.report_p),
            min_hours=self.p.min_hours,
            learn_s=float(self.p.learn_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
        )

    def idle_s(self) -> float:
        """A machine silent for so long starts anew."""
        return self.p.forget_s


DETECTOR = RareGeo
