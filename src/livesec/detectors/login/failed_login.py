"""Each failed login, as the livesec seed reported them.

Only in seed_mode. Otherwise a failure is an event, not an anomaly: everyone mistypes, and bf_fast, bf_slow,
bf_few and user_enum say which failures belong to an attack.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.finding import NO_FINDINGS, Findings
from livesec.core.protocols import Detector, Guidance, NoParams
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


class FailedLogin(Detector[NoParams]):
    """Every failure; nothing outside seed_mode."""

    name = "failed_login"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("outcome",)
    technique = ("T1110",)
    base_severity = 21
    summary = "Failed login of {user} from {src_ip} ({attempts:,} attempts)"
    guidance = Guidance(
        meaning="A login failed. One failure alone means little.",
        usual="This line stands for {attempts:,} attempt(s). Everyone mistypes now and then; what matters is how "
        "many, how fast and for whom.",
        benign=("a typing error", "a password that has just been changed", "a job with an old password"),
        next_steps=(
            "journalctl -t sshd --since '1 hour ago' | grep -F {src_ip}    # a single one, or a series?",
            "Look for a success from the same address afterwards.",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures in seed mode, else nothing."""
        return rows.is_value("outcome", "failure") & np.bool_(self.seed_mode)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Every row is a finding."""
        if not self.seed_mode:
            return NO_FINDINGS
        return Findings(at, {"attempts": rows.integers("count", null=1)[at]})


DETECTOR = FailedLogin
