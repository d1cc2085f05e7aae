"""The notes of the incidents in a store: written from their anomalies whenever somebody reads them.

Exported with a model's words where it has given some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from livesec.core.explanation import Explanation
from livesec.explain.incident_note import write_incident
from livesec.store.explanations import shown_explanation
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import IncidentRow, all_incidents


def stored_note(connection: Connection, incident: IncidentRow) -> Explanation:
    """The deterministic note of `incident` from its worst anomalies."""
    return write_incident(incident, incident_members(connection, incident.id))


def note_records(connection: Connection) -> Iterator[dict[str, Any]]:
    """The notes of all incidents as records of `livesec export --table explanations`, in the order of incidents."""
    for incident in all_incidents(connection):
        note = shown_explanation(connection, incident.id, stored_note(connection, incident))
        yield {"anomaly_id": None, **asdict(note), "subject_kind": "incident", "subject_id": incident.id}
