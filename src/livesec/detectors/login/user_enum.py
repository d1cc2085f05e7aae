"""Trying names: one address fails with many different user names in quick succession.

Sees lists of common names (admin, test, oracle, ...) and harvested names, whether or not they exist here.
Misses slow enumeration and one spread over addresses (spray). Source: CrowdSec scenario
crowdsecurity/ssh-bf_user-enum, a bucket of 5 distinct names that leaks one in 10 s: the sixth name overflows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import distinct_window
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KEPT_NAMES = 32  # counted exactly, more are estimated


@dataclass(frozen=True)
class Params:
    """Bucket size and leak."""

    users: int = param(
        6,
        "user names",
        "crowdsecurity/ssh-bf_user-enum: more than 5",
        minimum=2,
        maximum=KEPT_NAMES,
    )
    leak_s: float = param(10.0, "s per user name", "crowdsecurity/ssh-bf_user-enum", minimum=0.1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another attack", minimum=60)


class UserEnumeration(Detector[Params]):
    """Leaky bucket over the distinct names that a source address fails with."""

    name = "user_enum"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("user", "outcome")
    technique = ("T1589", "T1110.001")
    base_severity = 47
    columns = distinct_window.columns(KEPT_NAMES)
    params = Params
    max_keys = 1 << 16  # addresses: two thirds of a kilobyte each; as many as spray, over as short a time
    summary = "{users:,} user names tried from {src_ip} in {span}, last {user}"
    guidance = Guidance(
        meaning="One address walks through a list of user names: it looks for accounts that exist or have weak "
        "passwords.",
        usual="A person fails with one name, at most a second one; {threshold:,} different names with less than "
        "{leak} between them are a list. {src_ip} crossed that and has tried {users:,} in {attempts:,} attempts over "
        "{span} so far.",
        benign=(
            "a terminal server or VPN gateway through which many people log in after an outage",
            "a directory or single sign-on outage that makes every login fail",
            "a penetration test",
        ),
        commands=("accounts_tried", "logins_of_address", "owner_of_source", "blocked"),
        next_steps=(
            "Did one of the names log in from {src_ip}, then or since?",
            "Are the names common ones (admin, test, oracle), or those of your people?",
            "Do logins of others fail at the same time? Then it is an outage.",
            "If one of the names logged in afterwards, treat that account as taken over: end its sessions, change its "
            "password and keys. Otherwise block the address.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} during the attempts or in the hour after: then that account is taken "
            "over",
            "names that only your own people have: then the attacker knows the organisation",
            "{src_ip} is a gateway of your own during an outage, or an announced test: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, and unfinished attempts from outside."""
        return guesses(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Give each address the name that its row tried."""
        reports = distinct_window.pour(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.key("user")[at],
            rows.addresses()[at],
            threshold=self.p.users,
            leak_s=self.p.leak_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "users": reports.distinct,
                "attempts": reports.events,
                "span_s": reports.span_s,
                "span": time_texts(reports.span_s),
                "threshold": np.full(n, self.p.users),
                "leak": [time_text(self.p.leak_s)] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The episode's pause, or the time a full bucket takes to drain."""
        return distinct_window.idle_s(self.p.users, leak_s=self.p.leak_s, quiet_s=self.p.quiet_s)


DETECTOR = UserEnumeration
