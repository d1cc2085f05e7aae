"""A few tries from a stranger: an address that never logged in tries several times within a day.

Sees scanners and botnets whose every address makes only a handful of tries, too few for bf_fast and bf_slow.
Misses one or two tries per address and day. A person on a new network mistypes too, so three errors for one
existing account within a few minutes wait for a fourth; other names, unknown accounts, dropped connections or
tries hours apart do not. Source: our proposal (DETECTIONS), measured on a month of a real server's log.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import stranger_attempts
from livesec.baselines.login_attempts import guesses, named_as_typed
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DEFAULT_ATTEMPTS = 3
DAY_S = 86_400.0


@dataclass(frozen=True)
class Params:
    """How many attempts within which time, and how long a success is remembered."""

    attempts: int = param(DEFAULT_ATTEMPTS, "attempts", "our proposal", minimum=2, maximum=63)
    window_s: float = param(DAY_S, "s", "our proposal: a day", minimum=60)
    sitting_s: float = param(300.0, "s", "our choice: a person gives up or succeeds by then", minimum=0)
    forget_s: float = param(90 * DAY_S, "s", "our choice: as long as anomalies are kept", minimum=DAY_S)


class FewAttempts(Detector[Params]):
    """Attempts within a day per source address without any success."""

    name = "bf_few"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome",)
    technique = ("T1110",)
    base_severity = 40
    columns = stranger_attempts.columns(DEFAULT_ATTEMPTS)
    params = Params
    max_keys = 1 << 18  # addresses: 200 bytes each
    summary = "{attempts:,} login attempts within {span} from {src_ip}, which never logged in"
    guidance = Guidance(
        meaning="A stranger's address tries to log in a few times and never gets in: typical of a botnet that "
        "spreads its guesses over many addresses to stay below every limit.",
        usual="An address of your people has logged in before, or does after fewer than {threshold:,} tries within "
        "{window}; {src_ip} made {attempts:,} within {span}, and no login of it is remembered from the last "
        "{remembered}.",
        benign=(
            "a new colleague, or one on a new network, who has forgotten the password",
            "an Internet census such as Shodan or Censys that only looks at the port",
            "a monitor of your own at an outside address",
        ),
        commands=("accounts_tried", "logins_of_address", "owner_of_source"),
        next_steps=(
            "Which accounts did {src_ip} name? One account of yours, spelled right, points to a colleague; a list of "
            "common names to a botnet.",
            "Who holds the address: an access network of your region, a hosting provider, a partner?",
            "If it named an account of yours that exists, ask its owner.",
            "Otherwise block the address, and its neighbours if they do the same.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} afterwards: ask its owner at once whether it was them",
            "neighbours of {src_ip} that try the same accounts: then one attacker stands behind them all",
            "an owner of the account who was on a new network just then: then it is harmless",
        ),
    )

    def initial(self) -> KeyedState:
        """A ring of one more time than attempts are needed."""
        return KeyedState(stranger_attempts.columns(self.p.attempts), self.max_keys)

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, unfinished attempts from outside, and the successes that make an address known."""
        return guesses(rows) | rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each attempt of an address that has not logged in."""
        reports = stranger_attempts.count(
            state,
            stranger_attempts.LoginRows(
                keys=rows.key(*self.key)[at],
                times_us=rows.time_us[at],
                success=rows.is_value("outcome", "success")[at],
                weights=rows.integers("count", null=1)[at],
                accounts=rows.key("user")[at],
                typed=named_as_typed(rows)[at],
                addresses=rows.addresses()[at],
            ),
            window_s=self.p.window_s,
            sitting_s=self.p.sitting_s,
            forget_s=self.idle_s(),
        )
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "attempts": reports.total,
                "span_min": reports.span_s / 60,
                "span": time_texts(reports.span_s),
                "threshold": np.full(n, self.p.attempts),
                "window": [time_text(self.p.window_s)] * n,
                "remembered": [time_text(self.idle_s())] * n,
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """How long a success is remembered, at least a window."""
        return max(self.p.forget_s, self.p.window_s)


DETECTOR = FewAttempts
