"""Low and slow: an address that fails again and again with minutes between, and never gets in.

Sees guessing that stays below every limit on speed, also from a known address (bf_few passes those over). Misses
guessing with pauses of two hours and more (bf_few sees three tries a day from strangers) and addresses where somebody
logs in meanwhile: a success ends the run, so that an office with one forgotten mailbox is quiet. From an address where
somebody logged in within the month it is an event, not an alert: mostly a telephone with an old password. A rule on
gaps, so there is no baseline to poison. Source: CrowdSec scenario crowdsecurity/ssh-time-based-bf, median gap above
10 min.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import paced_attempts
from livesec.baselines.login_attempts import guesses
from livesec.core.finding import Findings
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
    summary = "{attempts:,} failed logins from {src_ip}, one every {gap_min:,.0f} min for {span_min:,.0f} min"
    guidance = Guidance(
        meaning="One address tries a password every few minutes and never gets in: guessing that is paced to stay "
        "below the limits on speed.",
        usual="A person who has forgotten the password tries again within a minute or gives up. Here {attempts:,} "
        "tries lie {gap_min:,.0f} min apart in the median, with no success between them. A login from there within the "
        "last month: {known_address}.",
        benign=(
            "a telephone, mount or scheduled job that still has an old password: mostly one account, at even gaps",
            "a monitoring probe of your own",
        ),
        next_steps=(
            "journalctl -t sshd --since '1 day ago' | grep -F {src_ip}    # one account or several?",
            "last -i | grep -F {src_ip}    # did it ever log in?",
            "One account of yours, at even gaps: ask its owner which device still has the old password.",
            "Several accounts, or none of yours: block the address.",
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
            rows.addresses()[at],
            attempts=self.p.attempts,
            gap_s=self.p.gap_s,
            pause_s=self.p.pause_s,
            known_s=self.idle_s(),
        )
        return Findings(
            at=at[found.at],
            details={
                "attempts": found.attempts,
                "gap_min": found.median_gap_s / 60,
                "span_min": found.span_s / 60,
                "known_address": found.known,
            },
            evidence=found.evidence,
            confidence=np.where(found.known, KNOWN_CONFIDENCE, 1.0),
            reasons=["known_address" if known else "stranger" for known in found.known.tolist()],
        )

    def idle_s(self) -> float:
        """How long a success is remembered, at least the pause that ends a run."""
        return max(self.p.known_s, self.p.pause_s)


DETECTOR = PacedBruteForce
