"""What the desk asks about what feeds it: the daemon, its streams, rejects, gaps and detectors."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, case, func, select

from livesec.core.anomaly import Maturity
from livesec.store import tables as t

MAX_ROWS = 200
SILENT_AFTER_S = 15.0
"""The daemon gives a sign of life every 2 s; after this long without one it is called silent."""
SURE_ALIVE_S = 5.0
"""A sign of life this fresh needs no second witness: the daemon may run where its process cannot be seen."""
READ_ON = frozenset({"active", "rotated", "error"})
"""States of a stream of which more may be read."""

LEARNED_ANEW = "learned_anew:"
"""Start of the keys of health rows that say which component lost its saved state."""

MATURITY = "maturity"
"""Key of the health row that says how many entities each detector knows well enough."""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


@dataclass(frozen=True, slots=True)
class DaemonHealth:
    """The daemon's last sign of life."""

    pid: int
    version: str
    started_us: int
    beat_us: int
    """Wall clock of the last sign."""
    watcher: str
    sources: int
    last_commit_us: int | None
    stopped: bool
    watcher_rebuilt: int = 0
    """Times that dead event threads were found and replaced."""
    watcher_overflows: int = 0
    """Times that events were lost and everything was looked at instead."""
    commit_problem: str | None = None
    """Why the store could not be written at the last sign of life."""
    wal_held_since_us: int | None = None
    """Since when a reader keeps the write-ahead log from being emptied."""
    settings_problem: str | None = None
    """Why changed settings are not in use."""
    lookup_data: str = ""
    """Sources and dates of the data that addresses are looked up in."""

    def is_alive(self, now_us: int) -> bool:
        """Whether it gave a sign of life not long ago and, where that is some beats old, its process still exists."""
        silent_s = self.silent_for_s(now_us)
        if self.stopped or silent_s > SILENT_AFTER_S:
            return False
        return silent_s < SURE_ALIVE_S or _exists(self.pid)

    def silent_for_s(self, now_us: int) -> float:
        """Seconds since the last sign of life."""
        return max(0, now_us - self.beat_us) / 1e6


@dataclass(frozen=True, slots=True)
class StreamHealth:
    """A stream, how far it was read, and what is left."""

    path: str
    kind: str
    generation: int
    format: str | None
    state: str
    error: str | None
    offset: int
    size: int | None
    """As the file is now, where that can be seen; else as the daemon last saw it."""
    oldest_unread_us: int | None

    @property
    def behind_bytes(self) -> int:
        """Bytes not yet committed; 0 for what is done with, and where the size is unknown (a journal)."""
        return max(0, (self.size or 0) - self.offset) if self.state in READ_ON else 0


@dataclass(frozen=True, slots=True)
class RejectCount:
    """Lines of a stream that could not be used, by reason."""

    path: str
    reason: str
    lines: int


@dataclass(frozen=True, slots=True)
class RejectSample:
    """One such line."""

    path: str
    offset: int
    reason: str
    line: bytes


@dataclass(frozen=True, slots=True)
class LearnedAnew:
    """A part of the engine whose saved state could not be used, so that it knows nothing from before."""

    component: str
    """As `detector:bf_fast` or `parser:` and a stream's number."""
    reason: str
    since_us: int


@dataclass(frozen=True, slots=True)
class GapRow:
    """Bytes that may have been lost."""

    path: str
    start_offset: int | None
    end_offset: int | None
    reason: str
    committed_us: int


@dataclass(frozen=True, slots=True)
class DetectorCoverage:
    """What share of its log type's rows a detector could judge, what it found, and how well it knows its entities."""

    detector: str
    rows: int
    judged: int
    findings: int
    entities: int
    mature: int | None = None
    """Entities with the history that it asks for, of `known`; None where nobody has counted yet."""
    known: int | None = None

    @property
    def share(self) -> float:
        """Judged rows over rows, 0 to 1; 0 where it saw none."""
        return self.judged / self.rows if self.rows else 0.0

    @property
    def mature_share(self) -> float | None:
        """Of its entities, those with enough history, 0 to 1; None where it has none."""
        return self.mature / self.known if self.mature is not None and self.known else None

    @property
    def maturity(self) -> str:
        """`working` once it judges somebody by what it needs for that, before that `learning`."""
        return "working" if self.judged and self.mature != 0 else "learning"


def maturity_value(counted: Mapping[str, Maturity]) -> dict[str, list[int]]:
    """What the health row MATURITY holds: (mature, known) by detector."""
    return {name: [item.mature, item.keys] for name, item in counted.items()}


def daemon_health(connection: Connection) -> DaemonHealth | None:
    """The daemon's last sign of life, or None where none was ever given."""
    text = connection.execute(select(t.health.c.value).where(t.health.c.key == "daemon")).scalar()
    if text is None:
        return None
    value = json.loads(text)
    last_commit = value.get("last_commit_us")
    return DaemonHealth(
        pid=int(value.get("pid", 0)),
        version=str(value.get("version", "unknown")),
        started_us=int(value.get("started_us", 0)),
        beat_us=int(value.get("beat_us", 0)),
        watcher=str(value.get("watcher", "unknown")),
        sources=int(value.get("sources", 0)),
        last_commit_us=None if last_commit is None else int(last_commit),
        stopped=bool(value.get("stopped", False)),
        watcher_rebuilt=int(value.get("watcher_rebuilt", 0)),
        watcher_overflows=int(value.get("watcher_overflows", 0)),
        commit_problem=value.get("commit_problem"),
        wal_held_since_us=value.get("wal_held_since_us"),
        settings_problem=value.get("settings_problem"),
        lookup_data=str(value.get("lookup_data", "")),
    )


def _file_now(row: Any) -> tuple[int | None, int | None]:
    """(size, time of the last change in us) as they are now: a silent daemon no longer sees its files grow.

    Where the file cannot be seen, or is another one: the size that the daemon saw, and no time.
    """
    try:
        found = os.stat(row.path)
    except (OSError, ValueError):  # a path with a zero byte is a ValueError
        return cast("int | None", row.size), None
    if row.kind == "file" and (found.st_dev, found.st_ino) == (row.device, row.inode):
        return found.st_size, found.st_mtime_ns // 1000
    return cast("int | None", row.size), None


def _unread_since(connection: Connection) -> dict[int, int]:
    """When the daemon first saw unread bytes of the streams that were behind at its last sign of life, by stream id."""
    text = connection.execute(select(t.health.c.value).where(t.health.c.key == "unread")).scalar()
    return {} if text is None else {int(stream_id): int(since_us) for stream_id, since_us in json.loads(text).items()}


def _stream_health(row: Any, since_us: int | None) -> StreamHealth:
    size, changed_us = _file_now(row)
    is_behind = row.state in READ_ON and (size or 0) > row.offset
    return StreamHealth(
        path=row.path,
        kind=row.kind,
        generation=row.generation,
        format=row.format,
        state=row.state,
        error=row.error,
        offset=row.offset,
        size=size,
        # What the daemon has not seen yet is at least as old as the file's last change.
        oldest_unread_us=(row.oldest_unread_us or since_us or changed_us) if is_behind else None,
    )


def stream_health(connection: Connection) -> list[StreamHealth]:
    """Every stream, those that are behind first; at most MAX_ROWS."""
    columns = t.streams.c
    behind = func.coalesce(columns.size, 0) - columns.offset
    since_us = _unread_since(connection)
    rank = case((columns.stream_id.in_(since_us), 0), (columns.state.in_(READ_ON), 1), else_=2)
    statement = select(t.streams).order_by(rank, behind.desc(), columns.path, columns.stream_id).limit(MAX_ROWS)
    return [_stream_health(row, since_us.get(row.stream_id)) for row in connection.execute(statement)]


def bytes_behind(streams: Sequence[StreamHealth]) -> tuple[int, int | None]:
    """Bytes behind over all `streams`, and when the oldest of them were first seen (None where none are)."""
    late = [stream for stream in streams if stream.behind_bytes]
    seen = [stream.oldest_unread_us for stream in late if stream.oldest_unread_us is not None]
    return sum(stream.behind_bytes for stream in late), min(seen, default=None)


def reject_counts(connection: Connection) -> list[RejectCount]:
    """Rejected lines by stream and reason, the most first; at most MAX_ROWS."""
    statement = (
        select(t.streams.c.path, t.reject_counts.c.reason, t.reject_counts.c.lines)
        .select_from(t.reject_counts.outerjoin(t.streams, t.streams.c.stream_id == t.reject_counts.c.stream_id))
        .order_by(t.reject_counts.c.lines.desc())
        .limit(MAX_ROWS)
    )
    return [RejectCount(row.path or "unknown", row.reason, row.lines) for row in connection.execute(statement)]


def reject_samples(connection: Connection, limit: int = 20) -> list[RejectSample]:
    """Some rejected lines, of the newest streams first."""
    statement = (
        select(t.streams.c.path, t.rejects.c.offset, t.rejects.c.reason, t.rejects.c.line)
        .select_from(t.rejects.outerjoin(t.streams, t.streams.c.stream_id == t.rejects.c.stream_id))
        .order_by(t.rejects.c.stream_id.desc(), t.rejects.c.offset.desc())
        .limit(min(limit, MAX_ROWS))
    )
    return [
        RejectSample(row.path or "unknown", row.offset, row.reason, row.line) for row in connection.execute(statement)
    ]


def gap_rows(connection: Connection) -> list[GapRow]:
    """Gaps, the latest first; at most MAX_ROWS."""
    statement = (
        select(*(t.gaps.c[name] for name in GapRow.__dataclass_fields__)).order_by(t.gaps.c.gap.desc()).limit(MAX_ROWS)
    )
    return [GapRow(**row._mapping) for row in connection.execute(statement)]


def gap_count(connection: Connection) -> int:
    """How many gaps there are in all."""
    return connection.execute(select(func.count()).select_from(t.gaps)).scalar_one()


def learned_anew(connection: Connection) -> list[LearnedAnew]:
    """What lost its saved state in the life of the store, the latest first; at most MAX_ROWS."""
    rows = connection.execute(select(t.health).where(t.health.c.key.startswith(LEARNED_ANEW, autoescape=True)))
    found = [LearnedAnew(row.key.removeprefix(LEARNED_ANEW), **json.loads(row.value)) for row in rows]
    return sorted(found, key=lambda item: (-item.since_us, item.component))[:MAX_ROWS]


def stream_count(connection: Connection) -> int:
    """How many streams more may be read of."""
    known = select(func.count()).select_from(t.streams).where(t.streams.c.state.in_(READ_ON))
    return connection.execute(known).scalar_one()


def coverage_rows(connection: Connection) -> list[DetectorCoverage]:
    """Every detector, those with findings first."""
    statement = select(t.coverage).order_by(t.coverage.c.findings.desc(), t.coverage.c.detector).limit(MAX_ROWS)
    text = connection.execute(select(t.health.c.value).where(t.health.c.key == MATURITY)).scalar()
    counted: dict[str, list[int]] = {} if text is None else json.loads(text)
    return [
        DetectorCoverage(**row._mapping, mature=mature, known=known)
        for row in connection.execute(statement)
        for mature, known in [counted.get(row.detector, (None, None))]
    ]
