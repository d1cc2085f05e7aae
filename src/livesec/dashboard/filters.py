"""The filters above the lists. Each lives in the URL under its key, so that a view can be sent to a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from livesec.core.clock import US_PER_S
from livesec.dashboard.severity_marks import MARKS, WORST_FIRST
from livesec.store.activity_queries import US_PER_MINUTE
from livesec.store.anomaly_queries import AnomalyFilter

RANGES_S: dict[str, int | None] = {"1 h": 3_600, "24 h": 86_400, "7 d": 604_800, "All": None}
KEYS = ("severity", "range", "type", "q")
SEARCH_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the filters are set to."""

    severities: tuple[str, ...]
    types: tuple[str, ...]
    text: str
    window_s: int | None

    def anomaly_filter(self, now_us: int, incident_id: str | None = None) -> AnomalyFilter:
        """As a question to the store; the window ends at `now_us` and moves by whole minutes."""
        since_us = None
        if self.window_s is not None:
            since_us = (now_us - self.window_s * US_PER_S) // US_PER_MINUTE * US_PER_MINUTE
        return AnomalyFilter(self.severities, self.types, self.text, incident_id, since_us)

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.severities or self.types or self.text or self.window_s is not None)


def _clear() -> None:
    st.session_state["severity"] = []
    st.session_state["type"] = []
    st.session_state["q"] = ""
    st.session_state["range"] = "All"


def draw_filters(types: Sequence[str]) -> Chosen:
    """Draw the filters; `types` are the anomaly types to choose from."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        labels = {MARKS[severity].label: severity for severity in WORST_FIRST}
        severities = st.pills("Severity", list(labels), selection_mode="multi", key="severity", bind="query-params")
        window = st.segmented_control(
            "Time range", list(RANGES_S), default="All", required=True, key="range", bind="query-params"
        )
        chosen_types = st.multiselect(
            "Type", types, key="type", bind="query-params", placeholder="All types", width=260
        )
        text = st.text_input(
            "User, address, host or text",
            key="q",
            bind="query-params",
            type="search",
            max_chars=SEARCH_CHARACTERS,
            icon=":material/search:",
            placeholder="any",
            width=240,
        )
        st.button("Clear", icon=":material/filter_alt_off:", on_click=_clear, help="Show everything again")
    return Chosen(
        severities=tuple(str(labels[label]) for label in severities),
        types=tuple(chosen_types),
        text=(text or "").strip(),
        window_s=RANGES_S[window or "All"],
    )
