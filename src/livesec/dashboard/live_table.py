"""A table that grows while somebody reads it.

Streamlit knows a selection by its position only. So the selected id is what is kept, new rows wait behind a
button while a row is selected, and the position is set again whenever the rows move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, cast

import polars as pl
import streamlit as st
from streamlit.typing import DataframeState

if TYPE_CHECKING:
    from streamlit.elements.lib.column_config_utils import ColumnConfigMappingInput


class Identified(Protocol):
    """A row with an id of its own."""

    @property
    def id(self) -> str:
        """The same for ever."""


R = TypeVar("R", bound=Identified)


@dataclass(frozen=True, slots=True)
class Shown(Generic[R]):
    """What the browser shows: rows, and the question that they answer."""

    question: object
    rows: Sequence[R]


def rows_to_show(
    held: Shown[R] | None, question: object, rows: Sequence[R], selected: str | None
) -> tuple[Sequence[R], int]:
    """The rows to show and how many new ones wait: the held ones while a row of them is selected, else all."""
    if held is None or held.question != question or selected is None:
        return rows, 0
    known = {row.id for row in held.rows}
    if selected not in known:
        return rows, 0
    return held.rows, sum(row.id not in known for row in rows)


class LiveTable(Generic[R]):
    """A table by its name, which is its key in the session; `query_parameter` holds the selected id in the URL."""

    def __init__(self, name: str, query_parameter: str | None = None) -> None:
        self._name = name
        self._parameter = query_parameter
        self._selected_slot = f"{name}:selected"
        self._shown_slot = f"{name}:shown"
        self._left_slot = f"{name}:left"
        if self._selected_slot not in st.session_state:
            st.session_state[self._selected_slot] = (
                st.query_params.get(query_parameter) if query_parameter else None
            ) or None

    @property
    def selected(self) -> str | None:
        """The id of the selected row; it may be beyond the rows shown, as after following a link."""
        return cast("str | None", st.session_state[self._selected_slot])

    def select(self, row_id: str | None) -> None:
        """Select a row by id, or none. To be called from a callback, before the page is drawn."""
        st.session_state[self._selected_slot] = row_id
        if self._parameter is None:
            return
        if row_id is None:
            st.query_params.pop(self._parameter, None)
        else:
            st.query_params[self._parameter] = row_id

    def _take_selection(self) -> None:
        shown = cast("Shown[R] | None", st.session_state.get(self._shown_slot))
        positions = self._positions()
        if positions and positions == st.session_state.pop(self._left_slot, None):
            return  # not somebody's choice: a busy browser tells late where the selected row stood before it moved
        chosen = [shown.rows[position].id for position in positions if position < len(shown.rows)] if shown else []
        self.select(chosen[0] if chosen else None)

    def _positions(self) -> list[int]:
        # What the browser chose, or what was set here; the one is a DataframeState, the other a plain dict like it.
        state = cast("DataframeState | None", st.session_state.get(self._name))
        return list(state["selection"]["rows"]) if state else []

    def _release(self) -> None:
        st.session_state.pop(self._shown_slot, None)

    def draw(
        self,
        question: object,
        rows: Sequence[R],
        frame_of: Callable[[Sequence[R]], pl.DataFrame],
        columns: ColumnConfigMappingInput,
        *,
        height: int | Literal["content", "stretch"],
        alt: str,
    ) -> None:
        """Draw `rows`, which answer `question`, or those held. `frame_of` makes the frame with one row per row."""
        held = cast("Shown[R] | None", st.session_state.get(self._shown_slot))
        shown_rows, waiting = rows_to_show(held, question, rows, self.selected)
        st.session_state[self._shown_slot] = Shown(question, shown_rows)
        if waiting:
            st.button(
                f"{waiting:,d} new, show",
                key=f"{self._name}:release",
                on_click=self._release,
                icon=":material/arrow_upward:",
            )
        self._set_position(shown_rows)
        st.dataframe(
            frame_of(shown_rows),
            key=self._name,
            on_select=self._take_selection,
            selection_mode="single-row",
            hide_index=True,
            column_config=columns,
            height=height,
            placeholder="",
            alt=alt,
        )

    def _set_position(self, rows: Sequence[R]) -> None:
        wanted = [position for position, row in enumerate(rows) if row.id == self.selected]
        left = self._positions()
        st.session_state[self._left_slot] = left if left != wanted else None
        if left != wanted:
            st.session_state[self._name] = {"selection": {"rows": wanted, "columns": [], "cells": []}}
