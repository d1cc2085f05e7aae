"""An explanation on the page: one of five views of the record, or all of them, who worded it, and what was sent.

Whatever a model wrote went through `explain.checks` before it came into the store; here it is shown as text all the
same, and never as Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st
from sqlalchemy import Connection

from livesec.core.errors import LiveSecError
from livesec.core.explanation import DETERMINISTIC, Explanation, Provenance
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.explain.endpoint import endpoint_of
from livesec.explain.model_call import View
from livesec.explain.views import Section, page
from livesec.store.explanation_queue import request_view
from livesec.store.explanations import sent_text, shown_explanation, worded_explanation

VIEW_LABELS = {
    View.TECHNICAL_EXPERT: "Technical",
    View.RISK_ASSESSOR: "Risk",
    View.INCIDENT_RESPONDER: "Response",
    View.THREAT_INTELLIGENCE: "Intelligence",
    View.EXECUTIVE_BRIEFING: "Executive",
}
CARD_WIDTH = 380
SENT_CHARACTERS = 20_000
_NOT_ASKED = "a model was not asked for this view"
_TECHNIQUES = "ATT&CK"
_HEADING = re.compile(r"[A-Za-z][A-Za-z &,'/-]{0,60}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: an anomaly or an incident."""

    kind: str
    """`anomaly` or `incident`: part of the keys of what is drawn."""
    id: str
    severity: str
    written: Explanation
    """The deterministic record."""


def bold(heading: str) -> str:
    """A heading of a view as bold Markdown; "" where it holds anything but letters and a few signs.

    >>> bold("Why this score"), bold("![x](http://203.0.113.66/)")
    ('**Why this score**', '')
    """
    return f"**{heading}**" if _HEADING.fullmatch(heading) else ""


def explanation_of(connection: Connection, subject: Subject, view: View) -> Explanation:
    """The model's wording of `view` where there is one, else the deterministic record with the reason why."""
    worded = worded_explanation(connection, subject.id, view)
    if worded is not None:
        return worded
    default = shown_explanation(connection, subject.id, subject.written)
    if default.provenance.writer == DETERMINISTIC:
        return default
    return replace(subject.written, provenance=replace(subject.written.provenance, reason=_NOT_ASKED))


def provenance_text(provenance: Provenance, settings: Settings) -> str:
    """Who worded it and how, in one line that is safe to show as text.

    >>> provenance_text(Provenance(), Settings())
    'Worded by code: no model is configured'
    """
    if provenance.writer == DETERMINISTIC:
        reason = provenance.reason or ("no model is configured" if endpoint_of(settings) is None else "")
        return f"Worded by code: {shown(reason)}" if reason else "Worded by code"
    parts = [f"Worded by {shown(provenance.writer, 80)}", shown(provenance.template, 60)]
    if provenance.cached:
        parts.append("from a kept answer")
    elif provenance.latency_ms or provenance.tokens:
        parts += [f"{provenance.latency_ms / 1000:.1f} s", f"{provenance.tokens:,d} tokens"]
    parts.append("asked with pseudonyms or placeholders" if provenance.redacted else "asked as it is")
    return " · ".join(part for part in parts if part)


def draw_explanation(desk: Desk, subject: Subject, settings: Settings) -> None:
    """The choice of views and what it shows."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        view = st.segmented_control(
            "For whom",
            list(VIEW_LABELS),
            format_func=VIEW_LABELS.__getitem__,
            default=View(settings.explain_view),
            required=True,
            key=f"{subject.kind}_view",
            label_visibility="collapsed",
            wrap=True,
        )
        compares = st.toggle("Compare all", key=f"{subject.kind}_compare")
    views = list(View) if compares else [view or View.TECHNICAL_EXPERT]
    with desk.reader.reading() as connection:
        found = [(item, explanation_of(connection, subject, item)) for item in views]
        sent = [(item, sent_text(connection, subject.id, item)) for item in views]
    if not compares:
        _draw_view(found[0][1], found[0][0], subject, settings)
    else:
        with st.container(horizontal=True, gap="small"):
            for item, explanation in found:
                with st.container(border=True, width=CARD_WIDTH, gap="xsmall", key=f"{subject.kind}_card_{item}"):
                    st.badge(VIEW_LABELS[item], color="gray", icon=":material/groups:")
                    _draw_view(explanation, item, subject, settings)
    _draw_request(desk, subject, found, settings)
    _draw_sent(sent)


def _draw_view(explanation: Explanation, view: View, subject: Subject, settings: Settings) -> None:
    _draw_provenance(explanation.provenance, settings)
    severity = Severity(subject.severity) if subject.severity in SEVERITIES else Severity.LOW
    commands = {shown(step.text, SENT_CHARACTERS) for step in explanation.next_steps if step.command is not None}
    for section in page(explanation, view, severity):
        if not (section.heading == _TECHNIQUES and subject.kind == "anomaly"):  # its panel lists them anyway
            _draw_section(section, commands)


def _draw_provenance(provenance: Provenance, settings: Settings) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if provenance.writer == DETERMINISTIC:
            st.badge("Deterministic", color="gray", icon=":material/rule:")
        else:
            st.badge("Model", color="blue", icon=":material/smart_toy:")
        if provenance.disagrees:
            st.badge(
                "Model disagrees",
                color="orange",
                icon=":material/contrast:",
                help="The model called it harmless. That is shown and changes nothing: the rating is code's.",
            )
        st.text(provenance_text(provenance, settings), width="stretch")


def _draw_section(section: Section, commands: set[str]) -> None:
    """A heading, then commands as code to copy and everything else as text."""
    st.markdown(bold(section.heading))
    texts: list[str] = []
    for line in section.lines:
        if line in commands:
            _draw_texts(texts)
            texts = []
            st.code(line, language=None, wrap_lines=True)
        else:
            texts.append(line)
    _draw_texts(texts)


def _draw_texts(texts: Sequence[str]) -> None:
    if len(texts) == 1:
        st.text(texts[0])
    elif texts:
        st.text("\n".join(f"• {text}" for text in texts))


def _draw_request(desk: Desk, subject: Subject, found: Sequence[tuple[View, Explanation]], settings: Settings) -> None:
    if endpoint_of(settings) is None:
        return
    missing = [view for view, explanation in found if explanation.provenance.writer == DETERMINISTIC]
    if missing:
        st.button(
            "Have the model word it",
            key=f"{subject.kind}_request",
            icon=":material/edit_note:",
            on_click=_request,
            args=(desk.db, subject.id, missing),
            help="Puts it before everything else that waits for the model; its words appear here by themselves",
        )


def _request(db: str, subject_id: str, views: Sequence[View]) -> None:
    try:
        for view in views:
            request_view(db, subject_id, view)
    except LiveSecError:
        st.toast("The store cannot be written just now: try again.", icon=":material/sync_problem:")
    else:
        st.toast("Asked. It appears here by itself.", icon=":material/schedule:")


def _draw_sent(sent: Sequence[tuple[View, str | None]]) -> None:
    texts = [(view, text) for view, text in sent if text is not None]
    if not texts:
        return
    with st.expander("What was sent to the model", icon=":material/outbound:"):
        for view, text in texts:
            st.caption(VIEW_LABELS[view])
            lines = (shown(line, SENT_CHARACTERS) for line in text[:SENT_CHARACTERS].split("\n"))
            st.code("\n".join(lines), language=None, wrap_lines=True, height=320)
