"""One step of a conversation with tools over chat.completions: a request, and what came back, read with care."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from livesec.explain.completion import read_chat
from livesec.explain.dialect import Dialect, is_too_long, named_parameter
from livesec.explain.endpoint import Endpoint, openai_client
from livesec.explain.model_call import Failure, ModelError, Request, View

if TYPE_CHECKING:
    import openai

MAX_TEXT_CHARACTERS = 20_000
MAX_CALLS_READ = 50
_MAX_ATTEMPTS = 6
_ABOUT_TOOLS = re.compile(r"\btool|function.?call|--jinja", re.IGNORECASE)
_REFUSES = (400, 404, 405, 422, 500, 501)

Message = dict[str, Any]


class ToolsUnsupportedError(Exception):
    """The server or its model does not call tools."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A call that a model wants: nothing about it is checked."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a model said: a text, calls, or both."""

    text: str
    wishes: tuple[Wish, ...]
    tokens: int


class ChatModel:
    """The model of `endpoint`, asked with tools. The endpoint's API setting does not matter: chat is what all share."""

    def __init__(self, endpoint: Endpoint, max_tokens: int, temperature: float) -> None:
        self.endpoint = replace(endpoint, api="chat")
        self._dialect = Dialect(self.endpoint)
        self._limits = Request("", "", View.TECHNICAL_EXPERT, "chat", False, "", False, max_tokens, temperature)
        self._client: openai.OpenAI | None = None

    def step(self, messages: list[Message], tools: list[Message], *, may_call: bool, until: float) -> Step:
        """The next step, before `until` (time.monotonic). Raises ModelError and ToolsUnsupportedError alone."""
        import openai  # noqa: PLC0415 - half a second that nobody without an endpoint should wait

        started = time.monotonic()
        try:
            if self._client is None:
                self._client = openai_client(self.endpoint)
            return self._answered(self._client, messages, tools, may_call, until)
        except openai.APIStatusError as error:
            if error.status_code in _REFUSES and _is_about_tools(error):
                raise ToolsUnsupportedError from None
            failed: Exception = error
        except Exception as error:  # of the client, or of reading what a hostile server sent
            failed = error
        from livesec.explain.failures import failure_of  # noqa: PLC0415 - imports the official client

        found = failure_of(failed, self.endpoint, time.monotonic() - started)
        raise ModelError(found.failure, str(found), found.retry_after_s)

    def _answered(
        self, client: openai.OpenAI, messages: list[Message], tools: list[Message], may_call: bool, until: float
    ) -> Step:
        import openai  # noqa: PLC0415 - likewise

        from livesec.explain.bounded_http import call_timeout  # noqa: PLC0415 - likewise

        for _ in range(_MAX_ATTEMPTS):
            left_s = min(self.endpoint.timeout_s, until - time.monotonic())
            if left_s <= 0:
                break
            options = self._dialect.options(self._limits)
            call: dict[str, Any] = {
                **options,
                "model": self.endpoint.model,
                "messages": messages,
                "tools": tools,
                "tool_choice": "auto" if may_call else "none",
                "timeout": call_timeout(left_s),
            }
            try:
                raw = client.chat.completions.with_raw_response.create(**call)
            except openai.APIStatusError as error:
                name = None if is_too_long(error) or _is_about_tools(error) else named_parameter(error)
                if name is None or not self._dialect.give_up(name, options):
                    raise
                continue
            return read_step(raw.http_response.content, sum(len(str(message)) for message in messages))
        raise ModelError(Failure.TIMEOUT, f"no answer from {self.endpoint.address} in time (EXPLAIN_TIMEOUT_S)")


def _is_about_tools(error: openai.APIStatusError) -> bool:
    if isinstance(error.param, str):
        return error.param.startswith(("tool", "function"))
    return _ABOUT_TOOLS.search(str(error.body)[:2_000]) is not None


def read_step(body: bytes, sent_characters: int) -> Step:
    """The first choice of a chat completion with its calls. Raises NoCompletionError and ModelError.

    >>> body = b'{"choices": [{"message": {"tool_calls": [{"function": {"name": "a", "arguments": 3}}]}}]}'
    >>> read_step(body, 0).wishes
    (Wish(name='a', arguments='3'),)
    """
    completion = read_chat(body)
    message = orjson.loads(body)["choices"][0]["message"]
    given = message.get("tool_calls")
    wishes = [wish for item in (given if isinstance(given, list) else [])[:MAX_CALLS_READ] if (wish := _wish(item))]
    if completion.is_refusal and not wishes:
        raise ModelError(Failure.REFUSED, "the model refused to answer")
    if completion.is_cut:
        raise ModelError(Failure.TRUNCATED, "the answer was cut at the limit of tokens (EXPLAIN_MAX_TOKENS)")
    return Step(completion.text[:MAX_TEXT_CHARACTERS], tuple(wishes), sum(completion.tokens(sent_characters)))


def _wish(item: object) -> Wish | None:
    function = item.get("function") if isinstance(item, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return None
    arguments = function.get("arguments")
    if not isinstance(arguments, str):  # some servers give the object itself
        arguments = "{}" if arguments is None else orjson.dumps(arguments).decode()
    return Wish(function["name"], arguments)
