"""Password guessing: many failures from one address within seconds.

Sees online brute force against one or many accounts, and the same attempt repeated by syslog ("message
repeated"). Misses slow guessing (bf_slow, bf_few) and attacks spread over addresses. Source: CrowdSec
scenario crowdsecurity/ssh-bf, which needs a sixth attempt; the fifth follows the seed's threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import leaky_bucket
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Bucket size and leak."""

    capacity: float = param(5, "attempts", "livesec seed: 5 failures", minimum=2, setting="failed_login_threshold")
    leak_s: float = param(10.0, "s per attempt", "crowdsecurity/ssh-bf", minimum=0.1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another attack", minimum=60)


class FastBruteForce(Detector[Params]):
    """Leaky bucket over failed attempts per source address."""

    name = "bf_fast"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome",)
    technique = ("T1110.001",)
    base_severity = 47
    columns = leaky_bucket.COLUMNS
    params = Params
    max_keys = 1 << 18  # addresses: 200 bytes each
    summary = "{attempts:,} failed logins from {src_ip} in {span}, last as {user}"
    guidance = Guidance(
        meaning="One address tries passwords faster than a person types them: automated guessing.",
        usual="A person makes fewer than {capacity:.0f} failures with less than {leak} between them, then gets in or "
        "gives up; {src_ip} crossed that and has made {attempts:,} in {span} so far.",
        benign=(
            "a script, mount or backup with an old password after a change: one account, at once after the change",
            "a monitoring probe or vulnerability scan of your own",
            "a test of logins by the people who run the service",
        ),
        commands=("logins_of_address", "accounts_tried", "log_of_address", "blocked"),
        next_steps=(
            "Did {src_ip} get in, during the guessing or since?",
            "Which accounts did it try? One that exists and is used deserves more care than a list of common names.",
            "Is the address one of yours: a scanner, a monitor, a machine with an old password?",
            "If it is foreign: block it at the firewall, and see to it that root cannot log in with a password.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} during the guessing or in the hour after: then it is a break-in",
            "{src_ip} is internal and nobody runs a job there: then the machine itself may be taken over",
            "{src_ip} is the organisation's own scanner or monitor, or a job that stops with a corrected password: "
            "then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, and unfinished attempts from outside."""
        return guesses(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Pour each attempt into the bucket of its address."""
        reports = leaky_bucket.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("count", null=1)[at],
            rows.addresses()[at],
            capacity=self.p.capacity,
            leak_s=self.p.leak_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "attempts": reports.total,
                "span_s": reports.span_s,
                "span": time_texts(reports.span_s),
                "capacity": np.full(n, self.p.capacity),
                "leak": [time_text(self.p.leak_s)] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the time a full bucket takes to drain."""
        return leaky_bucket.idle_s(capacity=self.p.capacity, leak_s=self.p.leak_s, quiet_s=self.p.quiet_s)


DETECTOR = FastBruteForce
