"""Many more different files in an hour than the account ever moves.

Sees an account that collects a folder tree file by file, however small the files. Misses accounts without a history of
some days, and one large archive (volume_burst, large_file_transfer). An attacker who starts slowly is taken for usual
only after two days at each level, and each level may be twice the one before: such a ramp of weeks is not found here.
Statistics: baselines/distinct_tail, the negative-binomial tail of the distinct files of an hour over the account's own
hours. Source: DETECTIONS (more than 20 distinct files an hour).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, distinct_tail, tails
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved

_NO_BURST = 1 << 20  # new values in a burst: what distinct_tail also watches, and is not wanted here
_NO_LEAK_S = 1e-3


@dataclass(frozen=True)
class Params:
    """Floor, tail probability and how long to learn."""

    floor: int = param(21, "files", "DETECTIONS: more than 20 in an hour", minimum=2)
    window_s: float = param(3600.0, "s", "DETECTIONS: hourly", minimum=60)
    report_p: float = param(1e-4, "probability", "our choice: one hour in 10,000", minimum=1e-12, maximum=0.01)
    p_star: float = param(1e-6, "probability", "medium from 8e-6: one in 250 days for 500 hours a day", maximum=0.01)
    learn_s: float = param(3 * 86_400.0, "s", "our choice: three days, so that nightly jobs are known", minimum=0)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    prior_mean: float = param(3.0, "files", "our choice: weighs as much as two hours seen", minimum=0.01)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class CountBurst(Detector[Params]):
    """Distinct files moved by each user per hour against the user's own hours."""

    name = "count_burst"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("path",)
    technique = ("T1530",)
    base_severity = 47
    columns = distinct_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} moved {files:,} different files within the hour, usually {usual_files:,.1f}; last {file}"
    guidance = Guidance(
        meaning="An account works through many files one by one: somebody, or a script, collects what can be had.",
        usual="In {hours:,} earlier active hours {user} moved {usual_files:,.1f} different files on "
        "average; {files:,} in one hour come, by the spread of those, {odds_text} such hours.",
        benign=(
            "a new task: a handover, an audit, a project's archive",
            "a synchronisation client that starts from nothing on a new machine",
            "a search or indexing program under the user's name",
        ),
        next_steps=(
            "See which folders the files are from: those of the user's own work, or of others?",
            "Look for archives that {user} made and for uploads in the hours after: were they taken anywhere?",
            "Compare the login before this hour with the usual ones of {user}: address, country, hour.",
            "Ask {user} over another channel. If nobody can explain it, lock the account and keep the logs.",
        ),
        commands=(
            "logins_of_user",
            "processes_of_user",
            "large_files_of_user",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if the files are of one project that was handed to {user}",
            "harmless if a synchronisation client of {user} was set up anew that day",
            "worse if an archive or an upload to the outside followed",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the distinct files of each user's hour."""
        reports, _ = distinct_tail.count_distinct(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            text_keys(rows.column("path").gather(at)),
            rows.addresses()[at],
            self._rules(),
            burst=_NO_BURST,
            leak_s=_NO_LEAK_S,
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "files": reports.count,
                "usual_files": reports.mean,
                "hours": reports.windows,
                "one_in_10_to": -reports.log_p / math.log(10),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_files": reports.offended,
                "file": rows.column("path").gather(found).to_list(),
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _rules(self) -> count_tail.Rules:
        return count_tail.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=float(self.p.learn_s),
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            log_p=math.log(self.p.report_p),
            prior_mean=float(self.p.prior_mean),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


DETECTOR = CountBurst
