"""Ask the co-pilot: a question or a typed command, and answers out of the store."""

from __future__ import annotations

import streamlit as st

from livesec.copilot.chat import MAX_QUESTION_CHARACTERS
from livesec.copilot.conversation import SUGGESTIONS
from livesec.copilot.typed_commands import help_text
from livesec.core.settings import Settings
from livesec.core.text import shown
from livesec.dashboard.answer_view import OPENED, draw_turn
from livesec.dashboard.ask_state import AskState, Entry, ask_state, begin_anew, is_waiting
from livesec.dashboard.desk_store import Desk
from livesec.explain.endpoint import endpoint_of

POLL_S = 1.0
"""How often an answer of a model is looked for."""
HEIGHT = 520
_POLLING = "ask:polling"


def poll_s() -> float | None:
    """How often the section must redraw itself now; None: only when something on it is used."""
    st.session_state[_POLLING] = is_waiting()
    return POLL_S if st.session_state[_POLLING] else None


def draw_ask(desk: Desk, settings: Settings) -> None:
    """The section: what it can, suggestions, the conversation so far, and the line to type in."""
    state = ask_state(desk, settings)
    if st.session_state.pop(OPENED, False) or state.is_waiting != st.session_state.get(_POLLING, False):
        st.rerun()  # the lists above show what was opened; or how often this part redraws itself has changed
    st.subheader("Ask the co-pilot", anchor=False)
    _draw_manner(state, settings)
    _draw_suggestions(state)
    if state.entries:
        with st.container(height=HEIGHT, border=True, autoscroll=True, key="ask_answers"):
            for entry in state.entries:
                _draw_entry(entry)
    st.chat_input(
        "Ask, or type: top ips 24h",
        key="ask_input",
        max_chars=MAX_QUESTION_CHARACTERS,
        disabled=state.is_waiting,
        on_submit=_submit,
        args=(state,),
    )


def _submit(state: AskState) -> None:
    text = st.session_state.get("ask_input")
    if isinstance(text, str):
        state.ask(text)


def _draw_manner(state: AskState, settings: Settings) -> None:
    endpoint = endpoint_of(settings)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if endpoint is None:
            st.badge("Deterministic", color="gray", icon=":material/rule:")
            st.text("No model is configured: typed commands are answered by code, and nothing leaves this machine.")
            return
        st.badge("Model", color="blue", icon=":material/smart_toy:")
        where = "on this machine" if endpoint.is_local else "beyond this machine"
        manner = "with pseudonyms, without log lines" if endpoint.redacts else "as they are"
        st.text(
            f"Questions in words go to {shown(endpoint.model, 80)} at {endpoint.address} ({where}), and answers of the "
            f"tools with them, {manner}. Typed commands are answered by code.",
            width="stretch",
        )


def _draw_suggestions(state: AskState) -> None:
    with st.container(horizontal=True, gap="small", key="ask_suggestions"):
        for place, suggestion in enumerate(SUGGESTIONS):
            st.button(
                suggestion,
                key=f"ask_suggestion_{place}",
                on_click=state.ask,
                args=(suggestion,),
                disabled=state.is_waiting,
            )
        st.button("help", key="ask_help", icon=":material/help:", on_click=state.ask, args=("help",))
        if state.entries:
            st.button(
                "Begin anew", key="ask_anew", icon=":material/delete_sweep:", on_click=begin_anew, type="tertiary"
            )


def _draw_entry(entry: Entry) -> None:
    with st.chat_message("user", avatar=":material/person:"):
        st.text(shown(entry.question, MAX_QUESTION_CHARACTERS))
    with st.chat_message("assistant", avatar=":material/shield:"):
        if entry.is_waiting:
            st.text("Looking it up ...")
        elif entry.problem:
            st.text(shown(entry.problem, 2_000))
        elif entry.turn is not None and entry.turn.text == help_text():
            st.code(entry.turn.text, language=None, wrap_lines=True)
        elif entry.turn is not None:
            draw_turn(entry.turn, entry.number)
