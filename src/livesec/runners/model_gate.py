"""The one way to a model: through breaker, budget and flights, which all processes share in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from livesec.core.clock import US_PER_S, now_us
from livesec.core.errors import LiveSecError
from livesec.core.settings import Settings
from livesec.explain.breaker import Breaker
from livesec.explain.budget import Budget, Used
from livesec.explain.client import EndpointModel
from livesec.explain.endpoint import Endpoint
from livesec.explain.model_call import ModelError, Reply, Request, Rung
from livesec.store.answer_cache import begin_flight, end_flight
from livesec.store.model_endpoints import EndpointState, endpoint_state, put_endpoint_state
from livesec.store.model_usage import add_answer, add_error, add_usage, usage
from livesec.store.second_writer import SecondWriter

_GRACE_S = 5.0  # beyond an endpoint's time limit, in which whoever asked says what came of it
_FLIGHT_LOOK_S = 1.0  # whoever waits for another's answer looks this often


class NotNowError(LiveSecError):
    """The model may not be asked now. `until_us`: when to try again."""

    def __init__(self, reason: str, until_us: int) -> None:
        super().__init__(reason)
        self.until_us = until_us


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply, and how the endpoint was asked for it."""

    reply: Reply
    tokens: int
    """All that were spent, also on the way down the ladder."""


def endpoint_name(endpoint: Endpoint) -> str:
    """As the store names it: without what a base URL may hold besides."""
    return f"{endpoint.address} {endpoint.model}"


def fingerprint_of(endpoint: Endpoint) -> str:
    """Differs where base URL, model or key do. Short, so that it says next to nothing about the key."""
    text = "\x00".join((endpoint.base_url or "", endpoint.model, endpoint.key))
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def known_state(connection: Connection, endpoint: Endpoint) -> tuple[Breaker, str | None]:
    """(breaker, rung) of `endpoint`; new ones where the settings have changed."""
    state = endpoint_state(connection, endpoint_name(endpoint))
    if state is None or state.fingerprint != fingerprint_of(endpoint):
        return Breaker(), None
    return Breaker.from_json(state.breaker), state.rung


class ModelGate:
    """Asks the model of `endpoint` within the caps of `settings`.

    `clock`: microseconds since 1970, for tests.
    """

    def __init__(
        self, store: SecondWriter, endpoint: Endpoint, settings: Settings, clock: Callable[[], int] = now_us
    ) -> None:
        self.endpoint = endpoint
        self._store = store
        self._clock = clock
        self._budget = Budget(
            settings.explain_calls_per_minute, settings.explain_calls_per_day, settings.explain_tokens_per_day
        )
        with store.reading() as connection:
            _, rung = known_state(connection, endpoint)
        self._model = EndpointModel(endpoint, None if rung is None else Rung(rung))

    def ask(self, request: Request, *, is_critical: bool) -> Asked:
        """The answer to `request`. Raises NotNowError where nothing may be asked, ModelError where no answer came."""
        is_warming = self.endpoint.is_local and self._model.requests_sent == 0
        requests, tokens = self._model.requests_sent, self._model.tokens_spent
        with self._store.writing() as connection:
            self._let_through(connection, request, is_critical)
        failure: ModelError | None = None
        reply: Reply | None = None
        try:
            reply = self._model.ask(request)
        except ModelError as error:
            failure = error
        finally:
            spent = self._model.tokens_spent - tokens
            with self._store.writing() as connection:
                end_flight(connection, request.cache_key)
                more = max(0, self._model.requests_sent - requests - 1)
                add_usage(connection, self._clock(), calls=more, tokens=spent)
                breaker, _ = known_state(connection, self.endpoint)
                if failure is not None:
                    add_error(connection, request.template, str(failure.failure))
                    breaker = breaker.failed(
                        failure.failure, self._clock(), wait_s=failure.retry_after_s, is_warming=is_warming
                    )
                elif reply is not None:
                    add_answer(connection, request.template, reply.latency_ms)
                    breaker = breaker.answered()
                self._keep(connection, breaker)
        if reply is None:
            raise failure if failure is not None else AssertionError("neither answer nor error")
        return Asked(reply, spent)

    def _let_through(self, connection: Connection, request: Request, is_critical: bool) -> None:
        """Count the call, or raise NotNowError. A call is counted before it is made: a crash must not forget it."""
        at_us, day = self._clock(), usage(connection, self._clock())
        breaker, _ = known_state(connection, self.endpoint)
        if not breaker.is_closed_at(at_us):
            again_us = at_us + 3600 * US_PER_S if breaker.is_shut else breaker.not_before_us
            raise NotNowError(f"breaker: {breaker.text(at_us)}", again_us)
        refusal = self._budget.refusal(
            Used(day["minute"].calls, day["day"].calls, day["day"].tokens), is_critical=is_critical, now_us=at_us
        )
        if refusal is not None:
            raise NotNowError(refusal.reason, refusal.until_us)
        limit_s = self.endpoint.limit_s(request.findings) + _GRACE_S
        if not begin_flight(connection, request.cache_key, at_us, at_us + round(limit_s * US_PER_S)):
            raise NotNowError("the same question is being asked", at_us + round(_FLIGHT_LOOK_S * US_PER_S))
        add_usage(connection, at_us, calls=1)
        self._keep(connection, breaker.asked(at_us, limit_s))

    def _keep(self, connection: Connection, breaker: Breaker) -> None:
        rung = self._model.rung
        state = EndpointState(fingerprint_of(self.endpoint), None if rung is None else str(rung), breaker.to_json())
        put_endpoint_state(connection, endpoint_name(self.endpoint), state)
