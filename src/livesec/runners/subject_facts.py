"""The facts of an anomaly or incident, from the store and from what its detector says about such findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from sqlalchemy import Connection

from livesec.core.anomaly import Anomaly
from livesec.core.commands import Platform
from livesec.explain.facts import ENTITIES, Facts, facts_of_anomaly, facts_of_incident
from livesec.explain.incident_note import MOST_CITED
from livesec.explain.stored_notes import stored_note
from livesec.pipeline.assembly import all_formats, correlator_classes, detector_classes
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import incident_row
from livesec.store.stored_anomalies import anomaly_of_id, format_of_stream
from livesec.store.subjects import INCIDENT, Subject


def facts_of(connection: Connection, subject: Subject, format_files: tuple[str, ...] = ()) -> Facts | None:
    """The facts of `subject`; None where it is no longer in the store."""
    if subject.kind == INCIDENT:
        return _of_incident(connection, subject.id, format_files)
    anomaly = anomaly_of_id(connection, subject.id)
    return None if anomaly is None else _of_anomaly(connection, anomaly, format_files)


def _of_anomaly(connection: Connection, anomaly: Anomaly, format_files: tuple[str, ...]) -> Facts:
    judge = detector_classes().get(anomaly.type) or correlator_classes().get(anomaly.type)
    return facts_of_anomaly(
        anomaly_id=anomaly.id,
        detector=anomaly.type,
        severity=str(anomaly.severity),
        score=anomaly.score,
        time_us=anomaly.time_us,
        entities={name: getattr(anomaly, name) for name in ENTITIES},
        details=anomaly.details,
        evidence=[line.line for line in anomaly.evidence],
        techniques=anomaly.techniques,
        written=anomaly.explanation,
        summary="" if judge is None else judge.summary,
        guidance=None if judge is None else judge.guidance,  # a type of an earlier version: asked about as it is
        platform=_platform(connection, anomaly, format_files),
    )


def _of_incident(connection: Connection, incident_id: str, format_files: tuple[str, ...]) -> Facts | None:
    incident = incident_row(connection, incident_id)
    if incident is None:
        return None
    worst = [anomaly_of_id(connection, item.id) for item in incident_members(connection, incident_id, MOST_CITED)]
    facts = facts_of_incident(
        incident_id=incident.id,
        severity=incident.severity,
        score=incident.score,
        time_us=incident.first_us,
        members=[_of_anomaly(connection, anomaly, format_files) for anomaly in worst if anomaly is not None],
        entities=incident.entities,
        written=stored_note(connection, incident),
    )
    return replace(
        facts, values=MappingProxyType({**facts.values, "anomalies": incident.anomalies})
    )  # not all are read


def _platform(connection: Connection, anomaly: Anomaly, format_files: tuple[str, ...]) -> Platform:
    if not anomaly.evidence:
        return Platform.UNIX
    name = format_of_stream(connection, anomaly.evidence[-1].stream_id)
    return _platforms(format_files).get(name or "", Platform.UNIX)


@lru_cache(maxsize=2)
def _platforms(format_files: tuple[str, ...]) -> Mapping[str, Platform]:
    return MappingProxyType({form.name: form.platform for form in all_formats(format_files)})
