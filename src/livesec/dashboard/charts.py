"""The charts over the filtered anomalies: over time, by severity, by type.

A chart's specification (with its alternative text) is the same at every redraw, only its data change: the browser then
updates it in place. So the ends of the time axis are data too (empty buckets), and each mark has a key by which it is
known again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import polars as pl
import streamlit as st

from livesec.core.clock import US_PER_DAY, seed_time
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.filters import Chosen
from livesec.dashboard.live_table import LiveTable
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import MARKS, WORST_FIRST, ThemeName, label_of, palette, theme_name
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
from livesec.store.anomaly_queries import AnomalyFilter, IncidentRow

HEIGHT = 230
PADDING = {"left": 0, "top": 5, "right": 10, "bottom": 0}
BAR_HEIGHT = 17
TYPES = 8
LONGEST_DAYS = 400  # one forged year must not press all else into one bar

_SEVERITIES = [MARKS[severity].label for severity in WORST_FIRST]


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
        since_us = max(
            found[0] if wanted.since_us is None else wanted.since_us, end_us - LONGEST_DAYS * US_PER_DAY
        )
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
    """Columns start, end (UTC), severity, rank, anomalies; the first and the last bucket are always there."""
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
    return WORST_FIRST.index(severity) if severity in WORST_FIRST else len(WORST_FIRST)  # type: ignore[arg-type] # a StrEnum equals its text


def severity_frame(data: ChartData) -> pl.DataFrame:
    """Columns severity, anomalies; worst first, each severity present."""
    return pl.DataFrame(
        {
            "severity": [label_of(str(severity)) for severity in WORST_FIRST],
            "anomalies": [data.severities[str(severity)] for severity in WORST_FIRST],
        }
    )


def type_frame(data: ChartData) -> pl.DataFrame:
    """Columns type, severity, rank, anomalies; the most frequent type first."""
    return pl.DataFrame(
        {
            "type": [shown(count.type, 40) for count in data.types],
            "severity": [label_of(count.severity) for count in data.types],
            "rank": [_rank(count.severity) for count in data.types],
            "anomalies": [count.anomalies for count in data.types],
            "mark": [f"{shown(count.type)}/{count.severity}" for count in data.types],
        }
    )


def _color(theme: ThemeName) -> alt.Color:
    return alt.Color("severity:N", scale=alt.Scale(domain=_SEVERITIES, range=palette(theme)), legend=None)


def _count_axis() -> alt.Axis:
    return alt.Axis(title=None, tickMinStep=1, format="~s", grid=True, domain=False, ticks=False)


def time_chart(data: ChartData, theme: ThemeName) -> alt.Chart:
    """Stacked bars over time, the worst at the bottom, where heights compare best."""
    return (
        alt.Chart(time_frame(data), height=HEIGHT, padding=PADDING)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X(
                "start:T", bin="binned", scale=alt.Scale(type="utc"), axis=alt.Axis(title=None, grid=False)
            ),
            x2="end:T",
            y=alt.Y("anomalies:Q", stack="zero", axis=_count_axis()),
            color=_color(theme),
            order=alt.Order("rank:Q"),
            key="mark:N",
            tooltip=[
                alt.Tooltip("start:T", title="from (UTC)", timeUnit="utcyearmonthdatehoursminutes"),
                alt.Tooltip("severity:N", title="severity"),
                alt.Tooltip("anomalies:Q", title="anomalies"),
            ],
        )
    )


def severity_chart(data: ChartData, theme: ThemeName) -> alt.LayerChart:
    """One bar per severity with its number."""
    base = alt.Chart(severity_frame(data)).encode(
        key="severity:N",
        x=alt.X("anomalies:Q", axis=None),
        y=alt.Y(
            "severity:N",
            sort=_SEVERITIES,
            axis=alt.Axis(title=None, domain=False, ticks=False, labelPadding=8),
        ),
        tooltip=[alt.Tooltip("severity:N"), alt.Tooltip("anomalies:Q")],
    )
    ink = "#e3e9f1" if theme == "dark" else "#16202e"
    return alt.layer(
        base.mark_bar(cornerRadiusEnd=3, size=BAR_HEIGHT).encode(color=_color(theme)),
        base.mark_text(align="left", dx=6, color=ink).encode(text=alt.Text("anomalies:Q", format=",d")),
        height=HEIGHT,
        padding=PADDING,
    )


def type_chart(data: ChartData, theme: ThemeName) -> alt.Chart:
    """The most frequent types, stacked by severity."""
    return (
        alt.Chart(type_frame(data), height=HEIGHT, padding=PADDING)
        .mark_bar(cornerRadiusEnd=2, size=BAR_HEIGHT)
        .encode(
            x=alt.X("anomalies:Q", stack="zero", axis=_count_axis()),
            y=alt.Y(
                "type:N",
                sort=alt.EncodingSortField("anomalies", op="sum", order="descending"),
                axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=170, labelPadding=6),
            ),
            color=_color(theme),
            order=alt.Order("rank:Q"),
            key="mark:N",
            tooltip=[alt.Tooltip("type:N"), alt.Tooltip("severity:N"), alt.Tooltip("anomalies:Q")],
        )
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


def severity_text(data: ChartData) -> str:
    """What the severity chart shows, in words."""
    return ", ".join(f"{label_of(name)} {count:,d}" for name, count in reversed(data.severities.items()))


def type_text(data: ChartData) -> str:
    """What the type chart shows, in words."""
    totals: dict[str, int] = {}
    for count in data.types:
        totals[count.type] = totals.get(count.type, 0) + count.anomalies
    return ", ".join(f"{shown(name, 40)} {total:,d}" for name, total in totals.items())


def draw_charts(desk: Desk, chosen: Chosen) -> None:
    """The three charts side by side."""
    incident_id = LiveTable[IncidentRow]("incidents", "incident").selected
    wanted = chosen.anomaly_filter(desk.now_us, incident_id)
    minute = desk.now_us // US_PER_MINUTE
    data = remembered(
        "charts", (desk.key, desk.pulse.findings, wanted, minute), lambda: chart_data(desk, wanted)
    )
    st.subheader("Anomalies in figures", anchor=False)
    if data is None:
        st.caption("Nothing to draw: no anomaly matches.")
        return
    theme = theme_name()
    over_time, by_severity, by_type = st.columns([2, 1, 1.4], gap="medium")
    with over_time:
        st.markdown("**Over time** (UTC)")
        st.altair_chart(time_chart(data, theme), key="chart_time", alt="Anomalies over time, stacked by severity")
        st.text(time_text(data))
    with by_severity:
        st.markdown("**By severity**")
        st.altair_chart(severity_chart(data, theme), key="chart_severity", alt="Anomalies by severity")
    with by_type:
        st.markdown("**Most frequent types**")
        st.altair_chart(type_chart(data, theme), key="chart_type", alt="The most frequent types of anomaly")
