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
    summary = "{addresses:,} addresses failed to log in as {user} within {span_s:,.0f} s"
    guidance = Guidance(
        meaning="Many machines try the same account, each only a few times: a botnet or proxy service that "
        "works around "
        "limits per address. Often the password is known from a leak elsewhere.",
        usual="An account is used from a handful of addresses; here {addresses:,} failed, with {attempts:,} attempts.",
        benign=(
            "a shared or service account whose password was changed, still configured on many machines",
            "a phone that changes networks with an old password",
        ),
        next_steps=(
            "last -i {user} | head    # did a login succeed, from an address that the user does not know?",
            "journalctl -t sshd --since '1 day ago' | grep -F ' {user} from '",
            "Whether or not one succeeded: give {user} a new password and a second factor, or keys alone.",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures for accounts that exist as far as the log tells, without those that everyone tries."""
        common = rows.column("user").is_in(list(self.p.common)).fill_null(True)
        return np.asarray(named_as_typed(rows) & ~common.to_numpy())

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
        return Findings(
            at=at[reports.at],
            details={"addresses": reports.distinct, "attempts": reports.events, "span_s": reports.span_s},
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause."""
        return distinct_window.idle_s(self.p.addresses, window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = DistributedBruteForce
