"""One anomaly: what happened, why it counts, the lines that led to it, the numbers, what to do next."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from livesec.core.attack import tactics_of, technique_name
from livesec.core.explanation import DETERMINISTIC
from livesec.core.severity import SEVERITIES, Severity
from livesec.core.text import shown
from livesec.dashboard.severity_marks import MARKS
from livesec.dashboard.wording import shown_bytes, shown_json, utc
from livesec.store.anomaly_queries import AnomalyDetail, EvidenceView

LONG_TEXT = 4_000
_TECHNIQUE = re.compile(r"T\d{4}(\.\d{3})?", re.ASCII)


def draw_anomaly(detail: AnomalyDetail | None, on_close: Callable[[None], None]) -> None:
    """The panel; `on_close(None)` is called by its close button."""
    with st.container(border=True, gap="xsmall"):
        if detail is None:
            st.info("This anomaly is not, or no longer, in the store.", icon=":material/search_off:")
            st.button("Close", key="anomaly:close", on_click=on_close, args=(None,), icon=":material/close:")
            return
        _draw_head(detail, on_close)
        _draw_meaning(detail)
        _draw_evidence(detail.evidence)
        _draw_next_steps(detail)
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


def _texts(values: Sequence[str]) -> list[str]:
    return [shown(item, LONG_TEXT) for item in values]


def _draw_meaning(detail: AnomalyDetail) -> None:
    explanation = detail.explanation
    _draw_section("**What it means**", explanation.meaning)
    _draw_section("**What is usual**", explanation.usual)
    _draw_section("**Why this score**", explanation.score_text())
    alternatives = _texts(explanation.alternatives)
    if alternatives:
        st.markdown("**It could also be**")
        st.text("\n".join(f"• {text}" for text in alternatives))
    if explanation.provenance.writer != DETERMINISTIC:
        st.text(f"Worded by {shown(explanation.provenance.writer)}; every figure is from the log.")


def _draw_next_steps(detail: AnomalyDetail) -> None:
    steps = _texts([step.text for step in detail.explanation.next_steps])
    if steps:
        st.markdown("**Next steps**")
        st.code("\n".join(steps), language=None, wrap_lines=True)


def shown_lines(text: str) -> str:
    """Text of several lines made safe to show, its line breaks kept."""
    return "\n".join(shown(line, LONG_TEXT) for line in text.splitlines())


def _draw_section(
    heading: Literal["**What it means**", "**What is usual**", "**Why this score**"], text: object
) -> None:
    if isinstance(text, str) and text:
        st.markdown(heading)
        st.text(shown_lines(text))


def evidence_blocks(evidence: Sequence[EvidenceView]) -> list[tuple[str, str]]:
    """(where, lines) per file, in order; texts made safe to show."""
    blocks: list[tuple[str, list[EvidenceView]]] = []
    for line in evidence:
        if not blocks or blocks[-1][0] != line.path:
            blocks.append((line.path, []))
        blocks[-1][1].append(line)
    return [
        (
            f"{shown(path)} · bytes {lines[0].offset:,d} to {lines[-1].offset + lines[-1].length:,d}",
            "\n".join(shown_bytes(line.line) for line in lines),
        )
        for path, lines in blocks
    ]


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
