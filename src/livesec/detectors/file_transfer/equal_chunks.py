"""Pieces of one size, one after the other, to one destination: a large file taken out in parts below every limit.

Sees at least five uploads of nearly equal size within ten minutes, other files in between or not; the last, smaller
piece does not matter. Misses pieces whose sizes vary by more than two per cent, and slower ones (slow_exfil). Nothing
is learnt, so nobody can train it; cameras and recorders, whose segments look the same, are reported at first and then
as they go on fourfold. Source: DETECTIONS (coefficient of variation below .02); ATT&CK T1030, transfers of fixed size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines import near_equal
from livesec.baselines.kernel_rows import AmountRows
from livesec.baselines.sub_keys import sub_keys
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import size_texts, time_text
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState


@dataclass(frozen=True)
class Params:
    """How many, how equal and how large."""

    pieces: int = param(5, "files", "DETECTIONS", minimum=2, maximum=near_equal.KEPT)
    per_mille: int = param(20, "per mille", "DETECTIONS: coefficient of variation below .02", minimum=1, maximum=200)
    floor: int = param(1_000_000, "bytes", "our choice: smaller files are often alike", minimum=1)
    window_s: float = param(600.0, "s", "DETECTIONS", minimum=1)
    quiet_s: float = param(30 * 86_400.0, "s", "our choice: a month's pause makes it news", minimum=3600)


class EqualChunks(Detector[Params]):
    """Nearly equal uploads of each user to each destination."""

    name = "equal_chunks"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("bytes",)
    technique = ("T1030",)
    base_severity = 47
    columns = near_equal.COLUMNS
    params = Params
    max_keys = 1 << 16
    summary = "{user} sent {pieces:,} pieces of about {size_text} to {destination}, last {file}"
    guidance = Guidance(
        meaning="A file is moved out in equal pieces, as tools do that want to stay below a limit on size.",
        usual="Files that people send differ in size; {least:,} within {per_cent:.0f} % of each other in "
        "{window_text} are the limit. {user} sent {pieces:,} of about {size_text} to {destination}, "
        "about {total_text} in all.",
        benign=(
            "a camera or recorder that uploads segments of a fixed length",
            "a backup or installer that is split into volumes on purpose",
            "an upload client that shows its parts as files",
        ),
        next_steps=(
            "See whether the names count up. If so, fetch the pieces to a safe place, join them and see what they are.",
            "Look for a new file of about {total_text} on the machine of {user}: that is what was cut up.",
            "Find out whose {destination} is, and whether {user} sent there before.",
            "If nobody can explain it, stop the transfer, keep the pieces, and lock the account.",
        ),
        commands=(
            "large_files_of_user",
            "processes_of_user",
            "files_beside",
            "logins_of_user",
        ),
        would_change=(
            "harmless if the sender is a camera, a recorder or a backup that always writes pieces of {size_text}",
            "worse if the joined pieces are an encrypted archive or a database",
            "worse if {destination} is outside and new for {user}",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Uploads and copies of some size that did not fail."""
        sent = rows.is_value("action", "upload") | rows.is_value("action", "copy")
        return np.asarray(
            sent & (rows.integers("bytes") >= self.p.floor) & ~rows.is_value("outcome", "failure"), dtype=np.bool_
        )

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Compare each file with the last ones to its destination."""
        destinations = rows.column("destination").gather(at)
        reports = near_equal.compare(
            state,
            AmountRows(
                sub_keys(rows.key(*self.key)[at], text_keys(destinations.fill_null(""))),
                rows.time_us[at],
                rows.integers("bytes")[at],
                rows.addresses()[at],
            ),
            near_equal.Rules(self.p.pieces, self.p.per_mille, int(self.p.window_s * 1e6), int(self.idle_s() * 1e6)),
        )
        found = at[reports.at]
        n = len(found)
        return Findings(
            at=found,
            details={
                "pieces": reports.total,
                "size": rows.integers("bytes")[found],
                "size_text": size_texts(rows.integers("bytes")[found]),
                "total_text": size_texts(reports.total * rows.integers("bytes")[found]),
                "window_text": [time_text(self.p.window_s)] * n,
                "destination": [text or "its server" for text in destinations.gather(reports.at).to_list()],
                "file": rows.column("path").gather(found).to_list(),
                "least": np.full(n, self.p.pieces),
                "per_cent": np.full(n, self.p.per_mille / 10),
            },
            evidence=reports.evidence,
        )

    def idle_s(self) -> float:
        """The pause after which it is news, at least a window."""
        return max(self.p.quiet_s, self.p.window_s)


DETECTOR = EqualChunks
