"""One incident: the note that code makes of its anomalies, in any of the views."""

from __future__ import annotations

import streamlit as st

from livesec.core.clock import US_PER_S
from livesec.core.explanation import Explanation
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.explanation_view import Subject, draw_explanation
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import MARKS
from livesec.dashboard.wording import age, utc
from livesec.explain.incident_note import write_incident
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import IncidentRow, incident_row


def _note(desk: Desk, incident_id: str) -> tuple[IncidentRow, Explanation] | None:
    with desk.reader.reading() as connection:
        row = incident_row(connection, incident_id)
        return None if row is None else (row, write_incident(row, incident_members(connection, incident_id)))


def draw_incident(desk: Desk, incident_id: str, settings: Settings) -> None:
    """The note about the incident; nothing where it is not in the store."""
    found = remembered("incident", (desk.key, incident_id, desk.pulse.findings), lambda: _note(desk, incident_id))
    if found is None:
        return
    row, note = found
    with st.container(border=True, gap="xsmall", key="incident_panel"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if row.severity in SEVERITIES:
                mark = MARKS[Severity(row.severity)]
                st.badge(mark.label, color=mark.color)
            st.badge(f"{row.score / 10:.1f} of 10", color="gray", icon=":material/speed:")
            lasted = age((row.last_us - row.first_us) / US_PER_S)
            st.text(f"{row.anomalies:,d} anomalies · {utc(row.first_us)}, over {lasted}", width="stretch")
        st.code(shown(row.title), language=None, wrap_lines=True)
        draw_explanation(desk, Subject("incident", row.id, row.severity, note), settings)
