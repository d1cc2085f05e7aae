"""What the desk asks about the health of what feeds it: the daemon, its streams, rejects, gaps and detectors."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from livesec.store import tables as t

MAX_ROWS = 200


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
    oldest_unread_us: int | None

    @property
    def behind_bytes(self) -> int:
        """Bytes seen and not yet committed; 0 where the size is unknown (a journal)."""
        return max(0, (self.size or 0) - self.offset)


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


def stream_health(connection: Connection) -> list[StreamHealth]:
    """Every stream, those that are behind first; at most MAX_ROWS."""
    behind = func.coalesce(t.streams.c.size, 0) - t.streams.c.offset
    statement = (
        select(*(t.streams.c[name] for name in StreamHealth.__dataclass_fields__))
        .order_by(behind.desc(), t.streams.c.path, t.streams.c.stream_id)
        .limit(MAX_ROWS)
    )
    return [StreamHealth(**row._mapping) for row in connection.execute(statement)]


def bytes_behind(connection: Connection) -> tuple[int, int | None]:
    """Bytes behind over all streams, and when the oldest unread ones were first seen (None when none are unread)."""
    streams = t.streams.c
    unread = select(func.coalesce(func.sum(streams.size - streams.offset), 0), func.min(streams.oldest_unread_us))
    behind, oldest_us = connection.execute(unread.where(streams.size > streams.offset)).one()
    return int(behind), None if oldest_us is None else int(oldest_us)


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
