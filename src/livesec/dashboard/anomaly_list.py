"""The list of anomalies, and beside it all about the selected one."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from livesec.core.clock import seed_time
from livesec.core.settings import Settings
from livesec.dashboard.anomaly_panel import draw_anomaly
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.filters import Chosen
from livesec.dashboard.live_table import LiveTable
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import MARKS, WORST_FIRST, label_of
from livesec.dashboard.wording import amount, cell
from livesec.store.anomaly_queries import (
    MAX_ROWS,
    AnomalyDetail,
    AnomalyFilter,
    AnomalyRow,
    anomaly_detail,
    anomaly_rows,
    count_anomalies,
)

TABLE_HEIGHT = 430

# What and who come first: a phone shows no more without scrolling.
COLUMNS = {
    "Severity": st.column_config.MultiselectColumn(
        options=[MARKS[severity].label for severity in WORST_FIRST],
        color=[MARKS[severity].color for severity in WORST_FIRST],
        width=105,
    ),
    "Type": st.column_config.TextColumn(width=180),
    "Entity": st.column_config.TextColumn(width=170),
    "Time (UTC)": st.column_config.TextColumn(width=150),
    "Score": st.column_config.ProgressColumn(min_value=0, max_value=10, format="%.1f", width=90),
    "What happened": st.column_config.TextColumn(width="large"),
    "Status": st.column_config.TextColumn(width=70),
}


def frame_of(rows: Sequence[AnomalyRow]) -> pl.DataFrame:
    """One line per anomaly; texts from logs made safe to show."""
    return pl.DataFrame(
        {
            "Severity": [[label_of(row.severity)] for row in rows],
            "Type": [cell(row.type) for row in rows],
            "Entity": [cell(row.entity) for row in rows],
            "Time (UTC)": [seed_time(row.time_us) for row in rows],
            "Score": [round(row.score / 10, 1) for row in rows],
            "What happened": [cell(row.description) for row in rows],
            "Status": [cell(row.status) for row in rows],
        }
    )


def _rows(desk: Desk, wanted: AnomalyFilter) -> tuple[list[AnomalyRow], int]:
    with desk.reader.reading() as connection:
        return anomaly_rows(connection, wanted), count_anomalies(connection, wanted)


def _detail(desk: Desk, anomaly_id: str) -> AnomalyDetail | None:
    with desk.reader.reading() as connection:
        return anomaly_detail(connection, anomaly_id)


def draw_anomalies(desk: Desk, chosen: Chosen, settings: Settings) -> None:
    """The list under the filters, and the panel."""
    incident_id = LiveTable[AnomalyRow]("incidents", "incident").selected
    table: LiveTable[AnomalyRow] = LiveTable("anomalies", "anomaly")
    wanted = chosen.anomaly_filter(desk.now_us, incident_id)
    rows, count = remembered("anomalies", (desk.key, desk.pulse.findings, wanted), lambda: _rows(desk, wanted))
    st.subheader("Anomalies", anchor=False)
    if not rows and table.selected is None:
        _draw_empty(desk, chosen, incident_id)
        return
    if count > MAX_ROWS:
        st.text(f"The latest {MAX_ROWS:,d} of {count:,d}; narrow the filters to see others.")
    # Always two columns, so that the table keeps its place in the page when a row is selected.
    left, right = st.columns([1, 1] if table.selected else [0.999, 0.001], gap="small" if table.selected else None)
    with left:
        # The window moves each minute: that alone must not release the rows that are held.
        question = (chosen, incident_id, desk.key)
        table.draw(
            question,
            rows,
            frame_of,
            COLUMNS,
            height="stretch" if table.selected else TABLE_HEIGHT,  # as high as the panel beside it
            alt=f"Anomalies, the latest first: {amount(count)} in all",
        )
    with right:
        if table.selected is not None:
            anomaly_id = table.selected
            detail = remembered(
                "detail", (desk.key, anomaly_id, desk.pulse.findings), lambda: _detail(desk, anomaly_id)
            )
            draw_anomaly(desk, detail, settings, on_close=table.select)


def _draw_empty(desk: Desk, chosen: Chosen, incident_id: str | None) -> None:
    if desk.pulse.anomalies and (chosen.narrows or incident_id is not None):
        st.info("No anomaly matches the filters.", icon=":material/filter_alt:")
    elif desk.pulse.events:
        st.success(
            "No anomaly so far. New ones appear here by themselves, within seconds.",
            icon=":material/verified_user:",
        )
    else:
        st.info(
            "No log line was read so far. The health section below says what is being watched.",
            icon=":material/hourglass_empty:",
        )
