"""File transfers at an hour at which this user does not work.

Sees insiders and stolen accounts that copy when nobody looks. Misses those who keep office hours. Each user's own hours
decide, weekdays and weekends apart (baselines/hour_profile); the configured hours only weigh in the prior, so that
night workers and nightly jobs have their peace after a few nights. With little history the configured hours alone are
reported, at low confidence, for users who so far kept to the others. At most one finding per user and hour, and in a
night of several hours only some of them. In seed_mode: every transfer in the configured hours. Source: the livesec
seed (22 to 6 o'clock).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import hour_profile
from livesec.baselines.local_hours import day_types, hours_within, local_hours
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

SUSPECT_RATIO = 8.0  # before history speaks a configured hour is 1/8 as likely as another: as unusual_login_time
EARLY_CONFIDENCE = 0.25  # at most, where there is little history: as unusual_login_time


@dataclass(frozen=True)
class Params:
    """The hours that the organisation calls unusual, how much history it takes, and what counts as rare."""

    start_hour: int = param(22, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_start")
    end_hour: int = param(6, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_end")
    time_zone: str = param("UTC", "IANA name", "livesec setting", setting="time_zone")
    report_p: float = param(0.01, "probability", "our choice: one active hour in a hundred", maximum=0.5)
    p_star: float = param(1e-4, "probability", "our choice: a user's 24 hours cannot say less", maximum=0.01)
    warm: int = param(10, "hours", "our choice: a working day or two", minimum=1)
    mature: int = param(20, "hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    half_life_days: float = param(14.0, "days", "DETECTIONS: season", minimum=1)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: six half-lives leave 1 %", minimum=2 * 86_400.0)


class UnusualTransferTime(Detector[Params]):
    """Hour-of-day density of each user's file transfers."""

    name = "unusual_time_file_transfer"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("event_time_us",)
    technique = ("T1048",)
    base_severity = 21
    columns = hour_profile.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = (
        "{user} moved files at {hour:02d} h on a {day_type}, usually from {usual_from:02d} to {usual_to:02d} h: {file}"
    )
    guidance = Guidance(
        meaning="The account moves files at an hour that does not fit its user's habits: somebody else may "
        "use it, or the user waits until nobody looks.",
        usual="By {active_hours:,} earlier hours with transfers {user} is active from {usual_from:02d} to "
        "{usual_to:02d} h on a {day_type}; this was at {hour:02d} h, and {p_value:.2%} of the "
        "activity falls into hours as unusual. Unusual hours in this stretch: {unusual_hours:,}. "
        "Judged by {judged_by}.",
        benign=(
            "being on call, a release or a deadline",
            "travel: the user's day lies elsewhere on the clock",
            "a job that runs under the user's name, now at a new time",
        ),
        next_steps=(
            "See which files were moved and where to: {file} and the hour's other transfers of {user}.",
            "Look for a login of {user} shortly before, and from where it came.",
            "See whether a job under this name was set to a new time.",
            "If the destination is outside, or the files are not those of {user}, ask over another "
            "channel, and lock the account if it was somebody else.",
        ),
        commands=(
            "logins_of_user",
            "jobs_of_user",
            "who_is_on",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if a job of {user} is planned for {hour:02d} h",
            "harmless if {user} travels and the login came from there",
            "worse if the login before it came from a new address, or there was none",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Transfers that did not fail: what failed moved nothing."""
        return ~rows.is_value("outcome", "failure")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Judge the first transfer of each user in each hour; in seed mode every transfer by the configured hours."""
        hours = local_hours(rows.integers("event_time_us")[at], self.p.time_zone)
        suspect = hours_within(self.p.start_hour, self.p.end_hour)
        if self.seed_mode:
            return self._every_one(rows, at, hours, suspect[hours % hour_profile.HOURS])
        found = hour_profile.strange_hours(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            hours,
            hour_profile.hour_limits(
                suspect=suspect,
                prior=hour_profile.hour_prior(suspect, SUSPECT_RATIO),
                report_p=self.p.report_p,
                warm=self.p.warm,
                mature=self.p.mature,
                half_life_days=self.p.half_life_days,
                idle_s=self.p.forget_s,
            ),
        )
        confidence = np.minimum(1.0, np.log(found.p) / np.log(self.p.p_star))
        early = found.observed < self.p.mature
        return Findings(
            at=at[found.at],
            details={
                "hour": hours[found.at] % hour_profile.HOURS,
                "day_type": day_types(hours[found.at]),
                "usual_from": found.usual_from,
                "usual_to": (found.usual_to + 1) % hour_profile.HOURS,
                "active_hours": found.observed,
                "unusual_hours": found.strange,
                "p_value": found.p,
                "judged_by": self._judged_by(early),
                "file": rows.frame["path"].gather(at[found.at]).to_list(),
            },
            confidence=np.where(early, np.minimum(confidence, EARLY_CONFIDENCE), confidence),
        )

    def _judged_by(self, early: NDArray[np.bool_]) -> list[str]:
        configured = (
            f"the hours that the settings call unusual, {self.p.start_hour:02d} to {self.p.end_hour:02d} h, as for "
            f"every account with fewer than {self.p.mature} active hours"
        )
        return [configured if one else "the account's own hours" for one in early.tolist()]

    def _every_one(
        self, rows: Rows, at: NDArray[np.int64], hours: NDArray[np.int64], inside: NDArray[np.bool_]
    ) -> Findings:
        n = int(inside.sum())
        return Findings(
            at=at[inside],
            details={
                "hour": hours[inside] % hour_profile.HOURS,
                "day_type": day_types(hours[inside]),
                "usual_from": np.full(n, self.p.end_hour),
                "usual_to": np.full(n, self.p.start_hour),
                "active_hours": np.zeros(n, dtype=np.int64),
                "unusual_hours": np.ones(n, dtype=np.int64),
                "p_value": [None] * n,
                "judged_by": self._judged_by(np.ones(n, dtype=np.bool_)),
                "file": rows.frame["path"].gather(at[inside]).to_list(),
            },
        )

    def idle_s(self) -> float:
        """A profile that old says nothing any more."""
        return self.p.forget_s


DETECTOR = UnusualTransferTime
