"""Ransomware at work: one account gives many files the same new ending, or renames and deletes many, within a minute.

Sees files that get one strange ending behind or instead of their own (`report.pdf.crypt`), counted per account and
ending; that is what encryption of a share looks like, and it counts fully. Renames and deletions of other kinds count
together and low, since clearing out a folder looks the same. Misses what encrypts in place or slower than the limit,
and a new name of random letters for each file. Nothing is learnt, so nobody can train it by starting slowly; but
staying below the limit for ever is possible. Endings that archives, backups and editors give are no strange ones.
Source: DETECTIONS' 50 a minute; the behaviour of ransomware as in Elastic's and Splunk's rules for T1486.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.baselines import nth_in_window
from livesec.baselines.sub_keys import sub_keys
from livesec.core.finding import Findings
from livesec.core.hashing import text_keys
from livesec.core.human_units import time_text, time_texts
from livesec.core.protocols import Detector, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.state import KeyedState

DEFAULT_FILES = 50
PLAIN_CONFIDENCE = 0.35  # our choice: a cleared folder is worth a note, no alert
NEW_ENDING, MANY = "new_ending", "many"

_ENDING = r"\.([^./\\ ]{1,24})$"
_BEFORE = r"\.([^./\\ ]{1,24})\.[^./\\ ]{1,24}$"
_USUAL = """
7z ai apk asc avi avif bak bat bin bmp bz2 c cab cer cfg class conf cpp crt cs css csv dat db deb dll dmg doc docm docx
dot dotx dump eml eps epub exe flac fla gif gpg gz h heic hpp htm html ico iso jar java jpeg jpg js json jsonl key ldf
log lz4 m4a m4v md mdb mdf mkv mov mp3 mp4 mpeg mpg msg msi odp ods odt old ogg orig otf part pdf pem php pl png pot
potx pps ppsx ppt pptx ps psd pst py rar raw rb rpm rst rtf sav sh sig so sql sqlite svg swf swp tar tbz tgz tif tiff
tmp torrent ts ttf txt vhd vhdx vmdk vsd vsdx wav webm webp wma wmv woff woff2 xls xlsb xlsm xlsx xml xps xz yaml yml
zip zst crdownload download filepart new save 0 1 2 3 4 5 6 7 8 9 001 002
"""
USUAL_ENDINGS = frozenset(_USUAL.split())


@dataclass(frozen=True)
class Params:
    """How many files within which time."""

    files: int = param(DEFAULT_FILES, "files", "DETECTIONS: 50 a minute", minimum=5, maximum=nth_in_window.MOST_EVENTS)
    window_s: float = param(60.0, "s", "DETECTIONS: 50 a minute", minimum=1)
    quiet_s: float = param(3600.0, "s", "our choice: an hour's pause makes it another time", minimum=60)


class MassChange(Detector[Params]):
    """The n-th changed file of a user and new ending, or of a user, within a sliding window."""

    name = "mass_change"
    log_type = LogType.FILE_TRANSFER
    key = ("user",)
    needs = ("action", "path")
    technique = ("T1486",)
    base_severity = 99
    columns = nth_in_window.columns(DEFAULT_FILES)
    params = Params
    max_keys = 1 << 15
    summary = "{user} changed {files:,} files within {span_s:,.0f} s ({ending}), last {file}"
    guidance = Guidance(
        meaning="Files are renamed or deleted faster than people do. Where all get one unknown ending, a "
        "program is encrypting them: every minute costs more files.",
        usual="A person changes fewer than {threshold:,} files within {window_text}; {user} changed "
        "{files:,} within {span_text}: {ending}.",
        benign=(
            "a clean-up, a sync client or a migration that moves whole folders",
            "a batch renaming of photos or documents",
            "log rotation or an archive job with an ending of its own",
        ),
        next_steps=(
            "Look at {file} and its neighbours: can they still be opened, and is there a note that asks for money?",
            "Find the machine from which {user} holds the share, and the program there that writes.",
            "Check that the backups of this share are out of that machine's reach; take them offline if they are not.",
            "If the files are encrypted, cut the session of {user} and that machine off the network at "
            "once, and leave it running: the key may be in its memory.",
        ),
        commands=(
            "share_of_user",
            "files_beside",
            "open_files_of_user",
            "snapshots",
        ),
        would_change=(
            "harmless if the changed files still open and {user} renamed or deleted them for a reason",
            "worse if a file with the same new name lies in many folders: a ransom note",
            "worse if other accounts or shares begin to show the same",
        ),
    )

    def initial(self) -> KeyedState:
        """A ring of as many times as files are needed."""
        return KeyedState(nth_in_window.columns(self.p.files), self.max_keys)

    def wants(self, rows: Rows) -> NDArray[np.bool_]:
        """Renames, moves and deletions that did not fail."""
        moved = rows.is_value("action", "rename") | rows.is_value("action", "move")
        return np.asarray((moved | rows.is_value("action", "delete")) & ~rows.is_value("outcome", "failure"))

    def step(self, state: KeyedState, rows: Rows, at: NDArray[np.int64]) -> Findings:
        """Count each change under its new ending, or under none."""
        endings = _strange_endings(rows.column("path").gather(at), rows.column("old_path").gather(at))
        reports = nth_in_window.count(
            state,
            sub_keys(rows.key(*self.key)[at], text_keys(endings.fill_null("/"))),  # no ending has a slash
            rows.time_us[at],
            np.ones(len(at), dtype=np.int64),
            rows.addresses()[at],
            window_s=self.p.window_s,
            quiet_s=self.p.quiet_s,
        )
        n = len(reports.at)
        ending = endings.gather(reports.at)
        is_new = ending.is_not_null().to_numpy()
        told = [f"all now end in .{text}" if text else "renamed or deleted" for text in ending.to_list()]
        found = at[reports.at]
        return Findings(
            at=found,
            details={
                "files": reports.total,
                "span_s": reports.span_s,
                "span_text": time_texts(reports.span_s),
                "ending": told,
                "file": rows.column("path").gather(found).to_list(),
                "threshold": np.full(n, self.p.files),
                "window_s": np.full(n, self.p.window_s),
                "window_text": [time_text(self.p.window_s)] * n,
            },
            evidence=reports.evidence,
            confidence=np.where(is_new, 1.0, PLAIN_CONFIDENCE),
            reasons=[NEW_ENDING if new else MANY for new in is_new.tolist()],
        )

    def idle_s(self) -> float:
        """The episode's pause, at least a window."""
        return nth_in_window.idle_s(window_s=self.p.window_s, quiet_s=self.p.quiet_s)


def _strange_endings(paths: pl.Series, old_paths: pl.Series) -> pl.Series:
    """The unknown ending that each file got behind or in place of a usual one, null where it got none."""
    usual = list(USUAL_ENDINGS)
    ending, old = (text.str.extract(_ENDING).str.to_lowercase() for text in (paths, old_paths))
    before = paths.str.extract(_BEFORE).str.to_lowercase()
    had = pl.select(pl.coalesce(old, before)).to_series()
    strange = ~ending.is_in(usual) & had.is_in(usual) & (ending != had)
    return pl.select(pl.when(strange.fill_null(False)).then(ending)).to_series()


DETECTOR = MassChange
