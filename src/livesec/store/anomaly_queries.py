"""What the desk asks about anomalies. Lists are capped; their texts are cut to a table's cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, func, or_, select

from livesec.core.explanation import Explanation
from livesec.core.finding import Scalar
from livesec.store import tables as t
from livesec.store.evidence import unpack_evidence
from livesec.store.explanations import shown_columns, shown_from

MAX_ROWS = 500
MAX_EVIDENCE_LINES = 50
TEXT_CHARACTERS = 400  # of a description or entity in a list

_SEARCHED = (
    t.anomalies.c.entity,
    t.anomalies.c.user,
    t.anomalies.c.src_ip,
    t.anomalies.c.dst_ip,
    t.anomalies.c.host,
    t.anomalies.c.description,
    t.anomalies.c.id,
)


@dataclass(frozen=True, slots=True)
class AnomalyFilter:
    """Which anomalies are meant; empty means all."""

    severities: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    text: str = ""
    """Part of an entity, user, address, host, description or id, in any case."""
    incident_id: str | None = None
    since_us: int | None = None
    """Event time, inclusive."""
    until_us: int | None = None
    """Event time, exclusive."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL."""
        columns = t.anomalies.c
        conditions: list[ColumnElement[bool]] = []
        if self.severities:
            conditions.append(columns.severity.in_(self.severities))
        if self.types:
            conditions.append(columns.type.in_(self.types))
        if self.text:
            conditions.append(or_(*(column.contains(self.text, autoescape=True) for column in _SEARCHED)))
        if self.incident_id is not None:
            conditions.append(columns.incident_id == self.incident_id)
        if self.since_us is not None:
            conditions.append(columns.time_us >= self.since_us)
        if self.until_us is not None:
            conditions.append(columns.time_us < self.until_us)
        return conditions


@dataclass(frozen=True, slots=True)
class AnomalyRow:
    """An anomaly in a list."""

    number: int
    id: str
    time_us: int
    type: str
    log_type: str
    severity: str
    score: float
    entity_type: str
    entity: str
    description: str
    status: str
    incident_id: str | None
    historical: bool


def anomaly_rows(connection: Connection, wanted: AnomalyFilter, limit: int = MAX_ROWS) -> list[AnomalyRow]:
    """The latest found first, at most `limit` and MAX_ROWS."""
    return rows_where(connection, wanted.conditions(), limit)


def rows_where(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int = MAX_ROWS
) -> list[AnomalyRow]:
    """As `anomaly_rows`, of the anomalies that fulfil all `conditions`."""
    columns = t.anomalies.c
    statement = (
        select(
            columns.number,
            columns.id,
            columns.time_us,
            columns.type,
            columns.log_type,
            columns.severity,
            columns.score,
            columns.entity_type,
            func.substr(columns.entity, 1, TEXT_CHARACTERS, type_=String).label("entity"),
            func.substr(columns.description, 1, TEXT_CHARACTERS, type_=String).label("description"),
            columns.status,
            columns.incident_id,
            columns.historical,
        )
        .where(*conditions)
        .order_by(columns.number.desc())
        .limit(min(limit, MAX_ROWS))
    )
    return [AnomalyRow(**row._mapping) for row in connection.execute(statement)]


def all_anomaly_ids(connection: Connection) -> list[str]:
    """Every anomaly's id, in the order of arrival."""
    return list(connection.execute(select(t.anomalies.c.id).order_by(t.anomalies.c.number)).scalars())


def count_anomalies(connection: Connection, wanted: AnomalyFilter) -> int:
    """How many there are, beyond any cap."""
    statement = select(func.count()).select_from(t.anomalies).where(*wanted.conditions())
    return int(connection.execute(statement).scalar_one())


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A line that led to an anomaly, and where it stands."""

    path: str
    offset: int
    length: int
    line: bytes


@dataclass(frozen=True, slots=True)
class AnomalyDetail:
    """An anomaly with all that is known about it."""

    row: AnomalyRow
    user: str | None
    src_ip: str | None
    dst_ip: str | None
    host: str | None
    description: str
    explanation: Explanation
    """A model's wording where there is one, else `written`; its provenance says which and why."""
    written: Explanation
    """The deterministic record."""
    details: Mapping[str, Scalar]
    techniques: Sequence[str]
    reason: str
    confidence: float
    committed_us: int
    evidence: Sequence[EvidenceView]


def anomaly_detail(connection: Connection, anomaly_id: str) -> AnomalyDetail | None:
    """All about one anomaly, or None where it is not (or no longer) in the store."""
    query = select(t.anomalies).add_columns(*shown_columns(t.anomalies.c.id))
    row = connection.execute(query.where(t.anomalies.c.id == anomaly_id)).first()
    if row is None:
        return None
    written = Explanation.from_json(row.explanation)
    lines = unpack_evidence(row.evidence)[:MAX_EVIDENCE_LINES]
    named = select(t.streams.c.stream_id, t.streams.c.path).where(
        t.streams.c.stream_id.in_({line.stream_id for line in lines})
    )
    paths = {stream.stream_id: stream.path for stream in connection.execute(named)}
    listed = {name: getattr(row, name) for name in AnomalyRow.__dataclass_fields__}
    return AnomalyDetail(
        row=AnomalyRow(**listed),
        user=row.user,
        src_ip=row.src_ip,
        dst_ip=row.dst_ip,
        host=row.host,
        description=row.description,
        explanation=shown_from(row, written),
        written=written,
        details=json.loads(row.details),
        techniques=json.loads(row.techniques),
        reason=row.reason,
        confidence=row.confidence,
        committed_us=row.committed_us,
        evidence=[
            EvidenceView(paths.get(line.stream_id, "unknown"), line.offset, line.length, line.line) for line in lines
        ],
    )
