"""One explanation worded by a model: from the facts of a subject to the store, or to the reason why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from livesec.core.clock import US_PER_S, now_us
from livesec.core.explanation import Explanation, Provenance
from livesec.core.settings import Settings
from livesec.explain.breaker import is_endpoints_fault
from livesec.explain.checks import worded
from livesec.explain.endpoint import Endpoint
from livesec.explain.model_call import Failure, ModelError, View, WireAnswer
from livesec.explain.prompt import Mode, Prepared
from livesec.explain.together import together
from livesec.runners.company import Company
from livesec.runners.model_gate import ModelGate, NotNowError
from livesec.runners.model_questions import prepared_for, sent_of
from livesec.runners.subject_facts import facts_of
from livesec.store.answer_cache import KeptAnswer, keep_answer, kept_answer
from livesec.store.explainer_counts import add_to_count
from livesec.store.explanation_queue import Item, postpone, remove
from livesec.store.explanations import Wording, put_wording
from livesec.store.model_usage import add_error, add_use
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import INCIDENT, Subject, find_subject

MOST_ATTEMPTS = 8
"""Where the endpoint failed that often for one subject, its deterministic text stays."""
MOST_REJECTED = 2
"""An answer of no use is asked for once more, not again and again."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 30.0, 900.0
_SOON_S = 2.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one item."""

    explanation: Explanation | None = None
    """The model's wording, where there is one."""
    reason: str = ""
    """Why there is none."""
    failure: Failure | None = None
    until_us: int | None = None
    """When to try again; None where that is of no use."""


class Explaining:
    """Words items of the queue, one at a time; what one question can word besides, it keeps for their turns.

    `clock`: microseconds since 1970, for tests.
    """

    def __init__(
        self, store: SecondWriter, endpoint: Endpoint, settings: Settings, clock: Callable[[], int] = now_us
    ) -> None:
        self._store = store
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock
        self._gate = ModelGate(store, endpoint, settings, clock)
        self._company = Company(store, endpoint, settings, clock)

    def work(self, item: Item) -> Outcome:
        """Word `item` and take it from the queue, or put it off."""
        mode = Mode.SPECIFIC if item.kind == INCIDENT else Mode.GENERAL
        outcome = self.word(item, mode)
        if outcome.until_us is not None:
            model_failed = outcome.failure is not None
            by_endpoint = outcome.failure is not None and is_endpoints_fault(outcome.failure)
            with self._store.writing() as connection:
                postpone(
                    connection,
                    item,
                    outcome.until_us,
                    outcome.reason,
                    attempts=int(by_endpoint),
                    rejected=int(model_failed and not by_endpoint),
                )
        return outcome

    def word(self, item: Item, mode: Mode) -> Outcome:
        """Word `item`, whether or not it waits in the queue; what came of it is stored, unless it may still come."""
        with self._store.reading() as connection:
            subject = find_subject(connection, item.subject_id)
            facts = None if subject is None else facts_of(connection, subject, self._settings.format_files)
        if subject is None or facts is None:
            with self._store.writing() as connection:
                remove(connection, item.subject_id, item.view)
            return Outcome(reason="it is no longer in the store")
        prepared = prepared_for(facts, View(item.view), mode, self._endpoint, self._settings)
        kept = self._from_cache(prepared, subject, item)
        return kept if kept is not None else self._from_model(prepared, subject, item)

    def _from_cache(self, prepared: Prepared, subject: Subject, item: Item) -> Outcome | None:
        """Worded from an answer that is there; None where there is none, or where it does not fit this subject."""
        request = prepared.request
        if not request.is_cacheable:
            return None
        with self._store.reading() as connection:
            kept = kept_answer(connection, request.cache_key, self._clock())
        if kept is None:
            return None
        provenance = Provenance(writer=self._endpoint.model, template=request.template, rung=kept.rung, cached=True)
        try:
            explanation = worded(WireAnswer.model_validate_json(kept.body), prepared, provenance)
        except (ModelError, ValidationError):
            with self._store.writing() as connection:
                add_error(connection, request.template, str(Failure.REJECTED))
            return None
        return self._keep(explanation, prepared, subject, item, None)

    def _from_model(self, prepared: Prepared, subject: Subject, item: Item) -> Outcome:
        others = self._company.of(item, prepared)
        request = together([prepared.request, *(other.request for other in others)])
        try:
            asked = self._gate.ask(request, is_critical=item.is_critical)
        except NotNowError as error:
            return Outcome(reason=str(error), until_us=error.until_us)
        except ModelError as error:
            if others:
                self._company.failed(error.failure)
            return self._failed(error, subject, item)
        reply = asked.reply
        self._company.keep(others, reply, sent_of(request))
        provenance = Provenance(
            writer=reply.model,
            template=request.template,
            rung=str(reply.rung),
            latency_ms=reply.latency_ms,
            tokens=asked.tokens // request.findings,
        )
        try:
            explanation = worded(reply.answers[0], prepared, provenance)
        except ModelError as error:
            with self._store.writing() as connection:
                add_error(connection, request.template, str(error.failure))
            return self._failed(error, subject, item)
        answer = KeptAnswer(reply.answers[0].model_dump_json(), str(reply.rung), sent_of(request))
        return self._keep(explanation, prepared, subject, item, answer)

    def _keep(
        self, explanation: Explanation, prepared: Prepared, subject: Subject, item: Item, new: KeptAnswer | None
    ) -> Outcome:
        """Store what was worded; `new`: the model's answer, where it was asked."""
        request = prepared.request
        wording = Wording(
            subject,
            item.view,
            self._settings.explain_language,
            item.is_default,
            explanation,
            cache_key=request.cache_key if request.is_cacheable else None,
            sent=new.sent if new is not None and not request.is_cacheable else None,
        )
        with self._store.writing() as connection:
            put_wording(connection, wording, self._clock())
            if new is not None and request.is_cacheable:
                keep_answer(connection, request.cache_key, new, self._clock())
            remove(connection, item.subject_id, item.view)
            add_use(
                connection,
                request.template,
                characters=len(explanation.to_text()),
                is_cached=explanation.provenance.cached,
            )
            add_to_count(connection, "worked", 1)
            add_to_count(connection, "cached", int(explanation.provenance.cached))
        return Outcome(explanation)

    def _failed(self, error: ModelError, subject: Subject, item: Item) -> Outcome:
        """No answer, or one of no use: later again, or never."""
        reason = f"{error.failure}: {error}"
        if is_endpoints_fault(error.failure):
            if item.attempts + 1 < MOST_ATTEMPTS:
                pause_s = min(_FIRST_PAUSE_S * 2.0**item.attempts, _LONGEST_PAUSE_S)
                return self._later(reason, error, max(pause_s, error.retry_after_s or 0.0))
        elif item.rejected + 1 < MOST_REJECTED:
            return self._later(reason, error, _SOON_S)
        wording = Wording(subject, item.view, self._settings.explain_language, item.is_default, None, reason)
        with self._store.writing() as connection:
            put_wording(connection, wording, self._clock())
            remove(connection, item.subject_id, item.view)
            add_to_count(connection, "kept", 1)
        return Outcome(reason=reason, failure=error.failure)

    def _later(self, reason: str, error: ModelError, pause_s: float) -> Outcome:
        return Outcome(reason=reason, failure=error.failure, until_us=self._clock() + round(pause_s * US_PER_S))
