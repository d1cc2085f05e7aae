"""Tools about one incident, one entity, and the score of one anomaly."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from livesec.copilot.anomaly_tools import (
    PRIVATE_KINDS,
    anomaly_table,
    entity_names,
    private_of,
    scored,
    window_words,
)
from livesec.copilot.answer import Answer, Cell, Table, ToolError, cell, table
from livesec.copilot.questions import ExplainScore, GetEntity, GetIncident
from livesec.copilot.subject import anomaly_meant, incident_meant
from livesec.copilot.times import time_us
from livesec.core.clock import US_PER_S, seed_time
from livesec.core.explanation import Explanation
from livesec.core.text import shown
from livesec.explain.incident_note import write_incident
from livesec.store import tables as t
from livesec.store.anomaly_queries import AnomalyDetail, AnomalyFilter, rows_where
from livesec.store.ask_queries import Group, about_entity, count_groups, entities_like, entity_risks, incidents_of
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import IncidentRow, incident_rows

_TOLD_CHARACTERS = 1_200
_ROWS = 25  # of an incident's anomalies: the rest of an answer is for counts
_INCIDENT_COLUMNS = ("id", "title", "severity", "score", "anomalies", "first_utc", "last_utc", "status")


def _incident_row(row: IncidentRow) -> tuple[object, ...]:
    return (
        row.id,
        row.title,
        row.severity,
        scored(row.score),
        row.anomalies,
        seed_time(row.first_us),
        seed_time(row.last_us),
        row.status,
    )


def _types_table(types: Sequence[Group]) -> Table:
    rows = [(group.value, group.anomalies, scored(group.worst)) for group in types]
    return table("types", ("type", "anomalies", "worst_score"), rows)


def get_incident(connection: Connection, question: GetIncident, now_us: int) -> Answer:
    """One incident with its anomalies, in order of time; without an id the latest incidents."""
    if not question.incident_id:
        return _latest_incidents(connection)
    row = incident_meant(connection, question.incident_id)
    members = AnomalyFilter(incident_id=row.id)
    rows = sorted(rows_where(connection, members.conditions(), _ROWS), key=lambda item: (item.time_us, item.number))
    types = count_groups(connection, "type", members.conditions(), 12)
    facts: dict[str, Cell] = dict(zip(_INCIDENT_COLUMNS, (cell(value) for value in _incident_row(row)), strict=True))
    facts["lasted_s"] = round((row.last_us - row.first_us) / US_PER_S, 1)
    facts["tactics"] = cell(" -> ".join(row.tactics))
    facts["entities"] = cell(", ".join(name for _, name in row.entities))
    names = [part for kind, name in row.entities for part in entity_names(kind, name)]
    return Answer(
        f"Incident {row.id}: {shown(row.title)}",
        facts=facts,
        tables=(
            _types_table(types),
            anomaly_table(rows),
            _told(write_incident(row, incident_members(connection, row.id))),
        ),
        ids=(row.id, *(item.id for item in rows)),
        private=tuple(dict.fromkeys([*names, *private_of(rows)])),
        notes=(f"The latest {len(rows)} of its {row.anomalies:,d} anomalies.",) if row.anomalies > len(rows) else (),
    )


def _latest_incidents(connection: Connection) -> Answer:
    rows = incident_rows(connection, 20)
    names = [part for row in rows for kind, name in row.entities for part in entity_names(kind, name)]
    return Answer(
        f"The latest {len(rows)} incidents" if rows else "No incident so far",
        tables=(table("incidents", _INCIDENT_COLUMNS, [_incident_row(row) for row in rows]),),
        ids=tuple(row.id for row in rows),
        private=tuple(dict.fromkeys(names)),
    )


def get_entity(connection: Connection, question: GetEntity, now_us: int) -> Answer:
    """What the store knows of a user, an address or a host. Raises ToolError where it knows nothing."""
    name = question.entity
    wanted = AnomalyFilter(since_us=time_us(question.since, now_us))
    conditions = [*wanted.conditions(), about_entity(name)]
    columns = t.anomalies.c
    count, first, last = connection.execute(
        select(func.count(), func.min(columns.time_us), func.max(columns.time_us)).where(*conditions)
    ).one()
    risks = entity_risks(connection, name)
    if not count and not risks:
        raise ToolError(_unknown(connection, name))
    types = count_groups(connection, "type", conditions, 12)
    incidents = incidents_of(connection, conditions)
    rows = rows_where(connection, conditions, 10)
    facts: dict[str, Cell] = {"entity": cell(name), "anomalies": int(count), "incidents": len(incidents)}
    if count:
        facts |= {"first_anomaly_utc": seed_time(int(first)), "last_anomaly_utc": seed_time(int(last))}
    kind = next((item.entity_type for item in risks), None)
    return Answer(
        f"{shown(name)}: {int(count):,d} anomalies {window_words(question.since, 'all', now_us)}",
        facts=facts,
        tables=(
            table("risk", ("as", "risk", "at_utc", "anomalies"), [
                (item.entity_type, scored(item.risk), seed_time(item.time_us), item.anomalies) for item in risks
            ]),
            _types_table(types),
            table("incidents", _INCIDENT_COLUMNS, [_incident_row(row) for row in incidents]),
            anomaly_table(rows),
        ),
        ids=tuple(dict.fromkeys([*(row.id for row in incidents), *(row.id for row in rows)])),
        private=tuple(dict.fromkeys([(PRIVATE_KINDS.get(kind or "", _looks_like(name)), name), *private_of(rows)])),
    )  # fmt: skip


def _looks_like(name: str) -> str:
    return "ip" if set(name) <= set("0123456789abcdefABCDEF.:") and set(name) & set(".:") else "user"


def _unknown(connection: Connection, name: str) -> str:
    known = entities_like(connection, name)
    if not known and _looks_like(name) != "ip":  # an address that looks alike is another machine
        known = _near(connection, name)
    said = f"nothing in the store is about {shown(name, 80)}"
    return f"{said}; did you mean {', '.join(shown(item, 80) for item in known)}?" if known else f"{said}"


def _near(connection: Connection, name: str) -> list[str]:
    known = [str(g.value) for column in ("user", "src_ip", "host") for g in count_groups(connection, column, (), 200)]
    return difflib.get_close_matches(name, known, 3, 0.7)


def anomaly_facts(detail: AnomalyDetail) -> dict[str, Cell]:
    """What an anomaly is, in a few figures."""
    row = detail.row
    facts: dict[str, object] = {
        "id": row.id,
        "type": row.type,
        "time_utc": seed_time(row.time_us),
        "severity": row.severity,
        "score": scored(row.score),
        "confidence": detail.confidence,
        "entity": row.entity,
        "user": detail.user,
        "source": detail.src_ip,
        "destination": detail.dst_ip,
        "host": detail.host,
        "incident": row.incident_id,
        "status": row.status,
    }
    return {name: cell(value) for name, value in facts.items() if value is not None}


def detail_private(detail: AnomalyDetail) -> tuple[tuple[str, str], ...]:
    """What names people and machines in an anomaly, its file among them."""
    pairs = [
        *entity_names(detail.row.entity_type, detail.row.entity),
        ("user", detail.user),
        ("ip", detail.src_ip),
        ("ip", detail.dst_ip),
        ("host", detail.host),
        *(("path", line.path) for line in detail.evidence),
    ]
    return tuple(dict.fromkeys((kind, text) for kind, text in pairs if text))


def _told(written: Explanation) -> Table:
    """A deterministic record in short lines."""
    text = [
        ("what happened", written.what_happened),
        ("usual", written.usual),
        ("confidence", written.confidence_reason),
        *(("could also be", item) for item in written.alternatives),
        *(("would change it", item) for item in written.would_change),
        *(("not in the log", item) for item in written.missing),
        *(("next step", step.text) for step in written.next_steps),
    ]
    return table("explanation", ("about", "text"), [item for item in text if item[1]], _TOLD_CHARACTERS)


def explain_score(connection: Connection, question: ExplainScore, now_us: int) -> Answer:
    """Contributions that add up to the score, what is usual, and the numbers behind it."""
    detail = anomaly_meant(connection, question.anomaly_id)
    written = detail.written  # not a model's words: another model would take them for facts
    return Answer(
        f"{shown(detail.row.type)} {detail.row.id}: {scored(detail.row.score)} of 10, {shown(detail.row.severity)}",
        facts=anomaly_facts(detail),
        tables=(
            table("score", ("cause", "points"), [(item.cause, item.points) for item in written.why_score]),
            _told(written),
            table("numbers", ("name", "value"), list(detail.details.items())[:30]),
        ),
        ids=tuple(name for name in (detail.row.id, detail.row.incident_id) if name),
        private=detail_private(detail),
    )
