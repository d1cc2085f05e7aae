"""How the co-pilot is doing: where text goes, what waits, what it cost today, and how each template does."""

from __future__ import annotations

import os
from collections.abc import Sequence

import polars as pl
import streamlit as st

from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.dashboard.desk_store import Desk
from livesec.dashboard.wording import cell
from livesec.explain.endpoint import where_text_goes
from livesec.store.explanations import QueueSummary, TemplateUse, queue_summary, template_performance


def draw_copilot_health(desk: Desk, settings: Settings) -> None:
    """The tab."""
    with desk.reader.reading() as connection:
        queue = queue_summary(connection)
        uses = template_performance(connection)
    st.text(f"Text goes: {shown(where_text_goes(settings, os.environ), 600)}")
    st.text(queue_text(queue))
    if not uses:
        st.caption("No template was used so far: every explanation is worded by code.")
        return
    st.dataframe(
        template_frame(uses),
        key="templates",
        hide_index=True,
        column_config={
            "Seconds": st.column_config.NumberColumn(format="%.1f", help="Mean of an answer of the model"),
            "Characters": st.column_config.NumberColumn(format="localized", help="Mean length of an explanation"),
            "From kept answers": st.column_config.NumberColumn(format="localized", help="Without asking the model"),
        },
        alt="How each template of the co-pilot does",
    )


def queue_text(queue: QueueSummary) -> str:
    """What waits, what was done and what today cost, in one line."""
    parts = [
        f"{queue.waiting:,d} waiting",
        f"{queue.worked:,d} worded by a model, {queue.cached:,d} of them from kept answers",
        f"{queue.kept:,d} kept deterministic",
        f"{queue.calls_today:,d} calls and {queue.tokens_today:,d} tokens today",
    ]
    if queue.dropped:
        parts.insert(3, f"{queue.dropped:,d} dropped")
    return " · ".join(parts)


def template_frame(uses: Sequence[TemplateUse]) -> pl.DataFrame:
    """One line per template."""
    return pl.DataFrame(
        {
            "Template": [cell(use.template) for use in uses],
            "Used": [use.uses for use in uses],
            "From kept answers": [use.cached for use in uses],
            "Asked": [use.calls for use in uses],
            "Seconds": [use.latency_ms / 1000 for use in uses],
            "Characters": [round(use.characters) for use in uses],
            "Errors": [sum(use.errors.values()) for use in uses],
            "Which": [cell(", ".join(f"{name} {count}" for name, count in use.errors.items())) for use in uses],
        }
    )
