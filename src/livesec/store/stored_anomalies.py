"""Anomalies read back as they were stored: for the mirror made anew, and for alerts that were not shown yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from livesec.core.anomaly import Anomaly
from livesec.core.explanation import Explanation
from livesec.core.schema import LogType
from livesec.core.severity import Severity
from livesec.store import tables as t
from livesec.store.evidence import unpack_evidence

_PAGE_ROWS = 1000
_UNKNOWN = -1  # a stored anomaly's place in the journalled order is not kept


def stored_anomaly(row: Row[Any]) -> Anomaly:
    """The anomaly of a whole row of `anomalies`."""
    return Anomaly(
        id=row.id,
        sequence=_UNKNOWN,
        time_us=row.time_us,
        type=row.type,
        log_type=LogType(row.log_type),
        severity=Severity(row.severity),
        score=row.score,
        entity_type=row.entity_type,
        entity=row.entity,
        user=row.user,
        src_ip=row.src_ip,
        dst_ip=row.dst_ip,
        host=row.host,
        description=row.description,
        details=json.loads(row.details),
        techniques=tuple(json.loads(row.techniques)),
        reason=row.reason,
        confidence=row.confidence,
        explanation=Explanation.from_json(row.explanation),
        evidence=tuple(unpack_evidence(row.evidence)),
        incident_id=row.incident_id,
        historical=bool(row.historical),
    )


def all_anomalies(connection: Connection) -> Iterator[list[Anomaly]]:
    """Every anomaly in the order of arrival, some at a time."""
    number = 0
    while True:
        after = select(t.anomalies).where(t.anomalies.c.number > number)
        rows = connection.execute(after.order_by(t.anomalies.c.number).limit(_PAGE_ROWS)).all()
        if not rows:
            return
        yield [stored_anomaly(row) for row in rows]
        number = rows[-1].number


@dataclass(frozen=True)
class WaitingAlerts:
    """What the outbox holds undelivered."""

    to_show: Sequence[Anomaly]
    """The latest of those asked for, oldest first."""
    passed_over: int
    """Severe enough, but too old or too many."""


def waiting_alerts(
    connection: Connection, severities: Sequence[Severity], *, since_us: int, at_most: int
) -> WaitingAlerts:
    """Undelivered alerts of `severities`, at most so many, stored at or after `since_us` (wall clock)."""
    waiting = t.outbox.join(t.anomalies, t.anomalies.c.id == t.outbox.c.anomaly_id)
    is_wanted = and_(t.outbox.c.delivered_us.is_(None), t.anomalies.c.severity.in_([item.value for item in severities]))
    count = connection.execute(select(func.count()).select_from(waiting).where(is_wanted)).scalar_one()
    is_recent = t.anomalies.c.committed_us >= since_us
    rows = connection.execute(
        select(t.anomalies)
        .select_from(waiting)
        .where(is_wanted, is_recent)
        .order_by(t.outbox.c.number.desc())
        .limit(at_most)
    ).all()
    return WaitingAlerts([stored_anomaly(row) for row in reversed(rows)], count - len(rows))


def anomaly_of_id(connection: Connection, anomaly_id: str) -> Anomaly | None:
    """One anomaly, or None where it is not in the store."""
    row = connection.execute(select(t.anomalies).where(t.anomalies.c.id == anomaly_id)).first()
    return None if row is None else stored_anomaly(row)


def format_of_stream(connection: Connection, stream_id: int) -> str | None:
    """The format of most of a stream's lines, as far as it is known."""
    found: str | None = connection.execute(
        select(t.streams.c.format).where(t.streams.c.stream_id == stream_id)
    ).scalar()
    return found
