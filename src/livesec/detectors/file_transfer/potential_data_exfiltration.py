"""Much data to destinations outside the organisation, within an hour, by one account.

Sees single large files and many small ones that add up, to the destinations that the settings call external, and
downloads by foreign addresses from a server of one's own. Misses accounts that send as much and as many anyway, and
drips over days (slow_exfil). Above a fixed volume the hour is tested at each file while it fills, by its volume and by
its number of files, against the user's own hours with external transfers (baselines/volume_and_count). With few of
those, any new record of volume and a number that is large for anyone is reported, at low confidence unless the volume
is large for anyone too. In seed_mode: every external file above the fixed volume. Source: the livesec seed (10 MB).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import count_tail, tails, volume_and_count, window_volume
from livesec.baselines.external_transfers import external_destinations, goes_outside
from livesec.core.finding import Findings
from livesec.core.human_units import size_text, size_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved

YOUNG_CONFIDENCE = 0.4  # our choice: at least, for a new record above the fixed volume
NEW_WINDOWS = 3  # our choice: with fewer earlier hours no volume is more than a note: a first day is quiet
YOUNG_MANY_CONFIDENCE = 0.6  # our choice: for as many files as are many for anyone
ANYONES_MEDIAN_BYTES = 1e6  # our choice: an hour's external volume of somebody unknown, with ...
ANYONES_SIGMA = 2.0  # ... this standard deviation of its logarithm: one hour in 100 has more than 335 MB


@dataclass(frozen=True)
class Params:
    """Destinations, volume, tail probabilities and how much to learn."""

    destinations: tuple[str, ...] = external_destinations()
    floor: int = param(10_000_000, "bytes", "livesec seed", minimum=1, setting="exfiltration_bytes")
    files: int = param(10, "files", "our choice: fewer in an hour are never many", minimum=2)
    young_files: int = param(21, "files", "DETECTIONS, count_burst: more than 20 in an hour", minimum=2)
    window_s: float = param(3600.0, "s", "our choice: an hour", minimum=60)
    report_p: float = param(5e-3, "probability", "our choice: one hour in 200", minimum=1e-9, maximum=0.1)
    p_star: float = param(1e-5, "probability", "medium from 2e-3: 0.4 a day for 200 hours a day", maximum=0.1)
    learn_windows: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    known_after: int = param(2, "hours", "our choice: twice seen is usual", minimum=1)
    factor: float = param(2.0, "ratio", "our choice: twice as much is another matter", minimum=1)
    prior_mad: float = param(1.7, "ln bytes", "our choice: sizes of documents, a sigma of 2.5", minimum=0.1)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=3600)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class DataExfiltration(Detector[Params]):
    """External bytes and files of each user per hour against the user's own hours."""

    name = "potential_data_exfiltration"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("bytes",)
    technique = ("T1567", "T1048")
    base_severity = 73
    columns = volume_and_count.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = (
        "{user} sent {volume_text} outside within the hour, usually {usual_text}; files: {window_files:,}, "
        "the last {file}"
    )
    guidance = Guidance(
        meaning="One account takes more data out of the organisation within an hour than it does otherwise.",
        usual="{history}; now {volume_text} and {window_files:,}, the last to {last_to}. Judged by {judged_by}.",
        benign=(
            "a delivery to a customer, an agency or an authority that the user was asked for",
            "an off-site backup that runs for the first time",
            "a user who moves to a new laptop by way of a drive or cloud storage",
        ),
        next_steps=(
            "See which files went: their folders tell whose they are and how much harm their loss does.",
            "Find out whose {last_to} is: the organisation's own storage, a partner's, or a private one.",
            "Compare the login before this hour with the usual ones of {user}: address, country, hour.",
            "If nobody can explain it, lock the account, keep the logs, and ask the provider of "
            "{last_to} to hold the data.",
        ),
        commands=("logins_of_user", "large_files_of_user", "file", "bucket_access"),
        would_change=(
            "harmless if {last_to} is the organisation's own storage or a partner's, and the files were meant for it",
            "worse if the files are of many departments, or of projects that {user} has nothing to do with",
            "worse if {user} is about to leave, or logged in from a new address",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that went outside."""
        return moved(rows) & goes_outside(rows, self.p.destinations)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Add each file to its user's hour."""
        sizes = rows.integers("bytes")[at]
        if self.seed_mode:
            return self._every_large_file(rows, at[sizes > self.p.floor])
        reports = volume_and_count.fill(
            state,
            rows.key(*self.key)[at],
            rows.time_us[at],
            sizes,
            rows.addresses()[at],
            self._volume_rules(),
            self._count_rules(),
        )
        volumes, counts = reports.volumes, reports.counts
        found = at[volumes.at]
        return Findings(
            at=found,
            details={
                "window_bytes": volumes.volume,
                "volume_text": size_texts(volumes.volume),
                "window_files": counts.count,
                "window_s": np.full(len(found), self.p.window_s),
                "usual_bytes": volumes.median,
                "usual_text": size_texts(volumes.median),
                "usual_files": counts.mean,
                "times_usual": volumes.volume / volumes.median,
                "z": volumes.z,
                "windows": volumes.windows,
                **self._history(volumes.windows, volumes.median, counts.mean),
                "episode_bytes": volumes.offended,
                **_last_file(rows, found),
            },
            evidence=counts.evidence,
            confidence=np.maximum(self._volume_confidence(volumes), self._count_confidence(counts)),
        )

    def _volume_confidence(self, reports: window_volume.Reports) -> NDArray[np.float64]:
        """By the sum of the episode's hours: two large ones in a row are more than one."""
        young = reports.windows < self.p.learn_windows
        anyones = (np.log(np.maximum(reports.offended, 1)) - math.log(ANYONES_MEDIAN_BYTES)) / ANYONES_SIGMA
        log_p = np.array([tails.normal_log_tail(z) for z in np.where(young, anyones, reports.offended_z).tolist()])
        confidence = tails.confidence(log_p, self.p.p_star)
        confidence = np.where(young, np.maximum(confidence, YOUNG_CONFIDENCE), confidence)
        confidence = np.where(reports.windows < NEW_WINDOWS, YOUNG_CONFIDENCE, confidence)
        return np.where(reports.offended > 0, confidence, 0.0)

    def _count_confidence(self, reports: count_tail.Reports) -> NDArray[np.float64]:
        young = reports.windows < self.p.learn_windows
        confidence = np.where(young, YOUNG_MANY_CONFIDENCE, tails.confidence(reports.log_p, self.p.p_star))
        return np.where(reports.offended > 0, confidence, 0.0)

    def _history(
        self, known: NDArray[np.int64], median: NDArray[np.float64], mean: NDArray[np.float64]
    ) -> dict[str, list[str]]:
        """In words what is known of each account, and so which limits it was judged by."""
        history = [
            f"In half of {hours:,} earlier hours with external transfers the account sent no more than "
            f"{size_text(half)}, and {files:,.1f} files on average"
            if hours
            else "No earlier hour with external transfers of the account is known"
            for hours, half, files in zip(known.tolist(), median.tolist(), mean.tolist(), strict=True)
        ]
        limits = (
            f"the limits of {size_text(self.p.floor)} and {self.p.young_files} files for accounts with fewer than "
            f"{self.p.learn_windows} such hours"
        )
        own = "the account's own hours"
        young = (known < self.p.learn_windows).tolist()
        return {"history": history, "judged_by": [limits if one else own for one in young]}

    def _every_large_file(self, rows: Rows, found: NDArray[np.int64]) -> Findings:
        unknown = np.full(len(found), np.nan)
        sizes = rows.integers("bytes")[found]
        return Findings(
            at=found,
            details={
                "window_bytes": sizes,
                "volume_text": size_texts(sizes),
                "window_files": np.ones(len(found), dtype=np.int64),
                "window_s": np.zeros(len(found)),
                "usual_bytes": unknown,
                "usual_text": size_texts(unknown),
                "usual_files": unknown,
                "times_usual": unknown,
                "z": unknown,
                "windows": np.zeros(len(found), dtype=np.int64),
                **self._history(np.zeros(len(found), dtype=np.int64), unknown, unknown),
                "episode_bytes": sizes,
                **_last_file(rows, found),
            },
        )

    def _count_rules(self) -> count_tail.Rules:
        return count_tail.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=0.0,
            learn_windows=self.p.learn_windows,
            floor=self.p.files,
            log_p=math.log(self.p.report_p),
            prior_mean=1.0,
            young_limit=self.p.young_files,
            once_per_window=False,
        )

    def _volume_rules(self) -> window_volume.Rules:
        return window_volume.Rules(
            window_s=float(self.p.window_s),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
            learn_s=0.0,
            learn_windows=self.p.learn_windows,
            floor=self.p.floor,
            factor=float(self.p.factor),
            z=tails.normal_limit(self.p.report_p),
            known_after=self.p.known_after,
            prior_mad=float(self.p.prior_mad),
            young_limit=self.p.floor,
            once_per_window=False,
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


def _last_file(rows: Rows, found: NDArray[np.int64]) -> dict[str, list[str | None]]:
    destinations = rows.frame["destination"].gather(found).to_list()
    return {
        "file": rows.frame["path"].gather(found).to_list(),
        "destination": destinations,
        "last_to": [destination or "an address outside" for destination in destinations],
    }


DETECTOR = DataExfiltration
