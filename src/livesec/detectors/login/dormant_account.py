"""An account that was not used for more than 45 days logs in again.

Sees forgotten accounts that an attacker finds: of people who left, of old projects, of tests. Misses accounts that were
never used while LiveSec watched, and those that an attacker keeps warm. A rule: the first success after the gap, once
per gap. Failures neither wake an account nor keep it awake, so nobody can hide its sleep by guessing at it. Source: our
proposal (DETECTIONS); CIS Control 5.3 disables accounts after 45 days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import idle_gap
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How long a sleep is, and how long an account is remembered."""

    idle_days: float = param(45.0, "days", "CIS Control 5.3: disable dormant accounts after 45 days", minimum=1)
    forget_days: float = param(800.0, "days", "our choice: two years and a bit", minimum=2)


class DormantAccount(Detector[Params]):
    """Time since each user's last success."""

    name = "dormant_account"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("outcome",)
    technique = ("T1078",)
    base_severity = 47
    columns = idle_gap.COLUMNS
    params = Params
    max_keys = 1 << 18  # users who logged in: 100 bytes each
    summary = "{user} logged in from {src_ip} after {idle_for_days:,.0f} days without a login"
    guidance = Guidance(
        meaning="An account that nobody seemed to use any more is in use again. Attackers look for such accounts, for "
        "nobody misses them.",
        usual="{user} logged in after {idle_for_days:,.0f} days without a login; an account in use does not pause for "
        "{threshold_days:,.0f} days. Days of use before: {days_used:,}; returns after such a pause: "
        "{returns:,}.",
        benign=(
            "a long leave: parents, illness, a sabbatical",
            "a yearly or quarterly task: an audit, a closing, a certificate",
            "an account that is used on other machines, whose logs are not read here",
        ),
        commands=("account", "logins_of_user", "acts_of_user", "processes_of_user"),
        next_steps=(
            "Is {user} still with you? Ask personnel or their manager, not the account.",
            "From where did it log in then, from where now? Was its password or a key changed just before?",
            "What did the session do: files, other machines, rights?",
            "If nobody claims it: lock it, end its sessions, and find out how the password or key became known.",
        ),
        would_change=(
            "the owner has left, or a password reset that nobody asked for came just before: then treat it as taken "
            "over",
            "failed logins of {user} from many addresses in the days before: then the password was guessed",
            "the owner is back from a leave, or the pauses before were as long and of the same season: then it is "
            "harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes."""
        return rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each login's time with that of the user's last."""
        found = idle_gap.gaps(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.addresses()[at],
            min_gap_s=self.p.idle_days * DAY_S,
            forget_s=self.idle_s(),
        )
        return Findings(
            at=at[found.at],
            details={
                "idle_for_days": found.gap_s / DAY_S,
                "days_used": found.days,
                "returns": found.returns,
                "threshold_days": np.full(len(found.at), self.p.idle_days),
            },
            evidence=found.address[:, np.newaxis],
        )

    def idle_s(self) -> float:
        """An account away for so long is a new one."""
        return max(self.p.forget_days, 2 * self.p.idle_days) * DAY_S


DETECTOR = DormantAccount
