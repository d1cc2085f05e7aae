"""What the desk asks about amounts over time: totals, rates, severities, types and the latest events.

All grouping is SQL's; an answer has at most MAX_POINTS points. "Now" is the caller's: see `latest_event_us`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.schema import LOG_TYPES, LogType
from livesec.core.severity import SEVERITIES, Severity
from livesec.store import tables as t
from livesec.store.anomaly_queries import AnomalyFilter
from livesec.store.evidence import unpack_evidence

MAX_POINTS = 500
US_PER_MINUTE = 60 * US_PER_S
ALERT_DAYS = 7
MARKED_ANOMALIES = 500  # the evidence of so many latest anomalies marks events

_WIDTHS_S = (60, 300, 900, 3_600, 10_800, 21_600, 86_400, 604_800, 2_592_000, 31_536_000)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Anomalies of one severity in one span of time."""

    start_us: int
    severity: str
    anomalies: int


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Anomalies of one type and severity."""

    type: str
    severity: str
    anomalies: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """A log event in a live stream; `fields` are the columns that its line gave."""

    number: int
    time_us: int
    stream_id: int
    offset: int
    fields: Mapping[str, object]


def latest_event_us(connection: Connection) -> int | None:
    """The start of the latest minute with an event, or None. A log may state a time in the future."""
    newest = [
        connection.execute(select(func.max(t.counts.c.minute_us)).where(t.counts.c.log_type == str(log_type))).scalar()
        for log_type in LOG_TYPES
    ]
    return max((int(minute) for minute in newest if minute is not None), default=None)


def severity_counts(connection: Connection, wanted: AnomalyFilter) -> dict[str, int]:
    """Anomalies per severity, each severity present."""
    statement = (
        select(t.anomalies.c.severity, func.count()).where(*wanted.conditions()).group_by(t.anomalies.c.severity)
    )
    found = {str(severity): int(count) for severity, count in connection.execute(statement)}
    return {str(severity): found.get(str(severity), 0) for severity in SEVERITIES}


def type_counts(connection: Connection, wanted: AnomalyFilter, types: int = 12) -> list[TypeCount]:
    """Anomalies per type and severity for the `types` most frequent types, the most frequent first."""
    column = t.anomalies.c.type
    ranking = (
        select(column)
        .where(*wanted.conditions())
        .group_by(column)
        .order_by(func.count().desc(), column)
        .limit(min(types, MAX_POINTS // len(SEVERITIES)))
    )
    names = [str(name) for (name,) in connection.execute(ranking)]
    statement = (
        select(column, t.anomalies.c.severity, func.count())
        .where(column.in_(names), *wanted.conditions())
        .group_by(column, t.anomalies.c.severity)
    )
    counts = [
        TypeCount(str(name), str(severity), int(count)) for name, severity, count in connection.execute(statement)
    ]
    return sorted(counts, key=lambda count: (names.index(count.type), count.severity))


def known_types(connection: Connection) -> list[str]:
    """Every detector that has judged a row or found an anomaly, by name."""
    judged = {str(name) for (name,) in connection.execute(select(t.coverage.c.detector))}
    found = {str(name) for (name,) in connection.execute(select(t.anomalies.c.type).distinct())}
    return sorted(judged | found)


def bucket_width_us(span_us: int, buckets: int = MAX_POINTS // len(SEVERITIES)) -> int:
    """The narrowest round width, in microseconds, that divides `span_us` into at most `buckets` spans.

    >>> bucket_width_us(3_600 * 1_000_000) // 1_000_000, bucket_width_us(7 * 86_400 * 1_000_000) // 1_000_000
    (60, 10800)
    """
    for width_s in _WIDTHS_S:
        # One more: the ends seldom fall on the borders of buckets.
        if span_us // (width_s * US_PER_S) + 1 <= buckets:
            return width_s * US_PER_S
    return _WIDTHS_S[-1] * US_PER_S


def anomalies_over_time(
    connection: Connection, wanted: AnomalyFilter, since_us: int, until_us: int, width_us: int
) -> list[Bucket]:
    """Anomalies per bucket and severity in [since_us, until_us), in order of time, at most MAX_POINTS."""
    start = (t.anomalies.c.time_us // width_us) * width_us
    statement = (
        select(start, t.anomalies.c.severity, func.count())
        .where(*wanted.conditions(), t.anomalies.c.time_us >= since_us, t.anomalies.c.time_us < until_us)
        .group_by(start, t.anomalies.c.severity)
        .order_by(start)
        .limit(MAX_POINTS)
    )
    return [Bucket(int(at), str(severity), int(count)) for at, severity, count in connection.execute(statement)]


def anomaly_time_range(connection: Connection, wanted: AnomalyFilter) -> tuple[int, int] | None:
    """Event time of the earliest and the latest, or None without any."""
    statement = select(func.min(t.anomalies.c.time_us), func.max(t.anomalies.c.time_us)).where(*wanted.conditions())
    first, last = connection.execute(statement).one()
    return None if first is None else (int(first), int(last))


def alerts_per_day_by_type(connection: Connection, now_us: int) -> dict[str, float]:
    """Anomalies of medium or higher a day by type, the most first; types without one are absent.

    Over the last ALERT_DAYS days, or since the first event if that is less.
    """
    first_us = connection.execute(select(func.min(t.counts.c.minute_us))).scalar()
    if first_us is None:
        return {}
    since_us = max(int(first_us), now_us - ALERT_DAYS * US_PER_DAY)
    wanted = AnomalyFilter(
        severities=tuple(str(severity) for severity in SEVERITIES if severity is not Severity.LOW),
        since_us=since_us,
        until_us=now_us,
    )
    column = t.anomalies.c.type
    statement = (
        select(column, func.count()).where(*wanted.conditions()).group_by(column).order_by(func.count().desc(), column)
    )
    days = max(1.0, (now_us - since_us) / US_PER_DAY)
    return {str(name): int(count) / days for name, count in connection.execute(statement)}


def alerts_per_day(connection: Connection, now_us: int) -> float:
    """Anomalies of medium or higher a day, as `alerts_per_day_by_type` counts them."""
    return sum(alerts_per_day_by_type(connection, now_us).values())


def alerts_by_day(connection: Connection) -> dict[int, Counter[str]]:
    """Anomalies of medium or higher by type, of each day (since 1970, UTC) that has events."""
    day = t.counts.c.minute_us // US_PER_DAY
    by_day = {int(number): Counter[str]() for number in connection.execute(select(day).distinct()).scalars()}
    day = t.anomalies.c.time_us // US_PER_DAY
    alerts = (
        select(day, t.anomalies.c.type, func.count())
        .where(t.anomalies.c.severity != str(Severity.LOW))
        .group_by(day, t.anomalies.c.type)
    )
    for number, name, count in connection.execute(alerts):
        by_day.setdefault(int(number), Counter())[str(name)] += int(count)
    return by_day


def events_per_minute(connection: Connection, since_us: int, until_us: int) -> dict[LogType, dict[int, int]]:
    """Events per log type and minute (its start, event time) in [since_us, until_us); silent ones are absent."""
    per_type: dict[LogType, dict[int, int]] = {}
    for log_type in LOG_TYPES:
        statement = (
            select(t.counts.c.minute_us, t.counts.c.events)
            .where(
                t.counts.c.log_type == str(log_type),
                t.counts.c.minute_us >= since_us,
                t.counts.c.minute_us < until_us,
            )
            .order_by(t.counts.c.minute_us.desc())
            .limit(MAX_POINTS)
        )
        per_type[log_type] = {int(minute): int(events) for minute, events in connection.execute(statement)}
    return per_type


def recent_events(connection: Connection, log_type: LogType, limit: int = 100) -> list[EventRow]:
    """The latest events of a log type, newest first, at most `limit` and MAX_POINTS."""
    statement = (
        select(t.recent_events)
        .where(t.recent_events.c.log_type == str(log_type))
        .order_by(t.recent_events.c.number.desc())
        .limit(min(limit, MAX_POINTS))
    )
    return [
        EventRow(row.number, row.time_us, row.stream_id, row.offset, json.loads(row.fields))
        for row in connection.execute(statement)
    ]


def marked_lines(connection: Connection) -> dict[tuple[int, int], tuple[str, str]]:
    """By (stream_id, offset): severity and type of the latest anomaly to which that line led.

    Only the MARKED_ANOMALIES latest anomalies count: there is no index by line.
    """
    columns = t.anomalies.c
    latest = (
        select(columns.severity, columns.type, columns.evidence).order_by(columns.number.desc()).limit(MARKED_ANOMALIES)
    )
    return {
        (line.stream_id, line.offset): (str(row.severity), str(row.type))
        for row in reversed(connection.execute(latest).all())
        for line in unpack_evidence(row.evidence)
    }
