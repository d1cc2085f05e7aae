"""What the co-pilot's tools ask besides what the desk asks: counts by a column, ids by their beginning, one entity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, String, Table, func, or_, select

from livesec.core.clock import US_PER_DAY, US_PER_HOUR
from livesec.store import tables as t
from livesec.store.anomaly_queries import AnomalyFilter
from livesec.store.incident_queries import IncidentRow, incident_row

MAX_GROUPS = 500
TEXT_CHARACTERS = 400
_SPANS_US = {"hour": US_PER_HOUR, "day": US_PER_DAY}
_KINDS = {"user": "user", "users": "user", "host": "host", "path": "path", "file": "path"}
"""Kind of a detail by the last part of its name."""
_ENTITY_COLUMNS = ("entity", "user", "src_ip", "dst_ip", "host")


@dataclass(frozen=True, slots=True)
class Group:
    """Anomalies that have the same value in a column; for hours and days the value is their start."""

    value: str | int | None
    anomalies: int
    worst: float
    """The highest score among them, 0-100."""
    latest_us: int


def count_groups(
    connection: Connection, column: str, conditions: Sequence[ColumnElement[bool]], limit: int
) -> list[Group]:
    """Groups by a column of the anomalies, `hour` or `day`; the most first, hours and days in order of time.

    At most `limit` and MAX_GROUPS; of hours and days the latest. Raises KeyError for a column that is not there.
    """
    columns = t.anomalies.c
    span_us = _SPANS_US.get(column)
    value: ColumnElement[str | int | None]
    value = (
        func.substr(columns[column], 1, TEXT_CHARACTERS, type_=String)
        if span_us is None
        else columns.time_us // span_us * span_us
    )
    count = func.count()
    statement = (
        select(value.label("value"), count, func.max(columns.score), func.max(columns.time_us))
        .where(*conditions)
        .group_by("value")
        .order_by(*((count.desc(), value) if span_us is None else (value.desc(),)))
        .limit(min(limit, MAX_GROUPS))
    )
    groups = [Group(found, int(n), float(worst), int(at)) for found, n, worst, at in connection.execute(statement)]
    return groups if span_us is None else groups[::-1]


def group_count(connection: Connection, column: str, conditions: Sequence[ColumnElement[bool]]) -> int:
    """How many different values there are, the unknown one included."""
    columns = t.anomalies.c
    span_us = _SPANS_US.get(column)
    value = columns[column] if span_us is None else columns.time_us // span_us
    inner = select(value).where(*conditions).group_by(value).subquery()
    return int(connection.execute(select(func.count()).select_from(inner)).scalar_one())


def _ids_beginning(connection: Connection, where: Table, start: str, limit: int) -> list[str]:
    column = where.c.id
    statement = select(column).where(column.startswith(start, autoescape=True)).order_by(column).limit(limit)
    return [str(found) for found in connection.execute(statement).scalars()]


def anomaly_ids(connection: Connection, start: str, limit: int = 5) -> list[str]:
    """Ids of anomalies that begin with `start`."""
    return _ids_beginning(connection, t.anomalies, start, limit)


def incident_ids(connection: Connection, start: str, limit: int = 5) -> list[str]:
    """Ids of incidents that begin with `start`."""
    return _ids_beginning(connection, t.incidents, start, limit)


def about_entity(name: str) -> ColumnElement[bool]:
    """Anomalies that are about `name`, as entity, user, source, destination or host."""
    return or_(*(t.anomalies.c[column] == name for column in _ENTITY_COLUMNS))


def entities_like(connection: Connection, text: str, limit: int = 5) -> list[str]:
    """Users, addresses and hosts of anomalies that hold `text`, in any case."""
    found: dict[str, None] = {}
    for name in ("user", "src_ip", "dst_ip", "host"):
        column = t.anomalies.c[name]
        statement = select(column).where(column.contains(text, autoescape=True)).distinct().limit(limit)
        found |= dict.fromkeys(str(value) for value in connection.execute(statement).scalars())
    return list(found)[:limit]


@dataclass(frozen=True, slots=True)
class EntityRisk:
    """The risk of an entity as it was last reckoned."""

    entity_type: str
    risk: float
    """0-100 at `time_us`."""
    time_us: int
    anomalies: int


def entity_risks(connection: Connection, name: str) -> list[EntityRisk]:
    """Risk of `name` under each type that it has been seen as."""
    columns = t.risk.c
    statement = select(columns.entity_type, columns.risk, columns.time_us, columns.anomalies).where(
        columns.entity == name
    )
    return [EntityRisk(str(kind), float(risk), int(at), int(n)) for kind, risk, at, n in connection.execute(statement)]


def incidents_of(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], limit: int = 10
) -> list[IncidentRow]:
    """Incidents that hold an anomaly of `conditions`, the latest first."""
    column = t.anomalies.c.incident_id
    known = select(column).where(column.is_not(None), *conditions).distinct().limit(limit)
    names = [str(name) for name in connection.execute(known).scalars()]
    rows = [row for name in names if (row := incident_row(connection, name)) is not None]
    return sorted(rows, key=lambda row: (-row.last_us, row.id))


def wanted_conditions(wanted: AnomalyFilter, log_type: str | None) -> list[ColumnElement[bool]]:
    """As SQL; `log_type` None means any."""
    conditions = wanted.conditions()
    if log_type is not None:
        conditions.append(t.anomalies.c.log_type == log_type)
    return conditions


def stream_files(connection: Connection, paths: Sequence[str]) -> dict[str, str]:
    """Kind of stream (file, journal, ...) by path, of those among `paths` that the store names."""
    columns = t.streams.c
    statement = select(columns.path, columns.kind).where(columns.path.in_(paths))
    return {str(path): str(kind) for path, kind in connection.execute(statement)}


def names_among(connection: Connection, words: Sequence[str]) -> list[tuple[str, str]]:
    """(`user` or `host`, name) of the anomalies' users and hosts that are one of `words`, which are in lower case."""
    found: dict[tuple[str, str], None] = {}
    for kind in ("user", "host"):
        column = t.anomalies.c[kind]
        statement = select(column).where(func.lower(column).in_(words)).distinct().limit(MAX_GROUPS)
        found |= dict.fromkeys((kind, str(name)) for name in connection.execute(statement).scalars())
    return list(found)


def anomaly_names(connection: Connection, ids: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, name) of all that the anomalies `ids` name: user, host, path, or word for other texts of their details."""
    columns = t.anomalies.c
    statement = select(columns.user, columns.host, columns.details).where(columns.id.in_(ids))
    found: dict[tuple[str, str], None] = {}
    for user, host, details in connection.execute(statement):
        pairs = [("user", user), ("host", host)]
        for name, value in json.loads(details).items():
            if isinstance(value, str) and not name.endswith("_ip"):
                pairs.append((_KINDS.get(name.rpartition("_")[2], "word"), value))
        found |= dict.fromkeys((kind, str(name)) for kind, name in pairs if name)
    return list(found)
