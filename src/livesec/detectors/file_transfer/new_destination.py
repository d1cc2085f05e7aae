"""A destination that an account never sent to before.

A note rather than an alert: it counts together with what else the account does. Misses accounts with less than five
days and twenty active hours behind them; whoever makes new destinations usual slowly is reported with ever less
confidence. Statistics: baselines/first_seen, the account's own rate of news. Source: Elastic's "new terms" rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import first_seen, tails
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved

KEPT = 16


@dataclass(frozen=True)
class Params:
    """How much must be known."""

    p_star: float = param(1e-3, "probability", "never medium: severity 2.1", minimum=1e-12, maximum=0.1)
    learn_s: float = param(5 * 86_400.0, "s", "Elastic: new terms within 5 days and more", minimum=0)
    learn_hours: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    quiet_s: float = param(86_400.0, "s", "our choice: a day's news are one episode", minimum=60)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class NewDestination(Detector[Params]):
    """Destinations of each user against those used before."""

    name = "new_destination"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("destination",)
    technique = ("T1048",)
    base_severity = 21
    columns = first_seen.columns(KEPT)
    statistical = True
    params = Params
    max_keys = 1 << 15
    summary = "{user} sent {file} to {destination} for the first time"
    guidance = Guidance(
        meaning="The account uses a destination that it never used before: a new errand, or the place to "
        "which stolen files go.",
        usual="Destinations that {user} used in {hours:,} active hours: {destinations:,}. New ones before this, once "
        "the first days were over: {news:,}, so that one comes {odds_text} active hours.",
        benign=(
            "a new customer, drive or service",
            "a server that was renamed or moved",
            "a shared folder that a colleague opened for the account",
        ),
        next_steps=(
            "Find out whose {destination} is, and whether others of the organisation use it.",
            "Look at what else {user} moved in this hour, there and elsewhere.",
            "If it is private storage, find out whether that is allowed, and what was in {file}.",
            "If nobody can explain it, block {destination} for the account and ask {user}.",
        ),
        commands=(
            "logins_of_user",
            "processes_of_user",
            "file",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if others of the organisation send to {destination} too",
            "worse if more follows to {destination} than {user} moves elsewhere",
            "worse if the session that sent it began at an unusual address or hour",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Let each user meet its destinations."""
        destinations = rows.column("destination").gather(at)
        values = text_keys(destinations.str.to_lowercase())
        found = first_seen.first_times(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            values,
            learn_s=self.p.learn_s,
            learn_hours=self.p.learn_hours,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        log_p = np.log(found.p)
        return Findings(
            at=at[found.at],
            details={
                "destination": destinations.gather(found.at).to_list(),
                "file": rows.column("path").gather(at[found.at]).to_list(),
                "hours": found.hours,
                "destinations": found.known,
                "news": found.news,
                "one_in": tails.one_in(log_p),
                "odds_text": odds_texts(tails.one_in(log_p)),
            },
            confidence=tails.confidence(log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return max(self.p.forget_s, self.p.quiet_s)


DETECTOR = NewDestination
