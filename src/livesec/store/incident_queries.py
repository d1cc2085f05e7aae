"""What the desk asks about incidents."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from livesec.store import tables as t
from livesec.store.anomaly_queries import MAX_ROWS, TEXT_CHARACTERS


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident in a list."""

    id: str
    title: str
    severity: str
    score: float
    first_us: int
    last_us: int
    anomalies: int
    entities: Sequence[tuple[str, str]]
    tactics: Sequence[str]
    types: Sequence[str]
    status: str


def incident_rows(connection: Connection, limit: int = 100) -> list[IncidentRow]:
    """The one that grew last first, at most `limit` and MAX_ROWS."""
    statement = select(t.incidents).order_by(t.incidents.c.last_us.desc(), t.incidents.c.id).limit(min(limit, MAX_ROWS))
    return [_incident(row) for row in connection.execute(statement)]


def all_incidents(connection: Connection) -> Iterator[IncidentRow]:
    """Every incident, the one that began first first."""
    statement = select(t.incidents).order_by(t.incidents.c.first_us, t.incidents.c.id)
    for row in connection.execute(statement):
        yield _incident(row)


def _incident(row: Row[Any]) -> IncidentRow:
    return IncidentRow(
        id=row.id,
        title=row.title[:TEXT_CHARACTERS],
        severity=row.severity,
        score=row.score,
        first_us=row.first_us,
        last_us=row.last_us,
        anomalies=row.anomalies,
        entities=[(str(kind), str(name)) for kind, name in json.loads(row.entities)],
        tactics=json.loads(row.tactics),
        types=json.loads(row.types),
        status=row.status,
    )


def incident_row(connection: Connection, incident_id: str) -> IncidentRow | None:
    """One incident, or None where it is not in the store."""
    row = connection.execute(select(t.incidents).where(t.incidents.c.id == incident_id)).first()
    return None if row is None else _incident(row)
