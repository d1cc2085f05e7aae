"""One anomaly: what happened, why it counts, the lines that led to it, the numbers, what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import streamlit as st

from livesec.core.attack import tactics_of, technique_name
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.explanation_view import Subject, draw_explanation
from livesec.dashboard.severity_marks import MARKS
from livesec.dashboard.wording import shown_bytes, shown_json, utc
from livesec.store.anomaly_queries import AnomalyDetail, EvidenceView

NO_LONGER_READABLE = "(no longer readable)"
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?", re.ASCII)


def draw_anomaly(
    desk: Desk, detail: AnomalyDetail | None, settings: Settings, on_close: Callable[[None], None]
) -> None:
    """The panel; `on_close(None)` is called by its close button."""
    with st.container(border=True, gap="xsmall"):
        if detail is None:
            st.info("This anomaly is not, or no longer, in the store.", icon=":material/search_off:")
            st.button("Close", key="anomaly:close", on_click=on_close, args=(None,), icon=":material/close:")
            return
        _draw_head(detail, on_close)
        subject = Subject("anomaly", detail.row.id, detail.row.severity, detail.written)
        draw_explanation(desk, subject, settings)
        _draw_evidence(detail.evidence)
        _draw_techniques(detail.techniques)
        st.markdown("**The numbers behind it**")
        st.json(shown_json(detail.details), expanded=True)
        _draw_facts(detail)


def _draw_head(detail: AnomalyDetail, on_close: Callable[[None], None]) -> None:
    row = detail.row
    with st.container(horizontal=True, vertical_alignment="center"):
        if row.severity in SEVERITIES:
            mark = MARKS[Severity(row.severity)]
            st.badge(mark.label, color=mark.color)
        st.badge(f"{row.score / 10:.1f} of 10", color="gray", icon=":material/speed:")
        if row.historical:
            st.badge(
                "From history",
                color="gray",
                icon=":material/history:",
                help="In the log before the first look",
            )
        st.text(f"{shown(row.type)} · {utc(row.time_us)}", width="stretch")
        st.button(
            "Close",
            key="anomaly:close",
            on_click=on_close,
            args=(None,),
            icon=":material/close:",
            type="tertiary",
        )
    st.code(shown(detail.description), language=None, wrap_lines=True)


def evidence_blocks(evidence: Sequence[EvidenceView]) -> list[tuple[str, str]]:
    """(where, lines) per file, in order, the lines numbered as they are cited; texts made safe to show."""
    blocks: list[tuple[str, list[EvidenceView], list[str]]] = []
    for number, line in enumerate(evidence, 1):
        if not blocks or blocks[-1][0] != line.path:
            blocks.append((line.path, [], []))
        blocks[-1][1].append(line)
        blocks[-1][2].append(f"L{number}  {shown_bytes(line.line) if line.length else NO_LONGER_READABLE}")
    return [(_where(path, lines), "\n".join(texts)) for path, lines, texts in blocks]


def _where(path: str, lines: Sequence[EvidenceView]) -> str:
    readable = [line for line in lines if line.length]
    if not readable:
        return shown(path)
    return f"{shown(path)} · bytes {readable[0].offset:,d} to {readable[-1].offset + readable[-1].length:,d}"


def _draw_evidence(evidence: Sequence[EvidenceView]) -> None:
    st.markdown("**Evidence: the lines that led to it**")
    if not evidence:
        st.caption("No line was kept for this anomaly.")
    for where, lines in evidence_blocks(evidence):
        st.text(where)
        st.code(lines, language=None, wrap_lines=True)


def technique_lines(techniques: Sequence[str]) -> list[str]:
    """`T1110.001 Brute Force (credential-access)` for each technique; an unknown one as it is.

    >>> technique_lines(["T1110.001", "T0000"])
    ['T1110.001 Brute Force (credential-access)', 'T0000']
    """
    lines = []
    for technique in techniques:
        try:
            known = _TECHNIQUE.fullmatch(technique) is not None
            lines.append(
                f"{technique} {technique_name(technique)} ({', '.join(tactics_of([technique]))})"
                if known
                else shown(technique)
            )
        except KeyError:
            lines.append(technique)
    return lines


def _draw_techniques(techniques: Sequence[str]) -> None:
    if techniques:
        st.markdown("**MITRE ATT&CK**")
        st.text("\n".join(technique_lines(techniques)))


def _draw_facts(detail: AnomalyDetail) -> None:
    facts = {
        "user": detail.user,
        "source": detail.src_ip,
        "destination": detail.dst_ip,
        "host": detail.host,
        "incident": detail.row.incident_id,
        "status": detail.row.status,
        "confidence": f"{detail.confidence:.2f}",
        "found": utc(detail.committed_us),
        "id": detail.row.id,
    }
    st.code(
        "\n".join(f"{name:12} {shown(value)}" for name, value in facts.items() if value), language=None, wrap_lines=True
    )
