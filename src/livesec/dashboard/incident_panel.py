"""One incident: the note that code makes of its anomalies, in any of the views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from livesec.core.clock import US_PER_S, seed_time
from livesec.core.explanation import Explanation
from livesec.core.incident_member import IncidentMember
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.explanation_view import Subject, draw_explanation
from livesec.dashboard.memo import remembered
from livesec.dashboard.severity_marks import MARKS
from livesec.dashboard.wording import age, utc
from livesec.explain.incident_note import MOST_CITED, write_incident
from livesec.store.incident_members import incident_members
from livesec.store.incident_queries import IncidentRow, incident_row

HEIGHT = 440
"""Of the note, which scrolls: the incident's anomalies below it stay near."""


@dataclass(frozen=True, slots=True)
class _Incident:
    row: IncidentRow
    members: Sequence[IncidentMember]
    note: Explanation


def _incident(desk: Desk, incident_id: str) -> _Incident | None:
    with desk.reader.reading() as connection:
        row = incident_row(connection, incident_id)
        members = [] if row is None else incident_members(connection, incident_id)
    return None if row is None else _Incident(row, members, write_incident(row, members))


def draw_incident(desk: Desk, incident_id: str, settings: Settings) -> None:
    """The note about the incident; nothing where it is not in the store."""
    found = remembered("incident", (desk.key, incident_id, desk.pulse.findings), lambda: _incident(desk, incident_id))
    if found is None:
        return
    row = found.row
    with st.container(border=True, gap="xsmall", key="incident_panel"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if row.severity in SEVERITIES:
                mark = MARKS[Severity(row.severity)]
                st.badge(mark.label, color=mark.color)
            st.badge(f"{row.score / 10:.1f} of 10", color="gray", icon=":material/speed:")
            lasted = age((row.last_us - row.first_us) / US_PER_S)
            st.text(f"{row.anomalies:,d} anomalies · {utc(row.first_us)}, over {lasted}", width="stretch")
        st.code(shown(row.title), language=None, wrap_lines=True)
        with st.container(height=HEIGHT, border=False, gap="xsmall"):
            draw_explanation(desk, Subject("incident", row.id, row.severity, found.note), settings)
            _draw_cited(found.members)


def cited_lines(members: Sequence[IncidentMember]) -> list[str]:
    """The anomalies by the numbers under which the note cites them; texts made safe to show."""
    return [
        f"L{number}  {seed_time(member.time_us)}  {shown(member.severity):8}  {shown(member.type)}: "
        f"{shown(member.description)}"
        for number, member in enumerate(members[:MOST_CITED], 1)
    ]


def _draw_cited(members: Sequence[IncidentMember]) -> None:
    st.markdown("**Evidence: its anomalies, as they are cited**")
    st.code("\n".join(cited_lines(members)), language=None, wrap_lines=True)
