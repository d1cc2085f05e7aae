"""More sensitive files in an hour than a user touches otherwise; for most users that is a single one.

Sensitive are paths with one of the configured words as a part of a name, and the names that password files, private
keys and database dumps go by (baselines/sensitive_paths). Sees thieves who collect such files, and accounts that never
had to do with any. Misses users who handle them all day, as long as they keep to their usual number. Statistics:
baselines/distinct_tail: distinct files per active hour against the user's own hours; several within seconds of each
other (CrowdSec, crowdsecurity/http-sensitive-files: more than 4, one leaks in 5 s) make a finding certain. With
little history only the configured number in an hour is reported. In seed_mode: every path with a word anywhere in it.
Source: the livesec seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, distinct_tail, tails
from livesec.baselines.sensitive_paths import seed_sensitive_paths, sensitive_paths
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

MANY_CONFIDENCE = 0.9  # our choice: as many as are many for anyone
BURST_CONFIDENCE = 1.0


@dataclass(frozen=True)
class Params:
    """Words, numbers, tail probabilities and how much to learn."""

    words: tuple[str, ...] = param(
        ("password", "key", "secret", "confidential", "customer", "financial", "security"),
        "words",
        "livesec seed",
        setting="sensitive_words",
    )
    many: int = param(10, "files", "livesec seed", minimum=2, setting="access_frequency_threshold")
    burst: int = param(5, "files", "crowdsecurity/http-sensitive-files: more than 4", minimum=2)
    burst_leak_s: float = param(5.0, "s per file", "crowdsecurity/http-sensitive-files", minimum=0.1)
    window_s: float = param(3600.0, "s", "our choice: an hour", minimum=60)
    report_p: float = param(0.01, "probability", "our choice: one active hour in a hundred", minimum=1e-9, maximum=0.01)
    p_star: float = param(1e-4, "probability", "medium from 4e-4: 0.2 a day for 480 active hours", maximum=0.1)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    prior_mean: float = param(0.25, "files", "our choice: weighs as much as two hours seen", minimum=0.01)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class SensitiveFileAccess(Detector[Params]):
    """Distinct sensitive files of each user per hour against the user's own hours."""

    name = "sensitive_file_access"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("path",)
    technique = ("T1552.001",)
    base_severity = 47
    columns = distinct_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} touched {files:,} sensitive files within the hour, usually {usual_files:,.2f}; last {file}"
    guidance = Guidance(
        meaning="The account collects files that, by their names, hold secrets or personal data, more than it "
        "ever has to do with.",
        usual="{history}; {files:,} in this hour come {odds_text} hours, {pace}. Judged by {judged_by}.",
        benign=(
            "a new task: an audit, a migration, a handover",
            "a file whose name only sounds sensitive",
            "a backup or synchronisation that runs under the user's name",
        ),
        next_steps=(
            "See which files they are, and whose: {file} was the last.",
            "Ask the owner of the folder, before {user}, whether there is a reason to read them.",
            "Compare the login before this hour with the usual ones of {user}: address, country, hour.",
            "If it was not {user}, treat every password and key in those files as known to others: change "
            "them, beginning with those that open most. Then lock the account.",
        ),
        commands=(
            "logins_of_user",
            "file",
            "processes_of_user",
            "s3_events_of_user",
        ),
        would_change=(
            "harmless if {file} and the others hold nothing secret, whatever their names say",
            "worse if they hold passwords or keys that were used from elsewhere since then",
            "worse if uploads or an archive of {user} followed within the day",
        ),
    )

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count the distinct sensitive files of each user's hour."""
        paths = rows.frame["path"].gather(at)
        if self.seed_mode:
            return self._every_one(rows, at[seed_sensitive_paths(paths, self.p.words).to_numpy()])
        sensitive, renamed = sensitive_paths(paths, self.p.words), rows.column("old_path")
        if renamed.null_count() < len(renamed):
            sensitive |= sensitive_paths(renamed.gather(at), self.p.words)
        values = np.zeros(len(at), dtype=np.uint64)
        marked = np.flatnonzero(sensitive.to_numpy())
        if len(marked):
            values[marked] = text_keys(paths.gather(marked))
        reports, burst = distinct_tail.count_distinct(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            values,
            rows.addresses()[at],
            self._rules(),
            burst=self.p.burst,
            leak_s=self.p.burst_leak_s,
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "files": reports.count,
                "usual_files": reports.mean,
                "hours": reports.windows,
                **self._history(reports.windows, reports.mean),
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "burst": burst,
                "pace": self._paces(burst),
                "file": rows.frame["path"].gather(found).to_list(),
                "episode_files": reports.offended,
            },
            evidence=reports.evidence,
            confidence=self._confidence(reports, burst),
        )

    def _history(self, known: NDArray[np.int64], mean: NDArray[np.float64]) -> dict[str, list[str]]:
        """In words what is known of each account, and so which limit it was judged by."""
        history = [
            f"In {hours:,} earlier active hours the account touched {files:,.2f} such files on average"
            if hours
            else "No earlier active hour of the account is known"
            for hours, files in zip(known.tolist(), mean.tolist(), strict=True)
        ]
        limit = f"the limit of {self.p.many} files for accounts with fewer than {self.p.learn_windows} active hours"
        own = "the account's own hours"
        young = (known < self.p.learn_windows).tolist()
        return {"history": history, "judged_by": [limit if one else own for one in young]}

    def _paces(self, burst: NDArray[np.bool_]) -> list[str]:
        quick = f"{self.p.burst} or more new ones in quick succession, as a program takes them"
        slow = f"fewer than {self.p.burst} in quick succession, as a person takes them"
        return [quick if one else slow for one in burst.tolist()]

    def _confidence(self, reports: count_tail.Reports, burst: NDArray[np.bool_]) -> NDArray[np.float64]:
        confidence = tails.confidence(reports.log_p, self.p.p_star)
        confidence = np.where(reports.windows < self.p.learn_windows, MANY_CONFIDENCE, confidence)
        return np.where(burst, np.maximum(confidence, BURST_CONFIDENCE), confidence)

    def _every_one(self, rows: Rows, found: NDArray[np.int64]) -> Findings:
        unknown = np.full(len(found), np.nan)
        one = np.ones(len(found), dtype=np.int64)
        return Findings(
            at=found,
            details={
                "files": one,
                "usual_files": unknown,
                "hours": one * 0,
                **self._history(one * 0, unknown),
                "one_in": unknown,
                "odds_text": odds_texts(unknown),
                "burst": [False] * len(found),
                "pace": ["judged one by one"] * len(found),
                "file": rows.frame["path"].gather(found).to_list(),
                "episode_files": one,
            },
        )

    def _rules(self) -> count_tail.Rules:
        return count_tail.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=0.0,
            learn_windows=self.p.learn_windows,
            floor=1,
            log_p=math.log(self.p.report_p),
            prior_mean=float(self.p.prior_mean),
            young_limit=self.p.many,
            once_per_window=False,
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


DETECTOR = SensitiveFileAccess
