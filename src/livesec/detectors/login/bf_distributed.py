"""Many addresses fail with one account: guessing or credential stuffing through a botnet or a proxy service.

Sees an account that ten addresses or more fail with within an hour, however rarely each tries. IPv6 addresses count by
/64. Misses botnets that spread over accounts as well, with fewer than ten addresses per account and hour. Names that
every scanner tries (root, admin) gather strangers from the whole Internet all day: see `common`. Source: our choice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import distinct_window
from livesec.baselines.login_attempts import named_as_typed
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_ADDRESSES = 64


@dataclass(frozen=True)
class Params:
    """How many addresses in what time, and accounts that are left out."""

    addresses: int = param(10, "addresses", "our choice", minimum=2, maximum=KEPT_ADDRESSES)
    window_s: float = param(3600.0, "s", "our choice", minimum=60)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: half a night's pause makes it another attack", minimum=60)
    common: tuple[str, ...] = param(
        ("root", "admin", "administrator", "Administrator", "test", "user", "ubuntu", "guest"),
        "accounts",
        "our choice: on every scanner's list; each single source is bf_fast's, bf_slow's and bf_few's",
    )


class DistributedBruteForce(Detector[Params]):
    """Distinct source addresses that fail with an account in a window."""

    name = "bf_distributed"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("src_ip", "outcome")
    technique = ("T1110.004", "T1110.001")
    base_severity = 73
    columns = distinct_window.columns(KEPT_ADDRESSES)
    params = Params
    max_keys = 1 << 16
    summary = "{addresses:,} addresses failed to log in as {user}, {attempts:,} attempts within {span}"
    guidance = Guidance(
        meaning="Many machines try one account, each so seldom that no limit per address notices: a botnet or a proxy "
        "service. Often the password is known from a leak elsewhere and only has to be tried.",
        usual="An account fails from fewer than {threshold:,} addresses within {window}; {user} failed from "
        "{addresses:,} so far, with {attempts:,} attempts over {span}.",
        benign=(
            "a shared or service account whose password was changed while many machines still hold the old one",
            "a telephone that changes networks all day with an old password",
            "your own proxies or gateways, if most of the addresses are theirs",
        ),
        commands=("logins_of_user", "addresses_of_account", "account"),
        next_steps=(
            "Did a login of {user} succeed since, from an address that its owner does not know? Then it is a break-in.",
            "Are the addresses strangers to each other (many networks and countries), or are they your own sites?",
            "Ask the owner of {user} whether the password was changed lately or is used elsewhere.",
            "Give {user} a new password and a second factor, or keys alone, whether or not a login succeeded.",
        ),
        would_change=(
            "a login of {user} that succeeded from one of these addresses: then the password is known and the account "
            "is taken over",
            "the same addresses at further accounts: then {user} is one target of many",
            "a password of {user} changed shortly before the first failure, and addresses of your own people: then "
            "these are devices with the old one",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures for accounts that exist as far as the log tells, without those that everyone tries."""
        common = rows.is_any("user", self.p.common)
        return np.asarray(named_as_typed(rows) & rows.known("user") & ~common)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Give each account the address that tried it."""
        reports = distinct_window.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("src_ip")[at],
            rows.addresses()[at],
            threshold=self.p.addresses,
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "addresses": reports.distinct,
                "attempts": reports.events,
                "span_s": reports.span_s,
                "span": time_texts(reports.span_s),
                "threshold": np.full(n, self.p.addresses),
                "window": [time_text(self.p.window_s)] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause."""
        return distinct_window.idle_s(self.p.addresses, window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = DistributedBruteForce
