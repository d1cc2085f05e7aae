"""One anomaly or incident explained while somebody waits: from the store, or by asking the model at once.

It goes through the same gate, checks and counts as the worker's questions. Where no model is set, the store is only
read.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from livesec.core.errors import UsageError
from livesec.core.explanation import Explanation
from livesec.core.settings import Settings
from livesec.core.severity import SEVERITIES, Severity
from livesec.explain.breaker import is_endpoints_fault
from livesec.explain.endpoint import Endpoint, endpoint_of
from livesec.explain.model_call import View
from livesec.explain.prompt import Mode
from livesec.runners.explaining import Explaining, Outcome
from livesec.runners.model_questions import prepared_for, sent_of
from livesec.runners.subject_facts import facts_of
from livesec.store.explanation_queue import Item, item_of
from livesec.store.explanations import TemplateUse, sent_text, template_performance, worded_explanation
from livesec.store.open import reader_engine
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import Subject, find_subject, ids_beginning_with

Waiting = Callable[[str], AbstractContextManager[object]]
"""Shown, with a text, while the model is asked."""
_NOT_SET = "no model is set; see README, `OPENAI_BASE_URL`"


def _no_sign(_text: str) -> AbstractContextManager[object]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Explained:
    """One view of a subject, in a model's words or ours."""

    subject_id: str
    kind: str
    severity: Severity
    view: View
    explanation: Explanation
    problem: str = ""
    """Why the model did not word it, though it was asked or should have been."""


class ExplainNow:
    """Explains what the store `db` holds. Raises LiveSecError where there is no store."""

    def __init__(self, db: str, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._engine = reader_engine(db)
        self._endpoint = endpoint_of(settings)

    def find(self, prefix: str) -> Subject:
        """The anomaly or incident whose id begins so. Raises UsageError where there is none, or more than one."""
        with self._engine.connect() as connection:
            found = ids_beginning_with(connection, prefix) if prefix else []
            subject = find_subject(connection, found[0]) if len(found) == 1 else None
        if subject is None:
            why = (
                f"several begin so: {', '.join(found)}" if found else "no anomaly or incident has an id that begins so"
            )
            raise UsageError(f"{prefix}: {why}; `livesec export` and the desk show ids")
        return subject

    def explain(self, subject: Subject, view: View, *, refresh: bool, waiting: Waiting = _no_sign) -> Explained:
        """`view` of `subject`: the model's words that are there, else by asking now, else the deterministic record."""
        with self._engine.connect() as connection:
            worded = worded_explanation(connection, subject.id, view)
            written = self._written(connection, subject)
        problem = ""
        if self._endpoint is None:
            problem = _NOT_SET if refresh else ""
        elif refresh or worded is None:
            with waiting(f"asking {self._endpoint.model} for up to {self._endpoint.timeout_s:.0f} s"):
                outcome = self._ask(self._endpoint, subject, view)
            worded, problem = outcome.explanation or worded, outcome.reason
        if worded is None:
            worded = replace(written, provenance=replace(written.provenance, reason=problem))
        return Explained(subject.id, subject.kind, SEVERITIES[subject.severity], view, worded, problem)

    def _written(self, connection: Connection, subject: Subject) -> Explanation:
        facts = facts_of(connection, subject, self._settings.format_files)
        if facts is None:
            raise UsageError(f"{subject.id}: it is no longer in the store")
        return facts.written

    def _ask(self, endpoint: Endpoint, subject: Subject, view: View) -> Outcome:
        """Once, and once more after an answer of no use."""
        item: Item = item_of(subject, view, is_default=view == self._settings.explain_view, by_person=True)
        store = SecondWriter(self._db)
        try:
            explaining = Explaining(store, endpoint, self._settings)
            outcome = explaining.word(item, Mode.SPECIFIC)
            if outcome.failure is not None and not is_endpoints_fault(outcome.failure):
                outcome = explaining.word(replace(item, rejected=item.rejected + 1), Mode.SPECIFIC)
        finally:
            store.close()
        return outcome

    def sent(self, subject: Subject, view: View) -> tuple[str, bool]:
        """(text, whether it was sent): what was sent for `view`, else what `explain` would send."""
        settings = self._settings
        with self._engine.connect() as connection:
            sent = sent_text(connection, subject.id, view)
            facts = None if sent is not None else facts_of(connection, subject, settings.format_files)
        if sent is not None:
            return sent, True
        if facts is None:
            raise UsageError(f"{subject.id}: it is no longer in the store")
        # where none is set: as to a server that is not on this machine
        redacts = settings.explain_redact is not False
        endpoint = self._endpoint or Endpoint(None, settings.explain_model, False, 0.0, "chat", redacts, "")
        return sent_of(prepared_for(facts, view, Mode.SPECIFIC, endpoint, settings).request), False

    def performance(self) -> list[TemplateUse]:
        """Of every template that was used or failed."""
        with self._engine.connect() as connection:
            return template_performance(connection)
