"""What the charts draw: the filtered anomalies over time, by severity and by type, as small frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from livesec.core.clock import US_PER_DAY, seed_time
from livesec.core.severity import Severity
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.severity_marks import WORST_FIRST, label_of
from livesec.dashboard.wording import age, amount
from livesec.store.activity_queries import (
    US_PER_MINUTE,
    Bucket,
    TypeCount,
    anomalies_over_time,
    anomaly_time_range,
    bucket_width_us,
    severity_counts,
    type_counts,
)
from livesec.store.anomaly_queries import AnomalyFilter

TYPES = 8
LONGEST_DAYS = 400  # one forged year must not press all else into one bar


@dataclass(frozen=True, slots=True)
class ChartData:
    """The answers that the three charts draw."""

    since_us: int
    until_us: int
    width_us: int
    buckets: Sequence[Bucket]
    severities: dict[str, int]
    types: Sequence[TypeCount]
    outside: int
    """Anomalies that the filter takes and the time axis does not."""


def chart_data(desk: Desk, wanted: AnomalyFilter) -> ChartData | None:
    """The data for `wanted`, or None where it takes no anomaly."""
    with desk.reader.reading() as connection:
        found = anomaly_time_range(connection, wanted)
        if found is None:
            return None
        end_us = desk.now_us + US_PER_MINUTE
        since_us = max(found[0] if wanted.since_us is None else wanted.since_us, end_us - LONGEST_DAYS * US_PER_DAY)
        width_us = bucket_width_us(max(end_us - since_us, US_PER_MINUTE))
        since_us = min(since_us, desk.now_us) // width_us * width_us
        until_us = desk.now_us // width_us * width_us + width_us
        buckets = anomalies_over_time(connection, wanted, since_us, until_us, width_us)
        severities = severity_counts(connection, wanted)
        return ChartData(
            since_us=since_us,
            until_us=until_us,
            width_us=width_us,
            buckets=buckets,
            severities=severities,
            types=type_counts(connection, wanted, TYPES),
            outside=sum(severities.values()) - sum(bucket.anomalies for bucket in buckets),
        )


def time_frame(data: ChartData) -> pl.DataFrame:
    """Columns start, end (UTC), severity, rank, anomalies, mark; the first and last bucket are always there."""
    ends = [Bucket(data.since_us, "low", 0), Bucket(data.until_us - data.width_us, "low", 0)]
    buckets = [*data.buckets, *ends]
    return pl.DataFrame(
        {
            "start": [bucket.start_us for bucket in buckets],
            "end": [bucket.start_us + data.width_us for bucket in buckets],
            "severity": [label_of(bucket.severity) for bucket in buckets],
            "rank": [_rank(bucket.severity) for bucket in buckets],
            "anomalies": [bucket.anomalies for bucket in buckets],
            "mark": [f"{bucket.start_us}/{bucket.severity}" for bucket in buckets],
        }
    ).with_columns(pl.from_epoch("start", time_unit="us"), pl.from_epoch("end", time_unit="us"))


def _rank(severity: str) -> int:
    return WORST_FIRST.index(Severity(severity)) if severity in WORST_FIRST else len(WORST_FIRST)


def severity_frame(data: ChartData) -> pl.DataFrame:
    """Columns severity, anomalies; worst first, each severity present."""
    return pl.DataFrame(
        {
            "severity": [label_of(str(severity)) for severity in WORST_FIRST],
            "anomalies": [data.severities[str(severity)] for severity in WORST_FIRST],
        }
    )


def type_frame(data: ChartData) -> pl.DataFrame:
    """Columns type, severity, rank, anomalies, total (of the type), mark; the most frequent type first."""
    totals: dict[str, int] = {}
    for count in data.types:
        totals[count.type] = totals.get(count.type, 0) + count.anomalies
    return pl.DataFrame(
        {
            "type": [shown(count.type, 40) for count in data.types],
            "severity": [label_of(count.severity) for count in data.types],
            "rank": [_rank(count.severity) for count in data.types],
            "anomalies": [count.anomalies for count in data.types],
            "total": [totals[count.type] for count in data.types],
            "mark": [f"{shown(count.type)}/{count.severity}" for count in data.types],
        }
    )


def time_text(data: ChartData) -> str:
    """What the time chart shows, in words."""
    per_bucket: dict[int, int] = {}
    for bucket in data.buckets:
        per_bucket[bucket.start_us] = per_bucket.get(bucket.start_us, 0) + bucket.anomalies
    text = f"{amount(sum(per_bucket.values()))} anomalies since {seed_time(data.since_us)[:16]} UTC"
    if per_bucket:
        at = max(per_bucket, key=lambda start: per_bucket[start])
        text += f"; most, {per_bucket[at]:,d}, within {age(data.width_us / 1e6)} from {seed_time(at)[:16]}"
    if data.outside:
        text += f"; {data.outside:,d} with a time outside this range are not drawn"
    return text + "."
