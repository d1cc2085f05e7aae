"""A model behind an endpoint: one question, one answer of the schema or one ModelError, within one time limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from livesec.explain.completion import Completion, read_chat, read_response
from livesec.explain.dialect import Dialect, is_too_long, named_parameter, names_format
from livesec.explain.endpoint import Endpoint, openai_client
from livesec.explain.ladder import RUNGS, answers_in, below, schema_of, shape_request
from livesec.explain.model_call import Failure, ModelError, Reply, Request, Rung

if TYPE_CHECKING:
    import openai

_MAX_ATTEMPTS = 7  # requests on one rung: the parameters that can be given up, and the answer
_NAMES_PARAMETERS = (400, 422)
_NAMES_FORMATS = (400, 422, 500, 501)  # llama.cpp of 2024 answers 500 to a schema


class _UnsupportedRungError(Exception):
    """The server says that it cannot be asked for structure in this way."""


class EndpointModel:
    """The model of `endpoint`, implements Model. Knows after the first answers how this server wants to be asked.

    Attributes:
    ----------
    rung : the one that last worked, tried first; None before. Kept by the caller, it saves the way down after a restart
    is_warm : an answer came before; a local model's first may take minutes, while it is loaded
    tokens_spent : of all answers so far, also of those that were of no use
    requests_sent : HTTP requests so far; several of one `ask` only while it learns what the server takes
    """

    def __init__(self, endpoint: Endpoint, rung: Rung | None = None) -> None:
        self.endpoint = endpoint
        self.rung = rung
        self.is_warm = False
        self.tokens_spent = 0
        self.requests_sent = 0
        self._next = rung or RUNGS[0]  # where the next way down begins, also if this one ends in a timeout
        self._dialect = Dialect(endpoint)
        self._client: openai.OpenAI | None = None

    def ask(self, request: Request) -> Reply:
        """The answer to `request`, within the endpoint's time limit whatever the server does. Raises ModelError alone.

        Neither the error nor what it is chained to holds key, prompt or words of the server.
        """
        started = time.monotonic()
        try:
            if self._client is None:  # made here and not before: it refuses to be without a key, and takes a while
                self._client = openai_client(self.endpoint)
                started = time.monotonic()
            return self._down_the_ladder(self._client, request, started)
        except Exception as error:  # of the client, or of reading what a hostile server sent
            from livesec.explain.failures import failure_of  # noqa: PLC0415 - imports the official client

            found = failure_of(error, self.endpoint, time.monotonic() - started)
            failure, text, wait_s = found.failure, str(found), found.retry_after_s
        raise ModelError(failure, text, wait_s)  # out here, so that it carries no context

    def _down_the_ladder(self, client: openai.OpenAI, request: Request, started: float) -> Reply:
        rung: Rung | None = self._next
        tokens_in = tokens_out = 0
        heard: list[str] = []
        while rung is not None:
            self._next = rung
            try:
                completion = self._completion(client, request, rung, started + self.endpoint.limit_s(request.findings))
            except _UnsupportedRungError:
                rung = below(rung)
                continue
            self.is_warm = True
            spent_in, spent_out = completion.tokens(len(request.system) + len(request.user))
            tokens_in, tokens_out = tokens_in + spent_in, tokens_out + spent_out
            self.tokens_spent += spent_in + spent_out
            if completion.is_cut:
                raise ModelError(
                    Failure.TRUNCATED, f"the answer was cut at {request.max_tokens} tokens (EXPLAIN_MAX_TOKENS)"
                )
            if completion.is_refusal:
                raise ModelError(Failure.REFUSED, f"{self.endpoint.model} refused to answer")
            answers = answers_in(completion.text, request.findings)
            if answers is not None:
                self.rung = rung
                latency_ms = round((time.monotonic() - started) * 1000)
                return Reply(answers, self.endpoint.model, rung, latency_ms, tokens_in, tokens_out)
            heard.append(completion.text.strip())
            if rung is self.rung:
                break  # it worked before: this answer is the model's fault, not the rung's
            rung = below(rung)
        self._next = self.rung or RUNGS[0]
        if not any(heard):  # as with models whose answer stays among their thoughts
            raise ModelError(Failure.REFUSED, f"{self.endpoint.model} gave no text at all")
        raise ModelError(Failure.INVALID, f"{self.endpoint.model} gave no JSON of the schema")

    def _completion(self, client: openai.OpenAI, request: Request, rung: Rung, until: float) -> Completion:
        """What the model says on `rung`, after giving up the parameters that the server complains about."""
        import openai  # noqa: PLC0415 - half a second that nobody without an endpoint should wait

        from livesec.explain.bounded_http import call_timeout  # noqa: PLC0415 - likewise

        for _ in range(_MAX_ATTEMPTS):
            left_s = until - time.monotonic()
            if left_s <= 0:
                break
            options = self._dialect.options(request)
            self.requests_sent += 1
            try:
                return self._sent(client, request, rung, {**options, "timeout": call_timeout(left_s)})
            except openai.APIStatusError as error:
                name = None if is_too_long(error) else named_parameter(error)
                if names_format(name) and error.status_code in _NAMES_FORMATS and rung is not RUNGS[-1]:
                    raise _UnsupportedRungError from None
                if (
                    name is None
                    or error.status_code not in _NAMES_PARAMETERS
                    or not self._dialect.give_up(name, options)
                ):
                    raise
        limit_s = self.endpoint.limit_s(request.findings)
        raise ModelError(Failure.TIMEOUT, f"no usable answer within {limit_s:.0f} s (EXPLAIN_TIMEOUT_S)")

    def _sent(self, client: openai.OpenAI, request: Request, rung: Rung, options: dict[str, Any]) -> Completion:
        """One HTTP request. The client writes schema and body; the answer is read by `explain.completion`."""
        is_bound, schema = rung is Rung.JSON_SCHEMA, schema_of(request.findings)
        system = request.system if is_bound else f"{request.system}\n\n{shape_request(request.findings)}"
        said = self._dialect.messages(system, request.user)
        options["model"] = self.endpoint.model
        if self.endpoint.api == "responses":
            options["input"] = said
            responses = client.responses.with_raw_response
            if is_bound:
                return read_response(responses.parse(text_format=schema, **options).http_response.content)
            options["text"] = {"format": {"type": str(rung)}}  # also for text: LM Studio refuses requests without
            return read_response(responses.create(**options).http_response.content)
        options["messages"] = said
        chat = client.chat.completions.with_raw_response
        if is_bound:
            return read_chat(chat.parse(response_format=schema, **options).http_response.content)
        if rung is Rung.JSON_OBJECT:
            options["response_format"] = {"type": "json_object"}
        return read_chat(chat.create(**options).http_response.content)
