"""What `livesec export` gives: rows of the store as plain dicts, in a fixed order of keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Engine, select

from livesec.core.clock import rfc3339
from livesec.core.explanation import Explanation
from livesec.store import tables as t
from livesec.store.evidence import unpack_evidence
from livesec.store.explanations import shown_columns, shown_from

Record = dict[str, Any]


def _anomalies(connection: Connection) -> Iterator[Record]:
    paths = {row.stream_id: (row.path, row.uid) for row in connection.execute(select(t.streams))}
    nowhere = (None, None)
    query = select(t.anomalies).add_columns(*shown_columns(t.anomalies.c.id))
    for row in connection.execute(query.order_by(t.anomalies.c.number)):
        shown = shown_from(row, Explanation.from_json(row.explanation))
        yield {
            "id": row.id,
            "time": rfc3339(row.time_us),
            "type": row.type,
            "log_type": row.log_type,
            "severity": row.severity,
            "score": row.score,
            "user": row.user,
            "src_ip": row.src_ip,
            "dst_ip": row.dst_ip,
            "host": row.host,
            "description": row.description,
            "details": json.loads(row.details),
            "techniques": json.loads(row.techniques),
            "evidence": [
                {
                    "path": paths.get(line.stream_id, nowhere)[0],
                    "stream": paths.get(line.stream_id, nowhere)[1],
                    "offset": line.offset,
                    "length": line.length,
                    "line": line.line.decode("utf-8", errors="replace"),
                }
                for line in unpack_evidence(row.evidence)
            ],
            "explanation": shown.to_text(),
            "status": row.status,
            "incident_id": row.incident_id,
            "entity_type": row.entity_type,
            "entity": row.entity,
            "confidence": row.confidence,
            "historical": row.historical,
            "provenance": asdict(shown.provenance),
        }


def _incidents(connection: Connection) -> Iterator[Record]:
    members: dict[str, list[str]] = {}
    for row in connection.execute(
        select(t.anomalies.c.id, t.anomalies.c.incident_id)
        .where(t.anomalies.c.incident_id.is_not(None))
        .order_by(t.anomalies.c.number)
    ):
        members.setdefault(row.incident_id, []).append(row.id)
    for row in connection.execute(select(t.incidents).order_by(t.incidents.c.first_us, t.incidents.c.id)):
        yield {
            "id": row.id,
            "title": row.title,
            "severity": row.severity,
            "score": row.score,
            "first": rfc3339(row.first_us),
            "last": rfc3339(row.last_us),
            "anomalies": members.get(row.id, []),
            "entities": [{"type": kind, "name": name} for kind, name in json.loads(row.entities)],
            "tactics": json.loads(row.tactics),
            "types": json.loads(row.types),
            "status": row.status,
        }


def _gaps(connection: Connection) -> Iterator[Record]:
    for row in connection.execute(select(t.gaps).order_by(t.gaps.c.gap)):
        yield {
            "path": row.path,
            "stream_id": row.stream_id,
            "start": row.start_offset,
            "end": row.end_offset,
            "reason": row.reason,
            "time": rfc3339(row.committed_us),
        }


def _rejects(connection: Connection) -> Iterator[Record]:
    paths = {row.stream_id: row.path for row in connection.execute(select(t.streams))}
    for row in connection.execute(select(t.rejects).order_by(t.rejects.c.stream_id, t.rejects.c.offset)):
        yield {
            "path": paths.get(row.stream_id),
            "offset": row.offset,
            "length": row.length,
            "reason": row.reason,
            "line": row.line.decode("utf-8", errors="replace"),
        }


def _explanations(connection: Connection) -> Iterator[Record]:
    query = select(t.anomalies.c.id, t.anomalies.c.explanation).add_columns(*shown_columns(t.anomalies.c.id))
    for row in connection.execute(query.order_by(t.anomalies.c.number)):
        shown = shown_from(row, Explanation.from_json(row.explanation))
        yield {"anomaly_id": row.id, **asdict(shown), "subject_kind": "anomaly", "subject_id": row.id}


def _risk(connection: Connection) -> Iterator[Record]:
    for row in connection.execute(select(t.risk).order_by(t.risk.c.risk.desc(), t.risk.c.entity)):
        yield {
            "entity_type": row.entity_type,
            "entity": row.entity,
            "risk": round(row.risk, 2),
            "time": rfc3339(row.time_us),
            "anomalies": row.anomalies,
        }


TABLES: dict[str, Callable[[Connection], Iterator[Record]]] = {
    "anomalies": _anomalies,
    "incidents": _incidents,
    "gaps": _gaps,
    "rejects": _rejects,
    "explanations": _explanations,
    "risk": _risk,
}


def export_rows(engine: Engine, table: str) -> Iterator[Record]:
    """The rows of one of TABLES, in a fixed order."""
    with engine.connect() as connection:
        yield from TABLES[table](connection)


def bad_sources(engine: Engine) -> list[str]:
    """Source addresses of anomalies of high or critical severity about an address, each once, sorted."""
    query = (
        select(t.anomalies.c.src_ip)
        .where(
            t.anomalies.c.severity.in_(("high", "critical")),
            t.anomalies.c.src_ip.is_not(None),
            t.anomalies.c.entity_type.contains("src_ip"),
        )
        .distinct()
        .order_by(t.anomalies.c.src_ip)
    )
    with engine.connect() as connection:
        return [str(row.src_ip) for row in connection.execute(query)]
