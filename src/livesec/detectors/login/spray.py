"""Password spraying: one address tries a few passwords on many accounts.

Sees one source that fails with many names within ten minutes and with each only a few times, so that no account is
locked. Misses a spray spread over addresses (bf_distributed sees it once it turns on one account) or over days. A list
of names in quick succession is user_enum as well; this one says that accounts that exist were aimed at. Source:
Splunk's password spraying content counts more than 30 names in 2 minutes; 8 in 10 minutes is our choice for sites of
some hundred accounts.
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

KEPT_NAMES = 64


@dataclass(frozen=True)
class Params:
    """How many accounts, how often each, and in what time."""

    users: int = param(8, "accounts", "our choice; see the module", minimum=2, maximum=KEPT_NAMES)
    each: float = param(3.0, "attempts per account", "our choice: below common lock-out limits", minimum=1)
    window_s: float = param(600.0, "s", "our choice", minimum=10)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another attack", minimum=60)


class PasswordSpray(Detector[Params]):
    """Distinct accounts that a source address fails with in a window."""

    name = "spray"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("user", "outcome")
    technique = ("T1110.003",)
    base_severity = 73
    columns = distinct_window.columns(KEPT_NAMES)
    params = Params
    max_keys = 1 << 16
    summary = "{src_ip} failed with {users:,} accounts, {each:.1f} times each, in {span}"
    guidance = Guidance(
        meaning="One address tries a few likely passwords on many accounts. Each account sees too few failures to be "
        "locked; one weak password among them is enough.",
        usual="A person fails with one account, at most a second one; {threshold:,} accounts within {window} are a "
        "list. {src_ip} has failed with {users:,} so far, {attempts:,} times in all over {span}: {each:.1f} each, "
        "where up to {each_limit:.0f} stay below lock-outs.",
        benign=(
            "a gateway or terminal server behind which many people work, after an outage of the directory",
            "a penetration test or password audit",
            "an application that checks its users' passwords against this service, and is set up wrongly",
        ),
        commands=("logins_of_address", "accounts_tried", "owner_of_source", "blocked"),
        next_steps=(
            "Which of the accounts logged in from {src_ip} during the spray or since?",
            "Are the names those of your people? Then the attacker has a list of them: see where it is published.",
            "Is {src_ip} a gateway of your own, and did successes from it stop at the same time? Then it is an outage.",
            "Accounts that logged in from {src_ip}: end their sessions, change their passwords. If it is foreign, "
            "block it, and require a second factor of the accounts aimed at.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} during the spray or in the hour after: then that account is taken "
            "over",
            "the same accounts tried from further addresses: then a botnet sprays, and blocking one is no answer",
            "{src_ip} is a gateway of your own people during an outage, or an announced test: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures for accounts that exist, as far as the log tells."""
        return named_as_typed(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Give each address the account that its row tried."""
        reports = distinct_window.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("user")[at],
            rows.addresses()[at],
            threshold=self.p.users,
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        each = reports.events / reports.distinct
        few = each <= self.p.each
        n = int(few.sum())
        return Findings(
            at=at[reports.at[few]],
            details={
                "users": reports.distinct[few],
                "attempts": reports.events[few],
                "each": each[few],
                "span_s": reports.span_s[few],
                "span": time_texts(reports.span_s[few]),
                "threshold": np.full(n, self.p.users),
                "each_limit": np.full(n, self.p.each),
                "window": [time_text(self.p.window_s)] * n,
            },
            evidence=reports.evidence[few],
        )

    def idle_s(self) -> float:
        """The episode's pause."""
        return distinct_window.idle_s(self.p.users, window_s=self.p.window_s, quiet_s=self.p.quiet_s)


DETECTOR = PasswordSpray
