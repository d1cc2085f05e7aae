"""The numbers at the top of the page, and the last hour or day behind each."""

from __future__ import annotations

from dataclasses import dataclass

from livesec.core.clock import US_PER_HOUR, US_PER_S
from livesec.core.schema import LOG_TYPES, LogType
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.memo import remembered
from livesec.store.activity_queries import (
    US_PER_MINUTE,
    alerts_per_day,
    anomalies_over_time,
    events_per_minute,
    severity_counts,
)
from livesec.store.anomaly_queries import AnomalyFilter

SPARK_HOURS = 24
SPARK_MINUTES = 60


@dataclass(frozen=True, slots=True)
class SeverityNumbers:
    """Anomalies of one severity: in all, in the last hour, and per hour over the last day (oldest first)."""

    total: int
    last_hour: int
    per_hour: tuple[int, ...]


def severity_numbers(desk: Desk) -> dict[str, SeverityNumbers]:
    """The numbers per severity."""
    everything = AnomalyFilter()
    hour_us = desk.now_us // US_PER_HOUR * US_PER_HOUR
    since_us = hour_us - (SPARK_HOURS - 1) * US_PER_HOUR
    with desk.reader.reading() as connection:
        totals = severity_counts(connection, everything)
        buckets = anomalies_over_time(connection, everything, since_us, hour_us + US_PER_HOUR, US_PER_HOUR)
        last_hour = severity_counts(
            connection,
            AnomalyFilter(since_us=desk.now_us - US_PER_HOUR, until_us=desk.now_us + US_PER_MINUTE),
        )
    per_hour = {severity: [0] * SPARK_HOURS for severity in totals}
    for bucket in buckets:
        if bucket.severity in per_hour:
            per_hour[bucket.severity][(bucket.start_us - since_us) // US_PER_HOUR] = bucket.anomalies
    return {name: SeverityNumbers(totals[name], last_hour[name], tuple(per_hour[name])) for name in totals}


def severities_now(desk: Desk) -> dict[str, SeverityNumbers]:
    """`severity_numbers`, asked for again when an anomaly or a minute has come."""
    key = (desk.key, desk.pulse.anomalies, desk.now_us // US_PER_MINUTE)
    return remembered("severities", key, lambda: severity_numbers(desk))


@dataclass(frozen=True, slots=True)
class Rate:
    """Events of one source: per minute now, and each of the last full minutes (oldest first)."""

    per_minute: float
    minutes: tuple[int, ...]


def rate_of(counts: dict[int, int], now_us: int) -> Rate:
    """The rate from counts per minute: the running minute and the one before it, over their length.

    >>> rate_of({0: 30, 60_000_000: 10}, 80_000_000).per_minute
    30.0
    """
    minute_us = now_us // US_PER_MINUTE * US_PER_MINUTE
    recent = counts.get(minute_us, 0) + counts.get(minute_us - US_PER_MINUTE, 0)
    elapsed_us = now_us - minute_us + US_PER_MINUTE
    minutes = tuple(counts.get(minute_us - back * US_PER_MINUTE, 0) for back in range(SPARK_MINUTES, 0, -1))
    return Rate(recent * US_PER_MINUTE / elapsed_us, minutes)


def rates_now(desk: Desk) -> dict[LogType, Rate]:
    """The rate of each log type."""
    until_us = desk.now_us + US_PER_S

    def counts() -> dict[LogType, dict[int, int]]:
        with desk.reader.reading() as connection:
            return events_per_minute(connection, until_us - (SPARK_MINUTES + 2) * US_PER_MINUTE, until_us)

    per_type = remembered("rates", (desk.key, desk.pulse.lines, until_us // US_PER_MINUTE), counts)
    return {log_type: rate_of(per_type[log_type], desk.now_us) for log_type in LOG_TYPES}


def alerts_a_day(desk: Desk) -> float:
    """Anomalies of medium or higher severity a day, over the last week of the log."""

    def ask() -> float:
        with desk.reader.reading() as connection:
            return alerts_per_day(connection, desk.now_us)

    return remembered("alerts", (desk.key, desk.pulse.anomalies, desk.now_us // US_PER_HOUR), ask)
