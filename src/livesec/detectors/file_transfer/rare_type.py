"""A kind of file, or a top folder, that an account never moved before.

A note rather than an alert: it counts together with what else the account does. Misses accounts with less than five
days and twenty active hours behind them; whoever makes new kinds usual slowly is reported with ever less confidence.
Statistics: baselines/first_seen, the account's own rate of news, for endings and for top folders apart. Source:
DETECTIONS (rarity).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines import first_seen, tails
from livesec.baselines.sub_keys import sub_keys
from livesec.core.finding import Findings
from livesec.core.hashing import number_keys, text_keys
from livesec.core.human_units import odds_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState
from livesec.detectors.file_transfer.large_file_transfer import moved

_ENDING = r"\.([^./\\ ]{1,24})$"
_FOLDER = r"^[/\\]*([^/\\]+)[/\\]"
_REASONS = ("ending", "folder")
KEPT = 32


@dataclass(frozen=True)
class Params:
    """How much must be known."""

    p_star: float = param(1e-3, "probability", "never medium: severity 2.1", minimum=1e-12, maximum=0.1)
    learn_s: float = param(5 * 86_400.0, "s", "Elastic: new terms within 5 days and more", minimum=0)
    learn_hours: int = param(20, "hours", "our choice: DETECTIONS' prior of about 20", minimum=1)
    quiet_s: float = param(86_400.0, "s", "our choice: a day's news are one episode", minimum=60)
    forget_s: float = param(90 * 86_400.0, "s", "our choice: a quarter's silence", minimum=86_400)


class RareType(Detector[Params]):
    """Endings and top folders of each user's files against those moved before."""

    name = "rare_type"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("path",)
    technique = ("T1570",)
    base_severity = 21
    columns = first_seen.columns(KEPT)
    statistical = True
    params = Params
    max_keys = 1 << 16
    summary = "{user} moved {file}: the first with the {what} {value}"
    guidance = Guidance(
        meaning="The account moves a kind of file, or works in a folder, that it never touched before.",
        usual="Different {what}s of the files that {user} moved in {hours:,} active hours: {values:,}. New "
        "ones before this, once the first days were over: {news:,}, so that one comes {odds_text} active hours.",
        benign=(
            "a new task or project",
            "a program that was installed or updated and writes files of its own",
            "a file that a colleague sent",
        ),
        next_steps=(
            "Find out whether {file} belongs to the work of {user}; programs, scripts and key files weigh "
            "more than documents.",
            "Look for others who got or sent the same file within the hour: tools are passed from machine to machine.",
            "Look at what else {user} did in this hour.",
            "If it is a program that nobody knows, keep a copy and its hash, and remove it before somebody starts it.",
        ),
        commands=(
            "content",
            "file",
            "logins_of_user",
        ),
        would_change=(
            "harmless if {file} is a document of a task that {user} was given",
            "worse if {file} is a program or script, or if its first bytes are not those of its ending",
            "worse if the same file reached other machines in the same hour",
        ),
    )

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Files that were moved."""
        return moved(rows)

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Let each user meet the ending and the folder of each file; a file is one finding at most."""
        paths = rows.column("path").gather(at)
        values = [paths.str.extract(pattern).str.to_lowercase() for pattern in (_ENDING, _FOLDER)]
        users = rows.key(*self.key)[at]
        keys = np.stack([sub_keys(users, number_keys(np.full(len(at), place))) for place in range(len(values))], axis=1)
        texts = np.stack([text_keys(value) for value in values], axis=1)
        told = np.flatnonzero(texts.ravel() != 0)
        row_of = told // len(values)
        found = first_seen.first_times(
            state,
            keys.ravel()[told],
            rows.time_us[at][row_of],
            texts.ravel()[told],
            learn_s=self.p.learn_s,
            learn_hours=self.p.learn_hours,
            quiet_s=self.p.quiet_s,
            forget_s=self.idle_s(),
        )
        places, first = np.unique(row_of[found.at], return_index=True)
        kinds = told[found.at][first] % len(values)
        log_p = np.log(found.p[first])
        return Findings(
            at=at[places],
            details={
                "what": [_REASONS[kind] for kind in kinds.tolist()],
                "value": [values[kind][place] for kind, place in zip(kinds.tolist(), places.tolist(), strict=True)],
                "file": paths.gather(pl.Series(places)).to_list(),
                "hours": found.hours[first],
                "values": found.known[first],
                "news": found.news[first],
                "one_in": tails.one_in(log_p),
                "odds_text": odds_texts(tails.one_in(log_p)),
            },
            confidence=tails.confidence(log_p, self.p.p_star),
            reasons=[_REASONS[kind] for kind in kinds.tolist()],
        )

    def idle_s(self) -> float:
        """The silence after which an account begins anew."""
        return max(self.p.forget_s, self.p.quiet_s)


DETECTOR = RareType
