"""The cards at the top: events, anomalies by severity, rates per source, bytes behind, alerts a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import altair as alt
import streamlit as st

from livesec.core.clock import US_PER_S
from livesec.core.schema import LOG_TYPES, LogType
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.overview_numbers import Rate, alerts_a_day, rates_now, severities_now
from livesec.dashboard.severity_marks import ACCENT, MARKS, WORST_FIRST, theme_name
from livesec.dashboard.sparkline import sparkline
from livesec.dashboard.wording import SOURCE_NAMES, age, amount, byte_amount
from livesec.store.health_queries import bytes_behind, stream_health


@dataclass(frozen=True, slots=True)
class Card:
    """A number with its name and what to compare it with."""

    label: str
    value: str
    beside: str
    color: Literal["red", "orange", "yellow", "blue", "gray"]
    about: str


def draw_overview(desk: Desk, alerts_wanted: float) -> None:
    """All the cards; `alerts_wanted` a day is the budget of the settings."""
    numbers = severities_now(desk)
    rates = rates_now(desk)
    all_minutes = tuple(sum(column) for column in zip(*(rate.minutes for rate in rates.values()), strict=True))
    theme = theme_name()
    with st.grid(5, min_column_width=150, gap="small"):
        events = Card(
            "Log events",
            amount(desk.pulse.events),
            f"{amount(sum(all_minutes))} in the last hour",
            "gray",
            "Events read so far. The line: events per minute in the last hour.",
        )
        _draw_card(events, "events", sparkline(all_minutes, ACCENT[theme], bars=False))
        for severity in WORST_FIRST:
            mark, number = MARKS[severity], numbers[str(severity)]
            card = Card(
                mark.label,
                amount(number.total),
                f"{number.last_hour:,d} in the last hour",
                mark.color,
                "Anomalies found so far. The bars: per hour in the last day.",
            )
            _draw_card(card, str(severity), sparkline(number.per_hour, mark.hex_color(theme), bars=True))
        _draw_rates(desk, rates, alerts_wanted)


def _draw_card(card: Card, key: str, chart: alt.Chart | None = None) -> None:
    with st.container(border=True, gap=None, key=f"card_{key}"):
        st.metric(
            card.label,
            card.value,
            card.beside,
            delta_color=card.color,
            delta_arrow="off",
            help=card.about,
        )
        if chart is not None:
            st.altair_chart(chart, key=f"sparkline_{key}")


def _draw_rates(desk: Desk, rates: Mapping[LogType, Rate], alerts_wanted: float) -> None:
    with desk.reader.reading() as connection:
        behind, oldest_us = bytes_behind(stream_health(connection))
    unread = "nothing unread" if oldest_us is None else f"unread for {age((desk.wall_us - oldest_us) / US_PER_S)}"
    for log_type in LOG_TYPES:
        rate = rates[log_type]
        card = Card(
            SOURCE_NAMES[log_type],
            f"{amount(rate.per_minute)} /min",
            f"{amount(sum(rate.minutes) / len(rate.minutes))} /min over the hour",
            "gray",
            "Events of this kind per minute of log time, now and on average over the last hour.",
        )
        _draw_card(card, f"rate_{log_type}")
    _draw_card(Card("Behind", byte_amount(behind), unread, "gray", "Log bytes seen and not yet committed."), "behind")
    alerts = Card(
        "Alerts a day",
        f"{alerts_a_day(desk):.1f}",
        f"{alerts_wanted:g} wanted",
        "gray",
        "Anomalies of medium or higher severity a day, over the last week of the log. What is wanted is a setting.",
    )
    _draw_card(alerts, "alerts")
