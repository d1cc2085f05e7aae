"""Each failed login, as the livesec seed reported them.

Only in seed_mode. Otherwise a failure is an event, not an anomaly: everyone mistypes, and bf_fast, bf_slow,
bf_few and user_enum say which failures belong to an attack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.core.finding import NO_FINDINGS, Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """What the explanation calls few; every failure is told all the same."""

    threshold: int = param(5, "attempts", "livesec seed: 5 failures", minimum=2, setting="failed_login_threshold")


class FailedLogin(Detector[Params]):
    """Every failure; nothing outside seed_mode."""

    name = "failed_login"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("outcome",)
    technique = ("T1110",)
    base_severity = 21
    params = Params
    summary = "Failed login of {user} from {src_ip} (attempts: {attempts:,})"
    guidance = Guidance(
        meaning="A login failed. One failure alone means little; a series of them is guessing.",
        usual="Failures of {user} in this line: {attempts:,}. Everyone mistypes now and then: fewer than "
        "{threshold:,} in a row from one address are no attack.",
        benign=("a typing error", "a password that has just been changed", "a job or telephone with an old password"),
        commands=("log_of_address", "addresses_of_account", "logins_of_user"),
        next_steps=(
            "A single failure or a series? Look for further ones of the account and of the address.",
            "Look for a success from the same address afterwards, and whose it was.",
            "Nothing is to be done about a single failure.",
        ),
        would_change=(
            "further failures from the same address, above all with other names: then it is guessing",
            "a success of {user} from there within the minute: then it was a typing error",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures in seed mode, else nothing."""
        return rows.is_value("outcome", "failure") & np.bool_(self.seed_mode)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Every row is a finding."""
        if not self.seed_mode:
            return NO_FINDINGS
        attempts = rows.integers("count", null=1)[at]
        return Findings(at, {"attempts": attempts, "threshold": np.full(len(at), self.p.threshold)})


DETECTOR = FailedLogin
