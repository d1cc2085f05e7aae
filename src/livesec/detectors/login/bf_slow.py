"""Slow password guessing: several failures from one address within minutes.

Sees guessing with pauses that bf_fast's bucket drains in. Misses a try now and then (bf_few) and attacks
spread over addresses. Source: fail2ban's defaults, maxretry 5 within findtime 10 min; CrowdSec's ssh-slow-bf
asks for ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import nth_in_window
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DEFAULT_ATTEMPTS = 5


@dataclass(frozen=True)
class Params:
    """How many attempts within which time."""

    attempts: int = param(
        DEFAULT_ATTEMPTS,
        "attempts",
        "fail2ban maxretry",
        minimum=2,
        maximum=nth_in_window.MOST_EVENTS,
        setting="failed_login_threshold",
    )
    window_s: float = param(600.0, "s", "fail2ban findtime", minimum=1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another attack", minimum=60)


class SlowBruteForce(Detector[Params]):
    """The n-th failed attempt of a source address within a sliding window."""

    name = "bf_slow"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome",)
    technique = ("T1110.001",)
    base_severity = 47
    columns = nth_in_window.columns(DEFAULT_ATTEMPTS)
    params = Params
    max_keys = 1 << 18  # addresses: 200 bytes each
    summary = "{attempts:,} failed logins from {src_ip} over {span}, last as {user}"
    guidance = Guidance(
        meaning="One address keeps trying passwords, with pauses that escape limits counted per minute.",
        usual="Fewer than {threshold:,} failures within {window} from one address are everyday typing errors; "
        "{src_ip} crossed that and has made {attempts:,} over {span} so far.",
        benign=(
            "a mail client, mount or cron job that still holds an old password after a change: one account, even gaps",
            "several people behind one address (NAT, VPN gateway) who mistype in the same minutes",
            "a vulnerability scan of your own",
        ),
        commands=("accounts_tried", "logins_of_address", "log_of_address", "blocked"),
        next_steps=(
            "Did {src_ip} get in since? Which accounts does it try?",
            "If one account fails at even intervals, look for a job with an old password before you block.",
            "Do several people work behind the address? Then some of the attempts may be theirs.",
            "Otherwise block the address at the firewall, and see to it that root cannot log in with a password.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} during the attempts or in the hour after: then it is a break-in",
            "accounts that do not exist here among those tried: then it is guessing, not a forgotten password",
            "{src_ip} is a gateway of your own people, or the failures stop when one password is corrected: then it is "
            "harmless",
        ),
    )

    def initial(self) -> KeyedState:
        """A ring of as many times as attempts are needed."""
        return KeyedState(nth_in_window.columns(self.p.attempts), self.max_keys)

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, and unfinished attempts from outside."""
        return guesses(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each attempt of its address."""
        reports = nth_in_window.count(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("count", null=1)[at],
            rows.addresses()[at],
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "attempts": reports.total,
                "span_s": reports.span_s,
                "span": time_texts(reports.span_s),
                "threshold": np.full(n, self.p.attempts),
                "window_s": np.full(n, self.p.window_s),
                "window": [time_text(self.p.window_s)] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, at least a window."""
        return nth_in_window.idle_s(window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = SlowBruteForce
