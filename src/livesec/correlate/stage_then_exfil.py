"""Stage, then take: a user writes an archive and then sends something outside within the hour.

Sees data gathered into an archive (by a name's ending) that an account uploads, copies, moves or renames, and within
an hour an upload of the same account to an outside destination. Surest when the archive itself goes out. Misses
small hauls, archives under other names and those that are made where no log tells of it.

Of other files each is half of what is left to certainty. Reported at the first of a day and then on log growth.
Whoever packs and sends for a living does so every day: the i-th such day of an account counts 1 / i. A slow thief is
found at the first archive. Nothing else is learned. Source: ATT&CK T1560 (archive collected data) before T1567;
DETECTIONS "Across sources".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.external_transfers import external_destinations
from livesec.baselines.growth import GROWTH
from livesec.baselines.written_files import written
from livesec.core.clock import US_PER_DAY
from livesec.core.finding import Finding, Scalar
from livesec.core.human_units import time_text
from livesec.core.protocols import Correlator, Guidance, param
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.correlate.sequel import MAX_ENTITIES, Cause, Event, Memory, events, raised

ARCHIVE = r"(?i)\.(?:zip|7z|rar|tar|tgz|tbz2?|txz|cab|arj|zst|(?:tar\.)?(?:gz|xz|bz2))(?:\.(?:\d{3}|part\d+))?$"
OTHER_FILE = 0.5  # our choice: something else went out than the archive


@dataclass(frozen=True)
class Params:
    """What is outside, how much is worth a report, and for how long an archive is remembered."""

    destinations: tuple[str, ...] = external_destinations()
    window_s: float = param(3600.0, "s", "DETECTIONS: within 1 h", minimum=60)
    least_bytes: int = param(100_000_000, "bytes", "livesec seed: a large file", minimum=0)


class State:
    """Archives by user; what each user has sent after archives."""

    def __init__(self, name: str, window_s: float) -> None:
        self.archives = Memory(name, window_s)
        self.habits: dict[str, list[int]] = {}  # user to [days before, start of this one, sent in it, reports in it]


class StageThenExfil(Correlator[Params, State]):
    """Joins archives with the uploads that follow by the same user."""

    name = "stage_then_exfil"
    log_type = LogType.FILE_TRANSFER
    technique = ("T1560", "T1567")
    base_severity = 73
    params = Params
    summary = "{user} sent {file}, {sent_mb:,.0f} MB, to {destination} {since} after making the archive {archive}"
    guidance = Guidance(
        meaning="Data was gathered into an archive and something was sent outside soon after: how theft is prepared.",
        usual="{user} sent {sent_mb:,.0f} MB {since} after making an archive. Times today: {times:,}; earlier "
        "days with such: {days:,}. Told from {least_mb:,.0f} MB on, within {window} of the archive.",
        benign=(
            "a delivery to a customer or an agency, packed for it",
            "a backup job that packs and then sends",
            "somebody who clears a disk and moves old projects to the organisation's own storage outside",
        ),
        commands=("file", "logins_of_user", "open_files_of_user", "acts_of_user"),
        next_steps=(
            "What is in {archive}? Look at its table of contents, not at a copy you would have to protect.",
            "Whose is {destination}: the organisation's own storage, or a private one?",
            "Logins of {user} in the hours before: new address, country or hour?",
            "If nobody can explain it: lock the account, keep the logs, ask the provider to hold the data.",
        ),
        would_change=(
            "{archive} holds files that {user} does not work with, or was deleted right after: then it is theft",
            "a login of {user} from a new address or country in the hours before: then somebody else sends the data",
            "{destination} is the organisation's own, or a customer who waits for {file}: then it is harmless",
        ),
    )

    def initial(self) -> State:
        """Nobody has packed anything."""
        return State(self.name, self.p.window_s)

    def step(self, state: State, findings: Sequence[Finding], rows: Mapping[LogType, Rows]) -> list[Finding]:
        """A finding for the first upload to outside within the window after an archive."""
        files = rows.get(LogType.FILE_TRANSFER)
        if files is None:
            return []
        outside = self._outside(files)
        at = np.flatnonzero(outside | _archives(files))
        found: list[Finding] = []
        for item, is_sent in zip(events(files, at), outside[at].tolist(), strict=True):
            if is_sent:
                finding = self._judge(state, item)
                found += [finding] if finding is not None else []
            else:
                archive = Cause(str(item.path), item.stream_time_us, 1.0, (item.address,))
                state.archives.remember(str(item.user), archive)
        return found

    def _outside(self, rows: Rows) -> NDArray[np.bool_]:
        named = rows.is_any_spelt("destination", self.p.destinations)
        sent = rows.is_value("direction", "outbound") & ~rows.known("destination")
        large = rows.integers("bytes") >= self.p.least_bytes
        known = rows.known("user", "path") & ~rows.is_value("outcome", "failure")
        return np.asarray((named | sent) & large & known, dtype=np.bool_)

    def _judge(self, state: State, sent: Event) -> Finding | None:
        user = str(sent.user)
        archive = state.archives.causes.get(user)
        since_s = archive.since_s(sent.stream_time_us) if archive is not None else None
        if archive is None or since_s is None or since_s > self.p.window_s:
            return None
        del state.archives.causes[user]
        habit = self._habit(state, user, sent.stream_time_us)
        days, times, reports = habit[0], habit[2], habit[3]
        if times < GROWTH**reports:
            return None
        habit[3] += 1
        same = _name(str(sent.path)) == _name(archive.what)
        details: dict[str, Scalar] = {
            "archive": archive.what,
            "file": sent.path,
            "destination": sent.destination or "an outside address",
            "since_min": since_s / 60,
            "since": time_text(since_s),
            "sent_bytes": sent.bytes,
            "sent_mb": None if sent.bytes is None else sent.bytes / 1e6,
            "least_mb": self.p.least_bytes / 1e6,
            "window": time_text(self.p.window_s),
            "times": times,
            "days": days,
        }
        confidence = (1.0 if same else 1 - OTHER_FILE**times) / (days + 1)
        reason = "archive" if same else "other_file"
        return raised(self, sent, "user", user, reason, details, archive.evidence, confidence)

    @staticmethod
    def _habit(state: State, user: str, time_us: int) -> list[int]:
        """What the user has sent after archives, this one counted in."""
        habit = state.habits.pop(user, None) or [0, time_us, 0, 0]
        state.habits[user] = habit
        if time_us - habit[1] >= US_PER_DAY:
            habit[:] = [habit[0] + 1, time_us, 0, 0]
        habit[2] += 1
        if len(state.habits) > MAX_ENTITIES:
            del state.habits[next(iter(state.habits))]
        return habit

    def to_bytes(self, state: State) -> bytes:
        """JSON."""
        return json.dumps({"archives": state.archives.to_bytes().decode(), "habits": state.habits}).encode()

    def from_bytes(self, blob: bytes) -> State:
        """What `to_bytes` wrote."""
        saved = json.loads(blob)
        state = State(self.name, self.p.window_s)
        state.archives = Memory.from_bytes(self.name, self.p.window_s, saved["archives"].encode())
        state.habits = {user: list(habit) for user, habit in saved["habits"].items()}
        return state


def _archives(rows: Rows) -> NDArray[np.bool_]:
    """Archives written: uploads, copies, moves and renames that did not fail."""
    wanted = written(rows) & rows.known("user", "path")
    if not wanted.any():
        return wanted
    return np.asarray(wanted & rows.column("path").str.contains(ARCHIVE).fill_null(False).to_numpy(), dtype=np.bool_)


def _name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2].lower()


CORRELATOR = StageThenExfil
