"""The same again and again, at an hour at which this user does not work: copies, uploads, deletions in a row.

Sees insiders and stolen accounts that copy a few files when nobody looks, where unusual_time_file_transfer alone is an
event: who is on call or travels is up at night, too, but does there what they do by day, now this, now that. Misses
those who keep office hours, who mix their acts, and users who work in batches anyway: how often the user does the same
again, kind by kind, decides. Strange hours teach nothing of acts and a sixteenth of their hour, so that a thief who
comes back is found for nights; one who first moves the user's hours for a fortnight is not. Users need 20 active hours
and 100 acts. Statistics: baselines/odd_hour_runs. Source: our choice, after the livesec seed's unusual hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import hour_profile, odd_hour_runs, tails
from livesec.baselines.local_hours import day_types, hours_within, local_hours
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.unusual_time_file_transfer import SUSPECT_RATIO


@dataclass(frozen=True)
class Params:
    """The hours that the organisation calls unusual, how much history it takes, and what counts as rare."""

    start_hour: int = param(22, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_start")
    end_hour: int = param(6, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_end")
    time_zone: str = param("UTC", "IANA name", "livesec setting", setting="time_zone")
    hour_p: float = param(
        0.02, "probability", "our choice: one active hour in 50; that the batch is rare comes on top", maximum=0.5
    )
    floor: int = param(3, "acts", "our choice: two are no batch", minimum=2)
    p_star: float = param(
        1e-3,
        "probability",
        "one in 100 days for each 10 runs a day in unusual hours: 300 users",
        minimum=1e-12,
        maximum=0.01,
    )
    mature: int = param(20, "hours", "DETECTIONS: a prior of about 20 is the cold-start answer", minimum=1)
    learn_acts: int = param(100, "acts", "our choice: a few working days", minimum=1)
    pause_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another run", minimum=60)
    half_life_days: float = param(14.0, "days", "DETECTIONS: season", minimum=1)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: six half-lives leave 1 %", minimum=2 * 86_400.0)


class UnusualTimeBatch(Detector[Params]):
    """Runs of one kind of act in hours in which each user is never active."""

    name = "unusual_time_batch"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("event_time_us", "action")
    technique = ("T1530",)
    base_severity = 47
    columns = odd_hour_runs.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} did the same {acts:,} times in a row ({action}) at {hour:02d} h on a {day_type}; last {file}"
    guidance = Guidance(
        meaning="At an hour at which its user does not work, the account does one thing over and over: somebody takes "
        "or destroys files when nobody looks.",
        usual="{user} is active from {usual_from:02d} to {usual_to:02d} h on a {day_type}; this was at {hour:02d} h. "
        "By {known_acts:,} earlier acts {acts:,} in a row of this kind ({action}), here within {span_text}, come "
        "{odds_text} runs.",
        benign=(
            "a release, a deadline or a night on call with many files of one kind",
            "a script or synchronisation that runs under the user's name, now at a new time",
            "travel: the user's day lies elsewhere on the clock",
        ),
        next_steps=(
            "See which files these were: {file} and those before it. The user's own, or of all kinds?",
            "Look for a login of {user} shortly before, and from where it came.",
            "Were the files put somewhere from where they can leave: a share, a cloud, an archive?",
            "Ask {user} over another channel. If it was somebody else, lock the account and keep the logs.",
        ),
        commands=(
            "logins_of_user",
            "who_is_on",
            "jobs_of_user",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if {user} was on call or has a job that is planned for {hour:02d} h",
            "worse if the login before it came from a new address, or there was none",
            "worse if uploads to the outside or deletions follow",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Transfers that did not fail: what failed moved nothing."""
        return ~rows.is_value("outcome", "failure")

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Follow what each user does, and at which hours."""
        hours = local_hours(rows.integers("event_time_us")[at], self.p.time_zone)
        suspect = hours_within(self.p.start_hour, self.p.end_hour)
        reports = odd_hour_runs.follow(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            hours,
            rows.integers("action")[at],
            rows.addresses()[at],
            hour_profile.hour_limits(
                suspect=suspect,
                prior=hour_profile.hour_prior(suspect, SUSPECT_RATIO),
                report_p=self.p.hour_p,
                warm=self.p.mature,
                mature=self.p.mature,
                half_life_days=self.p.half_life_days,
                idle_s=self.p.forget_s,
            ),
            odd_hour_runs.RunRules(
                floor=self.p.floor,
                log_p=math.log(self.p.p_star),
                learn_acts=self.p.learn_acts,
                pause_us=int(self.p.pause_s * 1e6),
            ),
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "acts": reports.run,
                "action": rows.column("action").gather(found).cast(str).to_list(),
                "span_text": time_texts(reports.span_s),
                "hour": hours[reports.at] % hour_profile.HOURS,
                "day_type": day_types(hours[reports.at]),
                "usual_from": reports.usual_from,
                "usual_to": (reports.usual_to + 1) % hour_profile.HOURS,
                "known_acts": reports.acts,
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "file": rows.column("path").gather(found).to_list(),
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def idle_s(self) -> float:
        """A profile that old says nothing any more."""
        return self.p.forget_s


DETECTOR = UnusualTimeBatch
