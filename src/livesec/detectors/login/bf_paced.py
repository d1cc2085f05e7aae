"""Low and slow: an address that fails again and again with minutes between, and never gets in.

Sees guessing that stays below every limit on speed, also from a known address (bf_few passes those over). Misses
guessing with pauses of two hours and more (bf_few sees three tries a day from strangers) and addresses where somebody
logs in meanwhile: a success ends the run, so that an office with one forgotten mailbox is quiet. From an address where
somebody logged in within the month it is an event, not an alert, unless it names three accounts: mostly a telephone
with an old password, and perhaps its owner's second mailbox. A rule on gaps, so there is no baseline to poison. Source:
CrowdSec scenario crowdsecurity/ssh-time-based-bf, median gap above 10 min.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import paced_attempts
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

KNOWN_CONFIDENCE = 0.7  # our choice: an event, no alert; mostly a telephone with an old password


@dataclass(frozen=True)
class Params:
    """How many attempts, how far apart."""

    attempts: int = param(
        4, "attempts", "crowdsecurity/ssh-time-based-bf", minimum=3, maximum=paced_attempts.KEPT_ATTEMPTS
    )
    gap_s: float = param(600.0, "s", "crowdsecurity/ssh-time-based-bf: 10 minutes", minimum=1)
    pause_s: float = param(7200.0, "s", "DETECTIONS: 2 hours without an attempt end it", minimum=60)
    accounts: int = param(
        3, "accounts", "our choice: a device names one or two", minimum=2, maximum=paced_attempts.KEPT_ATTEMPTS
    )
    known_s: float = param(30 * 86_400.0, "s", "our choice: who logged in within a month is known", minimum=3600)


class PacedBruteForce(Detector[Params]):
    """Median gap between failures per source address."""

    name = "bf_paced"
    log_type = LogType.LOGIN
    key = ("src_ip",)
    needs = ("outcome",)
    technique = ("T1110",)
    base_severity = 47
    columns = paced_attempts.COLUMNS
    params = Params
    max_keys = 1 << 18  # addresses: 250 bytes each
    summary = "{attempts:,} failed logins from {src_ip}, one every {gap_min:,.0f} min for {span}"
    guidance = Guidance(
        meaning="One address tries a password every few minutes and never gets in: guessing that is paced to stay "
        "below the limits on speed, or a device that cannot forget an old password.",
        usual="Who has forgotten a password tries again within a minute or gives up: {threshold:,} failures with more "
        "than {gap_limit_min:,.0f} min between them are too many. {src_ip} made {attempts:,} over {span}, one every "
        "{gap_min:,.0f} min; accounts among the last of them: {accounts:,}. A login from there in the {remembered} "
        "before: {logged_in_before}.",
        benign=(
            "a telephone, mount or scheduled job that still has an old password: mostly one account, at even gaps",
            "a monitoring probe of your own",
            "a person who comes back to a forgotten password every now and then",
        ),
        commands=("accounts_tried", "logins_of_address", "owner_of_source"),
        next_steps=(
            "One account or several? Even gaps or uneven ones? A device names one account at even gaps.",
            "One account of yours, at even gaps: ask its owner which device still has the old password.",
            "Several accounts, or none of yours: block the address.",
        ),
        would_change=(
            "a login that succeeded from {src_ip} since, to an account that it had guessed at: then it is a break-in",
            "several accounts, or names that do not exist here: then it is guessing for certain",
            "one account whose password was changed just before the first failure: then it is a device of its owner",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Failures, unfinished attempts from outside, and successes, which end a run."""
        return guesses(rows) | rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each attempt to the run of its address."""
        found = paced_attempts.paced_runs(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.is_value("outcome", "success")[at],
            rows.key("user")[at],
            rows.addresses()[at],
            attempts=self.p.attempts,
            gap_s=self.p.gap_s,
            pause_s=self.p.pause_s,
            known_s=self.idle_s(),
        )
        n = len(found.at)
        device = found.known & (found.accounts < self.p.accounts)
        return Findings(
            at=at[found.at],
            details={
                "attempts": found.attempts,
                "accounts": found.accounts,
                "gap_min": found.median_gap_s / 60,
                "span_min": found.span_s / 60,
                "span": time_texts(found.span_s),
                "known_address": found.known,
                "logged_in_before": ["yes" if known else "no" for known in found.known.tolist()],
                "threshold": np.full(n, self.p.attempts),
                "gap_limit_min": np.full(n, self.p.gap_s / 60),
                "remembered": [time_text(self.idle_s())] * n,
            },
            evidence=found.evidence,
            confidence=np.where(device, KNOWN_CONFIDENCE, 1.0),
            reasons=["known_address" if known else "stranger" for known in found.known.tolist()],
        )

    def idle_s(self) -> float:
        """How long a success is remembered, at least the pause that ends a run."""
        return max(self.p.known_s, self.p.pause_s)


DETECTOR = PacedBruteForce
