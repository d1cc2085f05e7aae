"""Reads an incident and its worst anomalies, for a note about it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from livesec.core.explanation import Explanation
from livesec.core.incident_member import IncidentMember
from livesec.store import tables as t

MOST_MEMBERS = 50


def incident_members(connection: Connection, incident_id: str, limit: int = MOST_MEMBERS) -> list[IncidentMember]:
    """The worst first, of the same score the earliest first: as `explain.incident_note` cites them. At most `limit`."""
    columns = t.anomalies.c
    statement = (
        select(
            columns.id,
            columns.time_us,
            columns.type,
            columns.severity,
            columns.score,
            columns.description,
            columns.explanation,
        )
        .where(columns.incident_id == incident_id)
        .order_by(columns.score.desc(), columns.time_us, columns.id)
        .limit(limit)
    )
    return [
        IncidentMember(**{**row._mapping, "explanation": Explanation.from_json(row.explanation)})
        for row in connection.execute(statement)
    ]
