"""A file far larger than those that this user moves.

Sees databases, disk images and archives that leave through an account that never moved such. Misses whoever moves large
files every day, and many small files (potential_data_exfiltration). Statistics: baselines/size_tail, the tail of
the user's own sizes, with a floor; an account with little history is judged by a fixed size, at low confidence below
gigabytes. In seed_mode: every file above that fixed size. Source: the livesec seed (100 MB).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import size_tail, tails
from livesec.core.finding import Findings
from livesec.core.human_units import odds_texts, size_text, size_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

MOVES = ("upload", "download", "copy", "move")


@dataclass(frozen=True)
class Params:
    """Floors, tail probabilities and how much to learn."""

    young_bytes: int = param(100_000_000, "bytes", "livesec seed", minimum=1, setting="large_file_bytes")
    floor: int = param(10_000_000, "bytes", "DETECTIONS: 10 MB", minimum=1)
    report_p: float = param(1e-3, "probability", "our choice: of 1,000 files, the largest", minimum=1e-9, maximum=0.1)
    p_star: float = param(
        4e-5,
        "probability",
        "medium from 2e-4: once in two days for each 10,000 files a day",
        minimum=1e-12,
        maximum=0.1,
    )
    learn: int = param(20, "files", "our choice: DETECTIONS' prior of about 20", minimum=10)
    quiet_s: float = param(6 * 3600.0, "s", "our choice: a pause that makes it another episode", minimum=60)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class LargeFileTransfer(Detector[Params]):
    """Sizes of moved files against the user's own."""

    name = "large_file_transfer"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("bytes",)
    technique = ("T1048",)
    base_severity = 47
    columns = size_tail.COLUMNS
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} moved a file of {file_text}, usually about {usual_text}: {file}"
    guidance = Guidance(
        meaning="The file is far larger than what this account moves: a database, a disk image or an archive "
        "of many files may be leaving.",
        usual="{history}; this one has {file_text}, which comes {odds_text} files. Judged by {judged_by}.",
        benign=(
            "a backup, a release or a video that the user was asked to move",
            "a new task of the user with larger files than before",
            "an administrator who moves a machine's disk",
        ),
        next_steps=(
            "Look at its name, owner and type where it still lies, without opening it.",
            "Find out where it went, and whether {user} or anyone else ever sent anything there.",
            "Compare the login before it with the usual ones of {user}: address, country, hour.",
            "Ask {user} over another channel. If nobody can explain it, keep the file and the logs, and "
            "lock the account.",
        ),
        commands=("file", "content", "logins_of_user", "bucket_access"),
        would_change=(
            "harmless if the file is a backup, an image or a release that belongs to the work of {user}",
            "worse if it is an archive or a database dump made shortly before",
            "worse if it went to a private or unknown destination outside",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved, or of which the log does not say what happened."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Judge each file, then learn its size."""
        sizes = rows.integers("bytes")[at]
        if self.seed_mode:
            return self._every_large_file(rows, at[sizes > self.p.young_bytes])
        reports = size_tail.judge(
            state, rows.key(*self.key)[at], rows.time_us[at], sizes, rows.addresses()[at], self._rules()
        )
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "file_bytes": sizes[reports.at],
                "file_text": size_texts(sizes[reports.at]),
                "file": rows.frame["path"].gather(found).to_list(),
                "usual_bytes": reports.median,
                "usual_text": size_texts(reports.median),
                "large_bytes": reports.ninetieth,
                "large_text": size_texts(reports.ninetieth),
                "files": reports.sizes,
                **self._history(reports.sizes, reports.median, reports.ninetieth),
                "one_in": tails.one_in(reports.log_p),
                "odds_text": odds_texts(tails.one_in(reports.log_p)),
                "episode_bytes": reports.offended,
            },
            evidence=reports.evidence,
            confidence=tails.confidence(reports.log_p, self.p.p_star),
        )

    def _history(
        self, known: NDArray[np.int64], median: NDArray[np.float64], ninetieth: NDArray[np.float64]
    ) -> dict[str, list[str]]:
        """In words what is known of each account, and so which limit it was judged by."""
        history = [
            f"Earlier files of the account: {files:,} (half had no more than {size_text(half)} and one in ten more "
            f"than {size_text(tenth)})"
            if files
            else "No earlier file of the account is known"
            for files, half, tenth in zip(known.tolist(), median.tolist(), ninetieth.tolist(), strict=True)
        ]
        limit = (
            f"the limit of {size_text(self.p.young_bytes)} for accounts with fewer than {self.p.learn} earlier files"
        )
        own = "the account's own files"
        return {"history": history, "judged_by": [limit if files < self.p.learn else own for files in known.tolist()]}

    def _every_large_file(self, rows: Rows, found: NDArray[np.int64]) -> Findings:
        unknown = np.full(len(found), np.nan)
        sizes = rows.integers("bytes")[found]
        return Findings(
            at=found,
            details={
                "file_bytes": sizes,
                "file_text": size_texts(sizes),
                "file": rows.frame["path"].gather(found).to_list(),
                "usual_bytes": unknown,
                "usual_text": size_texts(unknown),
                "large_bytes": unknown,
                "large_text": size_texts(unknown),
                "files": np.zeros(len(found), dtype=np.int64),
                **self._history(np.zeros(len(found), dtype=np.int64), unknown, unknown),
                "one_in": unknown,
                "odds_text": odds_texts(unknown),
                "episode_bytes": sizes,
            },
        )

    def _rules(self) -> size_tail.Rules:
        return size_tail.Rules(
            floor=self.p.floor,
            young_limit=self.p.young_bytes,
            learn=self.p.learn,
            log_p=math.log(self.p.report_p),
            quiet_s=float(self.p.quiet_s),
            forget_s=float(self.p.forget_s),
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return self.p.forget_s


def moved(rows: Rows) -> NDArray[np.bool_]:
    """Rows in which bytes were moved, as far as the log tells, and did not fail."""
    known = rows.known("action")
    moves = ~known
    for action in MOVES:
        moves = moves | rows.is_value("action", action)
    return moves & ~rows.is_value("outcome", "failure")


DETECTOR = LargeFileTransfer
