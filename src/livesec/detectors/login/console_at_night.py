"""A login to a cloud console in the hours that the organisation calls unusual.

Each account is reported at its first such login and when they have grown fourfold; a month's pause begins anew, so that
whoever works at night has their peace soon. A rule: it knows the configured hours and nothing of the account's habits,
which `unusual_login_time` learns; there is enough behind a console to tell of the first night already. It stays low:
alone it is no alert, beside other signs of the same account it weighs. Misses weekends and thieves who keep office
hours. Source: CrowdSec scenario crowdsecurity/aws-cloudtrail-nwo-nwd-console-login; the livesec seed (22 to 6 o'clock).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import recurrence
from livesec.baselines.local_hours import hours_within, local_hours
from livesec.core.finding import Findings
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """Which consoles and hours, and when an account is new again."""

    services: tuple[str, ...] = param(("signin.amazonaws.com",), "services", "AWS: the name of its console's logins")
    start_hour: int = param(22, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_start")
    end_hour: int = param(6, "hour of day", "livesec seed", minimum=0, maximum=23, setting="unusual_hours_end")
    time_zone: str = param("UTC", "IANA name", "livesec setting", setting="time_zone")
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: after a month it is told again", minimum=3600)


class ConsoleAtNight(Detector[Params]):
    """First logins in unusual hours, and recurrence, per account."""

    name = "console_at_night"
    log_type = LogType.LOGIN
    key = ("user",)
    needs = ("outcome", "service", "event_time_us")
    technique = ("T1078.004",)
    base_severity = 21
    columns = recurrence.COLUMNS
    params = Params
    max_keys = 1 << 14
    summary = "{user} logged in to a cloud console at {hour:02d} h; {logins:,} such login(s), the first {first}"
    guidance = Guidance(
        meaning="The console opens the whole account, and it was opened at an hour at which nobody is meant to work.",
        usual="The unusual hours are set from {start_hour:02d} to {end_hour:02d} h; {user} logged in at {hour:02d} h. "
        "Such logins: {logins:,}, the first {first}; in the {quiet_days:,.0f} days before, or as long as the log was "
        "read, there was none.",
        benign=(
            "being on call, a release or a deadline",
            "travel, or an office in another part of the world: then the hours of the settings do not fit",
            "somebody who likes to work at night",
        ),
        commands=("logins_of_user", "log_of_user", "owner_of_source", "account"),
        next_steps=(
            "From where did {user} come, and is that a place of theirs?",
            "What did the session do after it: new keys, new users, changed policies, copied data?",
            "Ask {user} over another channel whether it was them.",
        ),
        would_change=(
            "an address or country that is new for {user} as well: then it may be a thief",
            "a new access key, user or policy made right after it: then look at that before anything else",
            "{user} is on call or works in another time zone: then it is harmless",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Successes at a console in those hours."""
        success = rows.is_value("outcome", "success")
        if not success.any():
            return success
        wanted = success & rows.is_any("service", self.p.services)
        at = np.flatnonzero(wanted)
        wanted[at] = hours_within(self.p.start_hour, self.p.end_hour)[self._hours(rows, at)]
        return np.asarray(wanted)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each login."""
        reports = recurrence.recur_at_once(state, rows, self.key, at, quiet_s=self.p.quiet_s)
        n = len(reports.at)
        return Findings(
            at=at[reports.at],
            details={
                "hour": self._hours(rows, at[reports.at]),
                "start_hour": np.full(n, self.p.start_hour),
                "end_hour": np.full(n, self.p.end_hour),
                "logins": reports.total,
                **recurrence.since_first(reports, self.p.quiet_s),
            },
            evidence=reports.evidence,
        )

    def _hours(self, rows: Rows, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """The hours of the day at `at` on the clock of the settings."""
        return np.asarray(local_hours(rows.integers("event_time_us")[at], self.p.time_zone) % 24)

    def idle_s(self) -> float:
        """The pause after which an account is told again."""
        return self.p.quiet_s


DETECTOR = ConsoleAtNight
