"""The incidents: anomalies that belong together. Selecting one narrows the list of anomalies to it."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from livesec.core.clock import US_PER_S, seed_time
from livesec.core.settings import Settings
from livesec.dashboard.anomaly_list import COLUMNS as ANOMALY_COLUMNS
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.incident_panel import draw_incident
from livesec.dashboard.live_table import LiveTable
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import label_of
from livesec.dashboard.wording import age, cell
from livesec.store.incident_queries import IncidentRow, incident_rows

HEIGHT = 215
ROWS_IN_VIEW = 5

COLUMNS = {
    "Severity": ANOMALY_COLUMNS["Severity"],
    "Incident": st.column_config.TextColumn(width="large"),
    "Anomalies": st.column_config.NumberColumn(width=80, format="localized"),
    "Last (UTC)": st.column_config.TextColumn(width=150),
    "Lasted": st.column_config.TextColumn(width=60),
    "Score": ANOMALY_COLUMNS["Score"],
    "Tactics": st.column_config.TextColumn(width="medium"),
    "Entities": st.column_config.TextColumn(width="medium"),
}


def frame_of(rows: Sequence[IncidentRow]) -> pl.DataFrame:
    """One line per incident; texts from logs made safe to show."""
    return pl.DataFrame(
        {
            "Severity": [[label_of(row.severity)] for row in rows],
            "Incident": [cell(row.title) for row in rows],
            "Anomalies": [row.anomalies for row in rows],
            "Last (UTC)": [seed_time(row.last_us) for row in rows],
            "Lasted": [age((row.last_us - row.first_us) / US_PER_S) for row in rows],
            "Score": [round(row.score / 10, 1) for row in rows],
            "Tactics": [cell(" → ".join(row.tactics)) for row in rows],
            "Entities": [cell(", ".join(name for _, name in row.entities)) for row in rows],
        }
    )


def _rows(desk: Desk) -> list[IncidentRow]:
    with desk.reader.reading() as connection:
        return incident_rows(connection)


def draw_incidents(desk: Desk, settings: Settings) -> None:
    """The list, those that grew last first."""
    table: LiveTable[IncidentRow] = LiveTable("incidents", "incident")
    rows = remembered("incidents", (desk.key, desk.pulse.findings), lambda: _rows(desk))
    st.subheader("Incidents", anchor=False)
    if not rows:
        st.caption("No incident so far: anomalies that belong together are grouped here.")
        return
    table.draw(
        desk.key,
        rows,
        frame_of,
        COLUMNS,
        height=HEIGHT if len(rows) > ROWS_IN_VIEW else "content",
        alt=f"{len(rows)} incidents, the latest first",
    )
    if table.selected is not None:
        draw_incident(desk, table.selected, settings)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text("The anomalies below are those of the selected incident.", width="content")
            st.button(
                "Show all",
                key="incidents:clear",
                on_click=table.select,
                args=(None,),
                icon=":material/close:",
                type="tertiary",
            )
