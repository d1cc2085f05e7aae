"""The questions of one browser session and what came of them; those to a model are waited for in a thread of their own.

A model may take minutes. The page goes on meanwhile: the thread only fills in an entry, and the page looks for it.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, field
from threading import Thread

import streamlit as st

from livesec.copilot.chat import Turn
from livesec.copilot.conversation import Conversation, open_conversation
from livesec.core.errors import LiveSecError
from livesec.core.settings import Settings
from livesec.dashboard.desk_store import Desk

MAX_ENTRIES = 12
"""Questions that stay on the page."""
_SLOT = "ask:state"
_log = logging.getLogger(__name__)


@dataclass
class Entry:
    """A question; `turn` or `problem` says what came of it once it is done."""

    number: int
    question: str
    turn: Turn | None = None
    problem: str = ""

    @property
    def is_waiting(self) -> bool:
        """Whether nothing has come of it yet."""
        return self.turn is None and not self.problem


@dataclass
class AskState:
    """A conversation as one session has it. `store` tells whose: another store begins another one."""

    store: tuple[object, ...]
    conversation: Conversation
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=MAX_ENTRIES))
    asked: int = 0

    @property
    def is_waiting(self) -> bool:
        """Whether an answer is waited for."""
        return any(entry.is_waiting for entry in self.entries)

    def ask(self, question: str) -> None:
        """Take a question up; one at a time."""
        if self.is_waiting or not question.strip():
            return
        self.asked += 1
        entry = Entry(self.asked, question.strip())
        self.entries.append(entry)
        if self.conversation.needs_model(entry.question):
            Thread(target=_answer, args=(self.conversation, entry), name="question", daemon=True).start()
        else:
            _answer(self.conversation, entry)


def _answer(conversation: Conversation, entry: Entry) -> None:
    try:
        entry.turn = conversation.ask(entry.question)
    except LiveSecError as error:
        entry.problem = str(error)
    except Exception:  # the entry must end, or the page waits for ever
        _log.exception("a question could not be answered")
        entry.problem = "this question could not be answered; the log of the desk says why"


def ask_state(desk: Desk, settings: Settings) -> AskState:
    """This session's, begun anew where the desk shows another store."""
    kept: AskState | None = st.session_state.get(_SLOT)
    if kept is None or kept.store != desk.key:
        kept = AskState(desk.key, open_conversation(settings, desk.reader))
        st.session_state[_SLOT] = kept
    return kept


def is_waiting() -> bool:
    """Whether this session waits for an answer."""
    kept: AskState | None = st.session_state.get(_SLOT)
    return kept is not None and kept.is_waiting


def begin_anew() -> None:
    """Forget the conversation."""
    st.session_state.pop(_SLOT, None)
