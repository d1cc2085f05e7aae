"""A login as root from outside: allowed on few systems, and what every attacker aims for.

Each source that root logs in from is reported at its first login and when its logins have grown fourfold; a month's
pause makes it new again. Low by itself: where administrators work as root it is usual, and it counts together with
what else an address does. Misses root gained after a login as somebody else. Source: Wazuh's rules for root logins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Whose logins, and when a source is new again."""

    users: tuple[str, ...] = param(("root", "toor"), "accounts", "the superuser's names on Unix")
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is a new source", minimum=3600)


class RootLogin(Detector[Params]):
    """First logins and recurrence per superuser and source address."""

    name = "root_login"
    log_type = LogType.LOGIN
    key = ("user", "src_ip")
    needs = ("outcome",)
    technique = ("T1078.003",)
    base_severity = 21
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{user} logged in from {src_ip} ({logins:,} times so far)"
    guidance = Guidance(
        meaning="Somebody works as the superuser over the network. Whoever has that login has the machine.",
        usual="{user} logged in from this address {logins:,} times in {span_s:,.0f} s.",
        benign=("an administrator or a deployment tool that works as root", "a backup that copies by root's key"),
        next_steps=(
            "last -i root | head",
            "journalctl -t sshd --since '1 day ago' | grep -F {src_ip}    # by key or by password?",
            "If nobody knows {src_ip}: look at what was started since, and take the machine off the network.",
            "Without need for it, set PermitRootLogin no.",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes of the superuser."""
        success = rows.is_value("outcome", "success")
        if not success.any():
            return success
        return np.asarray(success & rows.column("user").is_in(list(self.p.users)).fill_null(False).to_numpy())

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each login."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        return Findings(
            at=at[reports.at],
            details={"logins": reports.total, "span_s": reports.span_s},
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a source is a new one."""
        return self.p.quiet_s


DETECTOR = RootLogin
