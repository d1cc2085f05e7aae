"""What can be explained: an anomaly or an incident, by its id or the beginning of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from livesec.core.severity import SEVERITIES, Severity
from livesec.store import tables as t

ANOMALY, INCIDENT = "anomaly", "incident"


@dataclass(frozen=True, slots=True)
class Subject:
    """An anomaly or incident, as far as its turn depends on it."""

    id: str
    kind: str
    """ANOMALY or INCIDENT."""
    severity: int
    """0 low to 3 critical."""
    score: float
    number: int
    """Of the anomaly, or of an incident's latest."""
    members: int = 1


def severity_rank(severity: str) -> int:
    """0 low to 3 critical."""
    return SEVERITIES.index(Severity(severity))


def find_subject(connection: Connection, subject_id: str) -> Subject | None:
    """The anomaly or incident of this id, or None."""
    columns = t.anomalies.c
    row = connection.execute(
        select(columns.severity, columns.score, columns.number).where(columns.id == subject_id)
    ).first()
    if row is not None:
        return Subject(subject_id, ANOMALY, severity_rank(row.severity), row.score, row.number)
    found = incident_subjects(connection, [subject_id])
    return found[0] if found else None


def incident_subjects(connection: Connection, ids: list[str]) -> list[Subject]:
    """The incidents of these ids that are there."""
    columns = t.incidents.c
    latest = select(func.max(t.anomalies.c.number)).where(t.anomalies.c.incident_id == columns.id).scalar_subquery()
    rows = connection.execute(
        select(columns.id, columns.severity, columns.score, columns.anomalies, latest.label("number")).where(
            columns.id.in_(ids)
        )
    )
    return [
        Subject(row.id, INCIDENT, severity_rank(row.severity), row.score, row.number or 0, row.anomalies)
        for row in rows
    ]


def ids_beginning_with(connection: Connection, prefix: str, at_most: int = 5) -> list[str]:
    """Ids of anomalies and incidents that begin so; one that is whole comes alone."""
    found: list[str] = []
    for table in (t.anomalies, t.incidents):
        begins = select(table.c.id).where(table.c.id.startswith(prefix, autoescape=True))
        found += [str(row.id) for row in connection.execute(begins.order_by(table.c.id).limit(at_most))]
    return [prefix] if prefix in found else found[:at_most]
