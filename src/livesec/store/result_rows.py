"""The rows that the results of a batch become, within the writer's transaction."""

from __future__ import annotations

from dataclasses import asdict
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Dialect, delete, func, select

from livesec.core.anomaly import NEW, Anomaly, BatchResult, Incident
from livesec.core.clock import now_us
from livesec.core.json_text import json_text
from livesec.store import tables as t
from livesec.store.evidence import pack_evidence
from livesec.store.statements import (
    ADD_COUNTS,
    ADD_COVERAGE,
    ADD_REJECTS,
    ADD_TOTALS,
    ANOMALY_COLUMNS,
    INCIDENT_COLUMNS,
    JOIN_INCIDENT,
    NEW_IN_OUTBOX,
    NEW_RECENT,
    NEW_REJECT,
    PUT_INCIDENT,
    PUT_RISK,
    Bulk,
    put_many,
    upsert,
)

_RISK_COLUMNS = ("entity_type", "entity", "risk", "time_us", "anomalies")
_RISK_VALUES = attrgetter(*_RISK_COLUMNS)
_COVERAGE_COLUMNS = ("detector", "rows", "judged", "findings", "entities")
_COVERAGE_VALUES = attrgetter(*_COVERAGE_COLUMNS[1:])


class ResultRows:
    """Puts results.

    Parameters
    ----------
    recent_events : events kept per log type for the desk's live streams
    reject_samples : rejected lines that may still be kept
    """

    def __init__(self, dialect: Dialect, *, recent_events: int, reject_samples: int) -> None:
        self._recent_events = recent_events
        self._reject_samples = max(0, reject_samples)
        self._new_anomaly = Bulk(upsert(t.anomalies, ["id"], []), ANOMALY_COLUMNS, dialect)
        self._put_incident = Bulk(PUT_INCIDENT, INCIDENT_COLUMNS, dialect)
        self._join_incident = Bulk(JOIN_INCIDENT, ("incident", "member"), dialect)
        self._put_risk = Bulk(PUT_RISK, _RISK_COLUMNS, dialect)
        self._new_recent = Bulk(NEW_RECENT, ("log_type", "time_us", "stream_id", "offset", "fields"), dialect)
        self._add_coverage = Bulk(ADD_COVERAGE, _COVERAGE_COLUMNS, dialect)
        self._add_totals = Bulk(ADD_TOTALS, ("name", "value"), dialect)
        self._add_counts = Bulk(ADD_COUNTS, ("log_type", "minute_us", "events"), dialect)

    def put(self, connection: Connection, result: BatchResult, *, alerting: bool) -> None:
        """Store everything in `result`; `alerting`: its anomalies go to the outbox, but for historical ones."""
        if result.anomalies:
            self._put_anomalies(connection, result, alerting=alerting)
        latest = {(risk.entity_type, risk.entity): risk for risk in result.risks}
        self._put_risk.execute(connection, [_RISK_VALUES(risk) for risk in latest.values()])
        self._put_rejects(connection, result)
        self._add_counts.execute(
            connection,
            [(str(log_type), minute_us, events) for (log_type, minute_us), events in result.minute_counts.items()],
        )
        totals = {
            "lines": result.lines,
            "consumed": result.consumed,
            "skipped": result.skipped,
            "rejects": result.rejected,
            "events": result.events,
            "anomalies": len(result.anomalies),
        }
        self._add_totals.execute(connection, [(name, value) for name, value in totals.items() if value])
        self._add_coverage.execute(
            connection, [(name, *_COVERAGE_VALUES(detector)) for name, detector in result.detectors.items()]
        )
        self._put_recent(connection, result)

    def committed(self, result: BatchResult) -> None:
        """The transaction that `result` was put in succeeded; not called for one that is tried again."""
        self._reject_samples = max(0, self._reject_samples - len(result.rejects))

    def _put_anomalies(self, connection: Connection, result: BatchResult, *, alerting: bool) -> None:
        known = connection.execute(select(func.coalesce(func.max(t.anomalies.c.number), 0))).scalar_one()
        committed_us = now_us()
        self._new_anomaly.execute(connection, [_anomaly_row(item, committed_us) for item in result.anomalies])
        latest = {incident.id: incident for incident in result.incidents}
        self._put_incident.execute(connection, [_incident_row(incident) for incident in latest.values()])
        placed = {anomaly.id for anomaly in result.anomalies if anomaly.incident_id is not None}
        self._join_incident.execute(
            connection,
            [
                (incident.id, member)
                for incident in result.incidents
                for member in incident.anomaly_ids
                if member not in placed
            ],
        )
        if alerting:
            connection.execute(NEW_IN_OUTBOX, {"known": known})

    def _put_rejects(self, connection: Connection, result: BatchResult) -> None:
        put_many(
            connection,
            ADD_REJECTS,
            [
                {"stream_id": stream_id, "reason": reason, "lines": lines}
                for (stream_id, reason), lines in result.reject_counts.items()
            ],
        )
        samples = result.rejects[: self._reject_samples]
        put_many(connection, NEW_REJECT, [asdict(line) for line in samples])

    def _put_recent(self, connection: Connection, result: BatchResult) -> None:
        if not result.recent:
            return
        self._new_recent.execute(
            connection,
            [
                (event.log_type.value, event.time_us, event.stream_id, event.offset, event.fields)
                for event in result.recent
            ],
        )
        for log_type in {event.log_type for event in result.recent}:
            keep = (
                select(t.recent_events.c.number)
                .where(t.recent_events.c.log_type == str(log_type))
                .order_by(t.recent_events.c.number.desc())
                .limit(1)
                .offset(self._recent_events)
                .scalar_subquery()
            )
            connection.execute(
                delete(t.recent_events).where(
                    t.recent_events.c.log_type == str(log_type), t.recent_events.c.number <= keep
                )
            )


def _anomaly_row(anomaly: Anomaly, committed_us: int) -> tuple[Any, ...]:
    """In the order of ANOMALY_COLUMNS."""
    return (
        anomaly.id,
        anomaly.time_us,
        anomaly.type,
        anomaly.log_type.value,
        anomaly.severity.value,
        anomaly.score,
        anomaly.entity_type,
        anomaly.entity,
        anomaly.user,
        anomaly.src_ip,
        anomaly.dst_ip,
        anomaly.host,
        anomaly.description,
        json_text(anomaly.details),
        json_text(anomaly.techniques),
        anomaly.reason,
        anomaly.confidence,
        anomaly.explanation.to_json(),
        pack_evidence(anomaly.evidence),
        anomaly.status,
        anomaly.incident_id,
        anomaly.historical,
        committed_us,
    )


def _incident_row(incident: Incident) -> tuple[Any, ...]:
    """In the order of INCIDENT_COLUMNS."""
    return (
        incident.id,
        incident.title,
        incident.severity.value,
        incident.score,
        incident.first_us,
        incident.last_us,
        incident.anomalies,
        json_text(incident.entities),
        json_text(incident.tactics),
        json_text(incident.types),
        NEW,
    )
