"""A destination that an account never sent to before.

A note rather than an alert: it counts together with what else the account does. Misses accounts with less than five
days and twenty transfers behind them, and those that send to new places all the time; whoever makes new destinations
usual slowly is not reported any more. Statistics: baselines/novelty, the account's own rate of news. Source: Elastic's
"new terms" rules.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import novelty, tails
from livesec.baselines.kernel_rows import ValueRows
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved


@dataclass(frozen=True)
class Params:
    """How much must be known, and how rare news must be."""

    report_p: float = param(0.02, "probability", "our choice: one transfer in 50", minimum=1e-9, maximum=0.5)
    p_star: float = param(1e-3, "probability", "never medium: severity 2.1", minimum=1e-12, maximum=0.1)
    learn_s: float = param(5 * 86_400.0, "s", "Elastic: new terms within 5 days and more", minimum=0)
    learn_rows: int = param(20, "transfers", "our choice: DETECTIONS' prior of about 20", minimum=1)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class NewDestination(Detector[Params]):
    """Destinations of each user against those used before."""

    name = "new_destination"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("destination",)
    technique = ("T1048",)
    base_severity = 21
    columns = novelty.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 15
    summary = "{user} sent {file} to {destination} for the first time"
    guidance = Guidance(
        meaning="The account uses a destination that it never used before.",
        usual="In {transfers:,} earlier transfers over {days:,.0f} days it used {destinations:,} destinations; one in "
        "{one_in:,.0f} was new.",
        benign=("a new customer, drive or service", "a server that was renamed or moved"),
        next_steps=(
            "Whose is {destination}, and do others of the organisation use it?",
            "What else did {user} do in this hour?",
            "If it is private storage: was it allowed, and what was in {file}?",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Let each user meet its destinations."""
        destinations = rows.column("destination").gather(at)
        values = text_keys(destinations.str.to_lowercase())
        reports = novelty.meet_all(
            state,
            ValueRows(rows.key(*self.key)[at], rows.time_us[at], values, rows.addresses()[at]),
            novelty.Rules(
                int(self.p.learn_s * 1e6), self.p.learn_rows, float(self.p.report_p), int(self.p.forget_s * 1e6)
            ),
        )
        found = at[reports.at]
        log_p = np.log(np.maximum(reports.p, 1e-12))
        return Findings(
            at=found,
            details={
                "destination": destinations.gather(reports.at).to_list(),
                "file": rows.column("path").gather(found).to_list(),
                "transfers": reports.rows,
                "destinations": reports.values,
                "days": reports.age_s / 86_400,
                "one_in": tails.one_in(log_p),
            },
            confidence=tails.confidence(log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


DETECTOR = NewDestination
