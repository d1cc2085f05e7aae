"""What the desk asks about what feeds it: the daemon, its streams, rejects, gaps and detectors."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, func, select

from livesec.store import tables as t

MAX_ROWS = 200
READ_ON = frozenset({"active", "rotated", "error"})
"""States of a stream of which more may be read."""


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
class GapRow:
    """Bytes that may have been lost."""

    path: str
    start_offset: int | None
    end_offset: int | None
    reason: str
    committed_us: int


@dataclass(frozen=True, slots=True)
class DetectorCoverage:
    """What share of its log type's rows a detector could judge, and what it found."""

    detector: str
    rows: int
    judged: int
    findings: int
    entities: int

    @property
    def share(self) -> float:
        """Judged rows over rows, 0 to 1; 0 where it saw none."""
        return self.judged / self.rows if self.rows else 0.0


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
    )


def _size_now(row: Any) -> int | None:
    """A daemon that is silent no longer sees its files grow; the desk does."""
    try:
        found = os.stat(row.path)
    except (OSError, ValueError):  # a path with a zero byte is a ValueError
        return cast("int | None", row.size)
    same = row.kind == "file" and (found.st_dev, found.st_ino) == (row.device, row.inode)
    return found.st_size if same else cast("int | None", row.size)


def stream_health(connection: Connection) -> list[StreamHealth]:
    """Every stream, those that are behind first; at most MAX_ROWS."""
    columns = t.streams.c
    behind = func.coalesce(columns.size, 0) - columns.offset
    statement = select(t.streams).order_by(behind.desc(), columns.path, columns.stream_id).limit(MAX_ROWS)
    return [
        StreamHealth(
            path=row.path,
            kind=row.kind,
            generation=row.generation,
            format=row.format,
            state=row.state,
            error=row.error,
            offset=row.offset,
            size=_size_now(row),
            oldest_unread_us=row.oldest_unread_us,
        )
        for row in connection.execute(statement)
    ]


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


def coverage_rows(connection: Connection) -> list[DetectorCoverage]:
    """Every detector, those with findings first."""
    names = DetectorCoverage.__dataclass_fields__
    statement = (
        select(*(t.coverage.c[name] for name in names))
        .order_by(t.coverage.c.findings.desc(), t.coverage.c.detector)
        .limit(MAX_ROWS)
    )
    return [DetectorCoverage(**row._mapping) for row in connection.execute(statement)]
