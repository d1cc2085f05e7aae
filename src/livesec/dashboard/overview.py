"""The numbers at the top: events, anomalies by severity, rates per source, bytes behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import altair as alt
import streamlit as st

from livesec.core.clock import US_PER_S
from livesec.core.schema import LOG_TYPES, LogType
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import ACCENT, MARKS, WORST_FIRST, theme_name
from livesec.dashboard.sparkline import sparkline
from livesec.dashboard.wording import age, amount, byte_amount
from livesec.store.activity_queries import (
    US_PER_MINUTE,
    anomalies_over_time,
    events_per_minute,
    severity_counts,
)
from livesec.store.anomaly_queries import AnomalyFilter
from livesec.store.health_queries import bytes_behind

US_PER_HOUR = 60 * US_PER_MINUTE
SPARK_HOURS = 24
SPARK_MINUTES = 60

SOURCE_NAMES = {LogType.LOGIN: "Logins", LogType.NETWORK: "Network", LogType.FILE_TRANSFER: "File transfers"}


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


@dataclass(frozen=True, slots=True)
class Card:
    """A number with its name and what to compare it with."""

    label: str
    value: str
    beside: str
    color: Literal["red", "orange", "yellow", "blue", "gray"]
    about: str


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


def _rates(desk: Desk) -> dict[LogType, Rate]:
    until_us = desk.now_us + US_PER_S

    def counts() -> dict[LogType, dict[int, int]]:
        with desk.reader.reading() as connection:
            return events_per_minute(connection, until_us - (SPARK_MINUTES + 2) * US_PER_MINUTE, until_us)

    per_type = remembered("rates", (desk.key, desk.pulse.lines, until_us // US_PER_MINUTE), counts)
    return {log_type: rate_of(per_type[log_type], desk.now_us) for log_type in LOG_TYPES}


def draw_overview(desk: Desk) -> None:
    """All the cards."""
    minute = desk.now_us // US_PER_MINUTE
    numbers = remembered(
        "severities", (desk.key, desk.pulse.anomalies, minute), lambda: severity_numbers(desk)
    )
    rates = _rates(desk)
    all_minutes = [sum(column) for column in zip(*(rate.minutes for rate in rates.values()), strict=True)]
    theme = theme_name()
    with st.grid(5, min_column_width=150, gap="small"):
        events = Card(
            "Log events",
            amount(desk.pulse.events),
            f"{amount(sum(all_minutes))} in the last hour",
            "gray",
            "Events read so far. The line: events per minute in the last hour.",
        )
        _draw_card(events, "card_events", sparkline(all_minutes, ACCENT[theme], bars=False))
        for severity in WORST_FIRST:
            mark, number = MARKS[severity], numbers[str(severity)]
            card = Card(
                mark.label,
                amount(number.total),
                f"{number.last_hour:,d} in the last hour",
                mark.color,
                "Anomalies found so far. The bars: per hour in the last day.",
            )
            _draw_card(card, f"card_{severity}", sparkline(number.per_hour, mark.hex_color(theme), bars=True))
    _draw_rates(desk, rates)


def _draw_card(card: Card, key: str, chart: alt.Chart | None = None) -> None:
    with st.container(border=True, gap=None):
        st.metric(
            card.label,
            card.value,
            card.beside,
            delta_color=card.color,
            delta_arrow="off",
            help=card.about,
        )
        if chart is not None:
            st.altair_chart(chart, key=key)


def _draw_rates(desk: Desk, rates: Mapping[LogType, Rate]) -> None:
    with desk.reader.reading() as connection:
        behind, oldest_us = bytes_behind(connection)
    with st.grid(4, min_column_width=150, gap="small"):
        for log_type in LOG_TYPES:
            rate = rates[log_type]
            _draw_card(
                Card(
                    SOURCE_NAMES[log_type],
                    f"{amount(rate.per_minute)} /min",
                    f"{amount(sum(rate.minutes) / len(rate.minutes))} /min over the hour",
                    "gray",
                    "Events of this kind per minute of log time, now and on average over the last hour.",
                ),
                f"rate_{log_type}",
            )
        unread = "nothing unread" if oldest_us is None else f"unread for {age((desk.wall_us - oldest_us) / US_PER_S)}"
        _draw_card(Card("Behind", byte_amount(behind), unread, "gray", "Log bytes seen and not yet committed."), "behind")
