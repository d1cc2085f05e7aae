"""A login at an hour at which this user does not work.

Sees a stolen account used in its owner's night, and insiders who come back when nobody looks. Misses
attackers who keep office hours. Each user's own hours decide, weekdays and weekends apart; the configured
unusual hours only weigh in the prior, so that night workers have their peace after a few nights. With little
history (10 to 20 login hours) the configured hours alone can be reported, at low confidence and only for
users who so far kept to the others; below that it is silent: a first login at night says nothing about
habits. At most one finding per user and hour, and per night only the 1st and 4th such hour. Source:
the livesec seed (22 to 6 o'clock); hour density of DETECTIONS.
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

DAY_S = 86_400.0
SUSPECT_RATIO = 8.0  # before history speaks a configured hour is 1/8 as likely as another: our choice
EARLY_CONFIDENCE = 0.25  # at most, where there is little history: our choice


@dataclass(frozen=True)
class Params:
    """The hours that the organisation calls unusual, how much history it takes, and what counts as rare."""

    start_hour: int = param(22, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_start")
    end_hour: int = param(6, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_end")
    time_zone: str = param("UTC", "IANA name", "livesec setting", setting="time_zone")
    report_p: float = param(0.01, "probability", "our choice: one login hour in a hundred", maximum=0.5)
    p_star: float = param(1e-4, "probability", "our choice: a user's 24 hours cannot say less than that", maximum=0.01)
    warm: int = param(10, "login hours", "our choice: a working day or two", minimum=1)
    mature: int = param(20, "login hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    half_life_days: float = param(14.0, "days", "DETECTIONS: season", minimum=1)
    forget_s: float = param(90 * DAY_S, "s", "our choice: six half-lives leave 1 %", minimum=2 * DAY_S)


class UnusualLoginTime(Detector[Params]):
    """Hour-of-day density of each user's successful logins."""

    name = "unusual_login_time"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("event_time_us",)
    technique = ("T1078",)
    base_severity = 21
    columns = hour_profile.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 17  # users who logged in: half a kilobyte each
    summary = "{user} logged in at {hour:02d} h on a {day_type}, usually from {usual_from:02d} to {usual_to:02d} h"
    guidance = Guidance(
        meaning="The account was used at an hour that does not fit its user's habits.",
        usual="{user} logged in at {hour:02d} h; by {login_hours:,} earlier login hours they are active from "
        "{usual_from:02d} to {usual_to:02d} h on a {day_type}, and {share} of the activity falls into hours as "
        "unusual as this one. Unusual hours in this stretch: {unusual_hours}.",
        benign=(
            "being on call, a release or a deadline",
            "travel: the user's day lies elsewhere on the clock",
            "a job that runs under the user's name, now at a new time",
        ),
        commands=("logins_of_user", "owner_of_source", "acts_of_user", "processes_of_user"),
        next_steps=(
            "From where did {user} log in: one of their usual addresses, or a new one?",
            "What did the session do, and for how long? A job ends by itself and does the same every time.",
            "If the address is new too, ask {user} over another channel, and end the session until they answer.",
        ),
        would_change=(
            "an address, country or program that is new for {user} as well: then it may be a thief",
            "transfers or a change of rights in the same session: then look at them before anything else",
            "{user} is on call, travels, or has a job at {hour:02d} h: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes: failures are not the user's habits, and anyone can make them."""
        return rows.is_value("outcome", "success")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Judge the first login of each user in each hour; in seed mode every login by the configured hours."""
        hours = local_hours(rows.integers("event_time_us")[at], self.p.time_zone)
        suspect = hours_within(self.p.start_hour, self.p.end_hour)
        if self.seed_mode:
            return self._step_as_seed(at, hours, suspect)
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
                "hour": hours[found.at] % 24,
                "day_type": day_types(hours[found.at]),
                "usual_from": found.usual_from,
                "usual_to": (found.usual_to + 1) % 24,
                "login_hours": found.observed,
                "unusual_hours": found.strange,
                "share": [f"{p:.2%}" for p in found.p.tolist()],
                "p_value": found.p,
            },
            confidence=np.where(early, np.minimum(confidence, EARLY_CONFIDENCE), confidence),
        )

    def _step_as_seed(self, at: NDArray[np.int64], hours: NDArray[np.int64], suspect: NDArray[np.bool_]) -> Findings:
        inside = suspect[hours % 24]
        n = int(inside.sum())
        return Findings(
            at=at[inside],
            details={
                "hour": hours[inside] % 24,
                "day_type": day_types(hours[inside]),
                "usual_from": np.full(n, self.p.end_hour),
                "usual_to": np.full(n, self.p.start_hour),
                "login_hours": np.zeros(n, dtype=np.int64),
                "unusual_hours": np.ones(n, dtype=np.int64),
                "share": ["an unknown part"] * n,
                "p_value": [None] * n,
            },
        )

    def idle_s(self) -> float:
        """A profile that old says nothing any more."""
        return self.p.forget_s


DETECTOR = UnusualLoginTime
