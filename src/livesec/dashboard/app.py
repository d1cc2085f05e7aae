"""The page. `render()` draws it once; each live part then redraws itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError

from livesec.core.errors import LiveSecError, SettingsError
from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.dashboard.anomaly_list import draw_anomalies
from livesec.dashboard.ask import draw_ask, poll_s
from livesec.dashboard.banners import draw_banners, draw_no_store, draw_status
from livesec.dashboard.charts import draw_charts
from livesec.dashboard.desk_store import Desk, chosen_store, desk_settings, open_desk, store_problem
from livesec.dashboard.filters import Chosen, draw_filters
from livesec.dashboard.health import draw_health
from livesec.dashboard.incident_list import draw_incidents
from livesec.dashboard.live_part import live_part
from livesec.dashboard.log_streams import draw_log_streams
from livesec.dashboard.memo import remembered
from livesec.dashboard.overview import draw_overview
from livesec.store.activity_queries import known_types

ICON = Path(__file__).with_name("icon.svg")
SLOW_PARTS_S = 5.0  # charts and health change slower than lists
NO_STORE_S = 2.0
REFRESH_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
PAUSED = "Paused"


def render(settings: Settings | None = None) -> None:
    """Draw the desk in a running Streamlit script; without `settings`, by those of the checkout and environment."""
    st.set_page_config(page_title="LiveSec", page_icon=str(ICON), layout="wide")
    try:
        used = desk_settings() if settings is None else settings
    except SettingsError as error:
        st.error("A setting is wrong.", icon=":material/settings_alert:")
        st.text(shown(str(error), 2_000))
        return
    db = chosen_store(used)
    if store_problem(db) is not None:
        st.title("LiveSec", anchor=False)
        st.fragment(_wait_for_store, run_every=NO_STORE_S)(used)
        return
    every_s = _draw_title(db, used.dashboard_refresh_s)
    slower_s = None if every_s is None else max(every_s, SLOW_PARTS_S)
    types = _types_now(db)
    live_part(db, lambda desk: _draw_top(desk, types, used.alerts_per_day), every_s)
    chosen = draw_filters(types)
    live_part(db, lambda desk: _draw_lists(desk, chosen, used), every_s)
    live_part(db, lambda desk: draw_ask(desk, used), poll_s())
    live_part(db, lambda desk: draw_charts(desk, chosen), slower_s)
    live_part(db, draw_log_streams, every_s)
    live_part(db, lambda desk: draw_health(desk, used), slower_s)


def _wait_for_store(settings: Settings) -> None:
    db = chosen_store(settings)
    problem = store_problem(db)
    if problem is None:
        st.rerun()
    draw_no_store(db, problem)


def _draw_title(db: str, refresh_s: float) -> float | None:
    """The title row; returns how often the live parts redraw, None for never."""
    labels = {f"Refresh {seconds:g} s": seconds for seconds in sorted({*REFRESH_S, refresh_s})}
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("LiveSec", anchor=False, width="content")
        status = st.container(width="stretch")
        label = st.selectbox(
            "Refresh interval",
            [*labels, PAUSED],
            index=list(labels.values()).index(refresh_s),
            key="refresh",
            bind="query-params",
            label_visibility="collapsed",
            width=150,
        )
    every_s = labels.get(label)
    with status:
        live_part(db, draw_status, every_s)
    return every_s


def _types(desk: Desk) -> list[str]:
    def names() -> list[str]:
        with desk.reader.reading() as connection:
            return known_types(connection)

    return remembered("types", (desk.key, desk.pulse.anomalies), names)


def _types_now(db: str) -> list[str]:
    try:
        return _types(open_desk(db))
    except (LiveSecError, SQLAlchemyError):
        return []  # the parts below say what is wrong with the store


def _draw_top(desk: Desk, types: list[str], alerts_wanted: float) -> None:
    if _types(desk) != types:
        st.rerun()  # a type was seen for the first time: the filter must offer it
    draw_banners(desk)
    draw_overview(desk, alerts_wanted)


def _draw_lists(desk: Desk, chosen: Chosen, settings: Settings) -> None:
    draw_incidents(desk, settings)
    draw_anomalies(desk, chosen, settings)


if __name__ == "__main__":
    render()
