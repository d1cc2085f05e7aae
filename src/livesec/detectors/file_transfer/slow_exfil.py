"""A drip of data to the outside: an account takes out a little more than usual, day after day.

Sees what stays below every limit of an hour or a file and adds up over days, also from accounts that never sent
anything outside. An attacker who raises his volume slowly is found as long as he moves more than half a standard
deviation above what the account did before he came: while he is suspected only one day in four teaches. One who takes
weeks over each step is taken for usual. Misses accounts that are known for less than a week, and what is within their
usual days. Days end at midnight UTC. Statistics: CUSUM of the daily volume's logarithm (baselines/daily_cusum).
Source: Page 1954; DETECTIONS, k .5 and h 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import daily_cusum, tails
from livesec.baselines.external_transfers import external_destinations, goes_outside
from livesec.baselines.kernel_rows import AmountRows
from livesec.core.finding import Findings
from livesec.core.human_units import size_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved


@dataclass(frozen=True)
class Params:
    """Destinations, CUSUM's slack and limit, and how long to learn."""

    destinations: tuple[str, ...] = external_destinations()
    slack: float = param(0.5, "standard deviations", "DETECTIONS: k", minimum=0.1)
    limit: float = param(5.0, "standard deviations", "DETECTIONS: h", minimum=1)
    p_star: float = param(1e-4, "probability", "medium from 6e-3, a CUSUM of 5.1", minimum=1e-12, maximum=0.1)
    learn_days: int = param(7, "days", "our choice: a week", minimum=3)
    floor: int = param(5_000_000, "bytes", "our choice: less in a day is nobody's loss", minimum=1)
    quiet_s: float = param(7 * 86_400.0, "s", "our choice: a week's pause makes it another episode", minimum=86_400)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class SlowExfil(Detector[Params]):
    """Bytes that each user moves outside per day against the user's own days."""

    name = "slow_exfil"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("bytes",)
    technique = ("T1030", "T1567")
    base_severity = 73
    columns = daily_cusum.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} took {raised_text} outside over {days:,} days, usually {usual_text} a day"
    guidance = Guidance(
        meaning="An account sends a little more than usual out of the organisation, day after day; together "
        "it is much.",
        usual="On half of {known_days:,} earlier days {user} sent no more than {usual_text} outside; today "
        "{day_text}, and {raised_text} over {days:,} days with more than usual. The excess adds up to "
        "{level:.1f} standard deviations (CUSUM), where {limit:.1f} is the limit.",
        benign=(
            "a new duty: reports or deliveries that go out every day from now on",
            "a synchronisation or backup to a cloud that was set up lately",
            "a project near its end, with more to send than before",
        ),
        next_steps=(
            "See which files went, and to whom, over the last days: the lines show the latest.",
            "If it is one destination, find out whose it is and since when {user} uses it.",
            "See whether the logins of {user} in these days come from the usual places and hours.",
            "Ask the superior before {user}. If nobody can explain it, lock the account and keep the logs.",
        ),
        commands=(
            "logins_of_user",
            "jobs_of_user",
            "large_files_of_user",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if a job that was agreed on began with the first of these {days:,} days",
            "worse if the sizes of a day are kept just below a limit of your own",
            "worse if the files were taken one folder after the other, most of all before {user} leaves",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved; those that stay inside tell that the account is at work."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each file that goes outside to its user's day."""
        outside = goes_outside(rows, self.p.destinations)[at]
        reports = daily_cusum.add_up(
            state,
            AmountRows(
                rows.key(*self.key)[at],
                rows.time_us[at],
                np.where(outside, rows.integers("bytes")[at], 0),
                rows.addresses()[at],
            ),
            daily_cusum.Rules(
                slack=float(self.p.slack),
                limit=float(self.p.limit),
                learn_days=self.p.learn_days,
                floor=self.p.floor,
                quiet_us=int(self.p.quiet_s * 1e6),
                forget_us=int(self.p.forget_s * 1e6),
            ),
        )
        return Findings(
            at=at[reports.at],
            details={
                "raised_bytes": reports.raised,
                "raised_text": size_texts(reports.raised),
                "days": reports.raised_days,
                "day_bytes": reports.volume,
                "day_text": size_texts(reports.volume),
                "usual_bytes": reports.usual,
                "usual_text": size_texts(reports.usual),
                "known_days": reports.days,
                "level": reports.level,
                "limit": np.full(len(reports.at), float(self.p.limit)),
            },
            evidence=reports.evidence,
            confidence=tails.confidence(-2.0 * self.p.slack * reports.level, self.p.p_star),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


DETECTOR = SlowExfil
