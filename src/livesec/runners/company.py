"""Which other kinds of finding ride along with a question, and what is kept of the answers about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from livesec.core.explanation import Provenance
from livesec.core.settings import Settings
from livesec.explain.checks import worded
from livesec.explain.endpoint import Endpoint
from livesec.explain.model_call import Failure, ModelError, Reply, View
from livesec.explain.prompt import Mode, Prepared
from livesec.runners.model_questions import prepared_for
from livesec.runners.subject_facts import facts_of
from livesec.store.answer_cache import KeptAnswer, keep_answer, kept_answer
from livesec.store.explanation_queue import Item, also_due
from livesec.store.model_usage import add_error
from livesec.store.second_writer import SecondWriter
from livesec.store.subjects import find_subject

_MOST_LOOKED_AT = 200
"""Of the items that wait: many are of a kind, and each costs a millisecond to prepare."""
_TOO_MUCH_AT_ONCE = (Failure.TIMEOUT, Failure.TRUNCATED, Failure.INVALID, Failure.REFUSED, Failure.SERVER)


class Company:
    """Finds companions for a question in the queue, until the endpoint turns out not to manage several at once."""

    def __init__(self, store: SecondWriter, endpoint: Endpoint, settings: Settings, clock: Callable[[], int]) -> None:
        self._store = store
        self._endpoint = endpoint
        self._settings = settings
        self._clock = clock
        self._at_most = endpoint.kinds_per_call - 1

    def of(self, item: Item, prepared: Prepared) -> list[Prepared]:
        """General questions of other kinds that wait beside `item`, whose own is `prepared`; the first in line first.

        None where it is not general, where a person waits for it, or where it failed before.
        """
        if not self._at_most or not prepared.request.is_cacheable or item.by_person or item.attempts or item.rejected:
            return []
        found: dict[str, Prepared] = {prepared.request.cache_key: prepared}
        with self._store.reading() as connection:
            for other in also_due(connection, item, self._clock(), _MOST_LOOKED_AT):
                subject = find_subject(connection, other.subject_id)
                facts = None if subject is None else facts_of(connection, subject, self._settings.format_files)
                if facts is None:
                    continue
                question = prepared_for(facts, View(other.view), Mode.GENERAL, self._endpoint, self._settings)
                key = question.request.cache_key
                if not question.request.is_cacheable or key in found:
                    continue
                if kept_answer(connection, key, self._clock()) is not None:
                    continue
                found[key] = question
                if len(found) > self._at_most:
                    break
        return list(found.values())[1:]

    def keep(self, others: Sequence[Prepared], reply: Reply, sent: str) -> None:
        """Keep what `reply` says of `others` where it passes their checks; each is found there when its turn comes."""
        for other, answer in zip(others, reply.answers[1:], strict=True):
            request = other.request
            provenance = Provenance(writer=reply.model, template=request.template, rung=str(reply.rung))
            try:
                worded(answer, other, provenance)
            except ModelError as error:
                with self._store.writing() as connection:
                    add_error(connection, request.template, str(error.failure))
                continue
            kept = KeptAnswer(answer.model_dump_json(), str(reply.rung), sent)
            with self._store.writing() as connection:
                keep_answer(connection, request.cache_key, kept, self._clock())

    def failed(self, failure: Failure) -> None:
        """A question with company had no usable answer: where that may be why, all are asked alone from now on."""
        if failure in _TOO_MUCH_AT_ONCE:
            self._at_most = 0
