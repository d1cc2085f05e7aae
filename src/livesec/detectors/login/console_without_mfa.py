"""A login to a cloud console with a password alone: one phished or reused password away from the whole account.

Each account is reported at its first such login and when they have grown fourfold; a month's pause begins anew. A rule:
the log says whether a second factor was used. Misses consoles whose log does not say it, and sign-ins through an
identity provider, which asks for the factor itself. Source: CIS AWS Foundations Benchmark, monitoring of console
sign-in without MFA; Stratus Red Team, console-login-without-mfa.
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
    """Which consoles, and when an account is new again."""

    services: tuple[str, ...] = param(
        ("signin.amazonaws.com",), "services", "AWS: the log names the factor of each login"
    )
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is told again", minimum=3600)


class ConsoleWithoutMfa(Detector[Params]):
    """First logins without a second factor, and recurrence, per account."""

    name = "console_without_mfa"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("outcome", "auth_method", "service")
    technique = ("T1078.004",)
    base_severity = 45
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{user} logged in to a cloud console with a password alone; {logins:,} such login(s), the first {first}"
    guidance = Guidance(
        meaning="The console opens the whole account, and nothing but a password stood before it.",
        usual="Logins of {user} without a second factor: {logins:,}, the first {first}; in the {quiet_days:,.0f} days "
        "before, or as long as the log was read, there was none. With a second factor enforced there is none at all.",
        benign=(
            "an account that was made before a second factor was asked for",
            "an emergency account that is kept without one on purpose",
            "a test of your own",
        ),
        commands=("logins_of_user", "log_of_user", "account", "owner_of_source"),
        next_steps=(
            "From where did {user} come, and is that a place of theirs?",
            "What did the session do after it: new keys, new users, changed policies?",
            "Ask {user}. If it was not them: end the sessions, change the password, and remove what was made.",
            "Then ask for a second factor from every account that can open the console.",
        ),
        would_change=(
            "a new access key, user or policy made by {user} right after it: then the account is taken over",
            "failed logins of {user} before it, or an address nobody knows: then the password was guessed or stolen",
            "{user} is the emergency account and somebody used it on purpose: then it is known",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes with a password alone."""
        success = rows.is_value("outcome", "success")
        if not success.any():
            return success
        of_console = rows.is_any("service", self.p.services)
        return np.asarray(success & of_console & rows.is_any("auth_method", ("password",)))

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
        """The pause after which an account is told again."""
        return self.p.quiet_s


DETECTOR = ConsoleWithoutMfa
