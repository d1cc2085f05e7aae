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
    summary = "{user} logged in from {src_ip} ({logins:,} so far, the first {first})"
    guidance = Guidance(
        meaning="Somebody works as the superuser over the network. Whoever has that login has the machine.",
        usual="Logins of {user} from {src_ip}: {logins:,}, the first {first}. Before these none came from there for "
        "{quiet_days:,.0f} days or as long as the log was read; where {user} logs in over the network at all, it is "
        "from the same few addresses for months.",
        benign=(
            "an administrator or a deployment tool that works as root, from a new address",
            "a backup that copies by root's key",
            "a rescue after a failure, when nobody else can log in",
        ),
        commands=("logins_of_user", "sshd_of_address", "login_rules", "keys_of_user"),
        next_steps=(
            "By key or by password? By password from outside is the worse: it can be guessed.",
            "Is {src_ip} an administrator's machine, a jump host or a deployment server?",
            "Without need for it, forbid root to log in over the network.",
            "If nobody knows {src_ip}: look at what was started since, and take the machine off the network.",
        ),
        would_change=(
            "failed logins from {src_ip} before this one, or a login by password from outside: then it was guessed",
            "a key of {user} that nobody put there, or new accounts and services since: then the machine is lost",
            "{src_ip} is an administrator's or a deployment server's address: then it is work",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes of the superuser."""
        success = rows.is_value("outcome", "success")
        return np.asarray(success & rows.is_any("user", self.p.users)) if success.any() else success

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each login."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        return Findings(
            at=at[reports.at],
            details={
                "logins": reports.total,
                **recurrence.since_first(reports, self.p.quiet_s),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which a source is a new one."""
        return self.p.quiet_s


DETECTOR = RootLogin
