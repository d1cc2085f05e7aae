"""An answer on the page: a model's checked words, what the tools found, and the calls. All of it as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl
import streamlit as st
from streamlit.typing import DataframeState

from livesec.copilot.answer import Answer, Cell, Table
from livesec.copilot.chat import Turn
from livesec.core.text import shown
from livesec.dashboard.live_table import LiveTable
from livesec.dashboard.severity_marks import label_of
from livesec.dashboard.wording import cell

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

LINE_CHARACTERS = 4_000
OPENED = "ask:opened"
"""Session slot: a row of an answer was selected, so the lists above have changed."""
_LISTS = {"anomalies": "anomaly", "incidents": "incident"}
"""Tables whose rows open on the page, with the query parameter of the list."""
LEAST_FACTS = 3
"""Fewer stand in the title already."""
_TENTHS = ("score", "worst score", "points", "risk", "judged percent")
_WIDE = ("description", "text", "line", "title", "path", "error", "reason")


def draw_turn(turn: Turn, number: int) -> None:
    """`turn`, the `number`-th of the session."""
    _draw_writer(turn)
    if turn.text is not None:
        st.text("\n".join(shown(line, LINE_CHARACTERS) for line in turn.text.split("\n")))
    if turn.why:
        st.warning("There is no answer in words. What the tools found is shown instead.", icon=":material/block:")
        st.text(shown(turn.why, LINE_CHARACTERS))
    if turn.text is None:
        for place, call in enumerate(turn.calls):
            if call.answer is not None:
                draw_answer(call.answer, f"ask:{number}:{place}")
    if turn.calls:
        _draw_calls(turn, number)


def _draw_writer(turn: Turn) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not turn.model:
            st.badge("Deterministic", color="gray", icon=":material/rule:", help="Answered by code, without a model")
            return
        st.badge("Model", color="blue", icon=":material/smart_toy:", help="In a model's words, checked by code")
        manner = " · with pseudonyms" if turn.is_redacted else ""
        spent = f"{turn.latency_ms / 1000:.1f} s · {turn.tokens:,d} tokens"
        st.text(f"{shown(turn.model, 80)} · {spent}{manner}", width="stretch")


def _draw_calls(turn: Turn, number: int) -> None:
    with st.expander("What was looked up", icon=":material/manage_search:"):
        for place, call in enumerate(turn.calls, 1):
            st.code(f"{place}. {shown(call.tool, 60)} {shown(call.arguments, 300)}", language=None, wrap_lines=True)
            if call.answer is None:
                st.text(shown(call.problem))
            elif turn.text is not None:
                draw_answer(call.answer, f"ask:calls:{number}:{place}", opens=False)


def draw_answer(answer: Answer, key: str, *, opens: bool = True) -> None:
    """One tool's answer. `key` is its own; with `opens`, rows about anomalies and incidents open them."""
    st.text(shown(answer.title))
    facts = [(name, value) for name, value in answer.facts.items() if value not in (None, "")]
    if len(facts) >= LEAST_FACTS:
        width = max(len(name) for name, _ in facts) + 2
        lines = [f"{name.replace('_', ' '):{width}}{shown(_fact(value))}" for name, value in facts]
        st.code("\n".join(lines), language=None, wrap_lines=True)
    for place, item in enumerate(answer.tables):
        if item.rows:
            _draw_table(item, f"{key}:{place}", opens=opens and item.name in _LISTS and item.columns[0] == "id")
    for note in answer.notes:
        st.text(shown(note))


def _fact(value: Cell) -> str:
    return f"{value:,d}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def frame_of(item: Table) -> pl.DataFrame:
    """A table with the columns that hold anything; numbers as numbers, texts made safe."""
    columns: dict[str, Sequence[object]] = {}
    for at, name in enumerate(item.columns):
        values = [row[at] for row in item.rows]
        if all(value in (None, "") for value in values):
            continue
        if name == "severity":
            values = [label_of(str(value)) for value in values]
        elif any(not isinstance(value, int | float | None) or isinstance(value, bool) for value in values):
            values = [cell(None if value is None else str(value)) for value in values]
        columns[name.replace("_", " ")] = values
    return pl.DataFrame(columns, strict=False)


def _draw_table(item: Table, key: str, *, opens: bool) -> None:
    frame = frame_of(item)
    config = {name: st.column_config.TextColumn(width="large") for name in frame.columns if name in _WIDE}
    tenths = {name: st.column_config.NumberColumn(format="%.1f") for name in frame.columns if name in _TENTHS}
    columns: dict[str, ColumnConfig] = {**config, **tenths}
    if not opens:
        st.dataframe(frame, key=key, hide_index=True, column_config=columns, alt="A table of the answer")
        return

    def open_selected() -> None:
        state: DataframeState | None = st.session_state.get(key)
        rows = list(state["selection"]["rows"]) if state else []
        if rows and rows[0] < len(item.rows):
            LiveTable[LiveRow](item.name, _LISTS[item.name]).select(str(item.rows[rows[0]][0]))
            st.session_state[OPENED] = True

    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        column_config=columns,
        on_select=open_selected,
        selection_mode="single-row",
        alt="A table of the answer; a selected row opens above",
    )


class LiveRow:
    """A row that is known by its id alone."""

    id: str
