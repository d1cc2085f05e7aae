"""The charts over the filtered anomalies: over time, by severity, by type.

A chart's specification (with its alternative text) is the same at every redraw, only its data change: the
browser then updates it in place. So the ends of the time axis are data too (empty buckets), and each mark has a
key by which it is known again.
"""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt
import streamlit as st

from livesec.dashboard.chart_data import ChartData, chart_data, severity_frame, time_frame, time_text, type_frame
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.filters import Chosen
from livesec.dashboard.live_table import LiveTable
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import INK, MARKS, WORST_FIRST, ThemeName, palette, theme_name
from livesec.store.activity_queries import US_PER_MINUTE
from livesec.store.incident_queries import IncidentRow

HEIGHT = 230
PADDING = {"left": 0, "top": 5, "right": 10, "bottom": 0}
BAR_HEIGHT = 17
# Midnight shows its date, other times the hour of a 24-hour clock.
TIME_LABEL = "utcFormat(datum.value, utchours(datum.value) || utcminutes(datum.value) ? '%H:%M' : '%d %b')"

_SEVERITIES = [MARKS[severity].label for severity in WORST_FIRST]


def _color(theme: ThemeName) -> alt.Color:
    return alt.Color("severity:N", scale=alt.Scale(domain=_SEVERITIES, range=palette(theme)), legend=None)


def _count_axis() -> alt.Axis:
    return alt.Axis(title=None, tickMinStep=1, format="~s", grid=True, domain=False, ticks=False)


def time_chart(data: ChartData, theme: ThemeName) -> alt.Chart:
    """Stacked bars over time, the worst at the bottom, where heights compare best."""
    bars: alt.Chart = alt.Chart(time_frame(data), height=HEIGHT, padding=PADDING).mark_bar(binSpacing=1)
    return bars.encode(
        x=alt.X(
            "start:T",
            bin="binned",
            scale=alt.Scale(type="utc"),
            axis=alt.Axis(title=None, grid=False, labelExpr=TIME_LABEL),
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


def severity_chart(data: ChartData, theme: ThemeName) -> alt.LayerChart:
    """One bar per severity with its number."""
    base = alt.Chart(severity_frame(data)).encode(
        key="severity:N",
        x=alt.X("anomalies:Q", axis=None),
        y=alt.Y("severity:N", sort=_SEVERITIES, axis=alt.Axis(title=None, domain=False, ticks=False, labelPadding=8)),
        tooltip=[alt.Tooltip("severity:N"), alt.Tooltip("anomalies:Q")],
    )
    bars = base.mark_bar(cornerRadiusEnd=3, size=BAR_HEIGHT).encode(color=_color(theme))
    return _layered(bars, base, "anomalies:Q", theme)


def type_chart(data: ChartData, theme: ThemeName) -> alt.LayerChart:
    """The most frequent types, stacked by severity, with their numbers."""
    base = alt.Chart(type_frame(data)).encode(
        y=alt.Y(
            "type:N",
            sort=alt.EncodingSortField("anomalies", op="sum", order="descending"),
            axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=170, labelPadding=6),
        ),
        tooltip=[alt.Tooltip("type:N"), alt.Tooltip("severity:N"), alt.Tooltip("anomalies:Q")],
    )
    bars = base.mark_bar(cornerRadiusEnd=2, size=BAR_HEIGHT).encode(
        x=alt.X("anomalies:Q", stack="zero", axis=None),
        color=_color(theme),
        order=alt.Order("rank:Q"),
        key="mark:N",
    )
    return _layered(bars, base.encode(x=alt.X("total:Q", axis=None), key="type:N"), "total:Q", theme)


def _layered(bars: alt.Chart, ends: alt.Chart, number: str, theme: ThemeName) -> alt.LayerChart:
    """`bars` with `number` written at their `ends`."""
    labels = ends.mark_text(align="left", dx=6, color=INK[theme]).encode(text=alt.Text(number, format=",d"))
    return alt.LayerChart(layer=[bars, labels], height=HEIGHT, padding=PADDING)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The three charts, kept while their data stay: to build them takes longer than to ask for the data."""

    over_time: alt.Chart
    by_severity: alt.LayerChart
    by_type: alt.LayerChart

    @classmethod
    def of(cls, data: ChartData, theme: ThemeName) -> Drawn:
        """The charts of `data`."""
        return cls(time_chart(data, theme), severity_chart(data, theme), type_chart(data, theme))


def draw_charts(desk: Desk, chosen: Chosen) -> None:
    """The three charts side by side."""
    incident_id = LiveTable[IncidentRow]("incidents", "incident").selected
    wanted = chosen.anomaly_filter(desk.now_us, incident_id)
    key = (desk.key, desk.pulse.findings, wanted, desk.now_us // US_PER_MINUTE)
    data = remembered("chart_data", key, lambda: chart_data(desk, wanted))
    st.subheader("Anomalies in figures", anchor=False)
    if data is None:
        st.caption("Nothing to draw: no anomaly matches.")
        return
    theme = theme_name()
    drawn = remembered("charts", (key, theme), lambda: Drawn.of(data, theme))
    with st.container(key="charts"):
        over_time, by_severity, by_type = st.columns([2, 1, 1.4], gap="medium")
        with over_time:
            st.markdown("**Over time** (UTC)")
            st.altair_chart(drawn.over_time, key="chart_time", alt="Anomalies over time, stacked by severity")
            st.text(time_text(data))
        with by_severity:
            st.markdown("**By severity**")
            st.altair_chart(drawn.by_severity, key="chart_severity", alt="Anomalies by severity")
        with by_type:
            st.markdown("**Most frequent types**")
            st.altair_chart(drawn.by_type, key="chart_type", alt="The most frequent types of anomaly")
