"""Far more data in an hour than the account ever moves, whatever the direction and destination.

Sees an account that copies a department's files, restores a backup to the wrong place or uploads an image collection.
Misses accounts without a history of some days, and growth so slow that it becomes usual: of the hours that offend only
the first of a day teaches, so it takes an attacker two days at one level to be taken for usual at twice that level
(slow_exfil watches the days). Statistics: baselines/window_volume, robust z of the logarithm against the account's own
hours, tested at each file while the hour fills. Source: DETECTIONS (hourly robust z).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import tails, window_volume
from livesec.core.finding import Findings
from livesec.core.human_units import size_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved


@dataclass(frozen=True)
class Params:
    """Window, floors, tail probability and how long to learn."""

    floor: int = param(50_000_000, "bytes", "our choice: less in an hour is nobody's loss", minimum=1)
    factor: float = param(3.0, "ratio", "livesec seed, of traffic", minimum=1)
    window_s: float = param(3600.0, "s", "DETECTIONS: hourly", minimum=60)
    p_star: float = param(
        1e-6, "probability", "one in 2,000 days for each 500 active hours a day", minimum=1e-12, maximum=0.1
    )
    learn_s: float = param(3 * 86_400.0, "s", "our choice: three days, so that nightly jobs are known", minimum=0)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    known_after: int = param(2, "hours", "our choice: twice seen is usual", minimum=1)
    prior_mad: float = param(1.7, "ln bytes", "our choice: sizes of documents, a sigma of 2.5", minimum=0.1)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class VolumeBurst(Detector[Params]):
    """Bytes moved by each user per hour against the user's own hours."""

    name = "volume_burst"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("bytes",)
    technique = ("T1530",)
    base_severity = 47
    columns = window_volume.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} moved {volume_text} within the hour, usually {usual_text}; last {file}"
    guidance = Guidance(
        meaning="An account moves far more data than it ever does: data is being gathered, or a job has gone wrong.",
        usual="In half of {windows:,} earlier active hours {user} moved no more than {usual_text}; now "
        "{volume_text}, {times_usual:,.0f} times as much, a robust z of {z:.1f} on the logarithm.",
        benign=(
            "a new task: a handover, a migration, a project's archive",
            "a backup or synchronisation that runs under the user's name for the first time",
            "a video, a disk image or a data set",
        ),
        next_steps=(
            "See which files made the hour large, and whose they are: the lines show them.",
            "See where they went: copies inside are looked at first, then anything outside by {user} or "
            "the same machine that day.",
            "Compare the login before this hour with the usual ones of {user}: address, country, hour.",
            "Ask {user} over another channel. If nobody can explain it, lock the account and keep the logs.",
        ),
        commands=(
            "logins_of_user",
            "large_files_of_user",
            "processes_of_user",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if most of the {volume_text} is one file or folder that {user} was asked to move",
            "worse if the files come from folders of several departments",
            "worse if a transfer to the outside follows within the day",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each file to its user's hour."""
        reports = window_volume.fill(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            rows.integers("bytes")[at],
            rows.addresses()[at],
            self._rules(),
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "window_bytes": reports.volume,
                "volume_text": size_texts(reports.volume),
                "usual_bytes": reports.median,
                "usual_text": size_texts(reports.median),
                "times_usual": reports.volume / reports.median,
                "z": reports.z,
                "windows": reports.windows,
                "episode_bytes": reports.offended,
                "file": rows.column("path").gather(found).to_list(),
            },
            evidence=reports.evidence,
            confidence=tails.confidence(
                np.array([tails.normal_log_tail(z) for z in reports.z.tolist()]), self.p.p_star
            ),
        )

    def _rules(self) -> window_volume.Rules:
        return window_volume.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=float(self.p.learn_s),
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            factor=float(self.p.factor),
            z=tails.normal_limit(self.p.p_star),
            known_after=self.p.known_after,
            prior_mad=float(self.p.prior_mad),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


DETECTOR = VolumeBurst
