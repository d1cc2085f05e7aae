"""Which parameters an endpoint's model takes: begun with what its kind is known to take, then learnt from its errors.

Newer OpenAI models refuse `max_tokens` and any temperature but 1; older servers know only `max_tokens`, and a few
ignore `max_completion_tokens` without a word, which would leave an answer without a limit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from livesec.explain.endpoint import OPENAI_URL, Endpoint
from livesec.explain.model_call import Request

if TYPE_CHECKING:
    import openai

THINKING_TOKENS = 2000
"""Added to the limit where reasoning counts into it, or a model would think until nothing is left for the answer."""
_FORMAT = "response_format"
_SYSTEM = "system role"
_NAMES = {
    "response_format": _FORMAT,
    "text.format": _FORMAT,
    "json_schema": _FORMAT,
    "json_object": _FORMAT,
    "guided_json": _FORMAT,
    "grammar": _FORMAT,
    "structured output": _FORMAT,
    "structured outputs": _FORMAT,
    "max_completion_tokens": "max_completion_tokens",
    "max_output_tokens": "max_output_tokens",
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "reasoning_effort": "reasoning_effort",
    "reasoning.effort": "reasoning",
    "reasoning": "reasoning",
    "'store'": "store",
    "store": "store",
    "system role": _SYSTEM,
    "roles must alternate": _SYSTEM,
}
_IN_PROSE = re.compile(
    r"(?<![\w])(" + "|".join(re.escape(name) for name in _NAMES if name not in ("store", "reasoning")) + r")(?![a-z_])",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(
    r"context[_ ](?:length|size|window)|exceed_context|too many tokens|prompt is too long", re.IGNORECASE
)


class Dialect:
    """What to send besides the texts; `give_up` after an error that names a parameter. Remembers for its lifetime."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._is_openai = urlsplit(endpoint.base_url or OPENAI_URL).hostname == urlsplit(OPENAI_URL).hostname
        self._is_responses = endpoint.api == "responses"
        self._given_up: set[str] = set()

    def options(self, request: Request) -> dict[str, Any]:
        """Parameters of a call, by name."""
        options: dict[str, Any] = {"temperature": request.temperature}
        if self._is_openai or self._is_responses:
            options["store"] = False  # the default of Responses is to keep what was asked and answered
        if self._is_openai:  # explaining takes little thought, and thought is paid for
            options |= {"reasoning": {"effort": "low"}} if self._is_responses else {"reasoning_effort": "low"}
        options = {name: value for name, value in options.items() if name not in self._given_up}
        thinks = "reasoning" in options or "reasoning_effort" in options
        limit = self._limit_name()
        if limit is not None:
            options[limit] = request.max_tokens + (THINKING_TOKENS if thinks else 0)
        return options

    def messages(self, system: str, user: str) -> list[dict[str, str]]:
        """The texts by role; one where the model's template knows no system role, as Gemma 2's."""
        if _SYSTEM in self._given_up:
            return [{"role": "user", "content": f"{system}\n\n{user}"}]
        return [{"role": "system", "content": system}, {"role": "user", "content": user}]

    def _limit_name(self) -> str | None:
        if self._is_responses:
            names = ["max_output_tokens"]
        elif self._is_openai:
            names = ["max_completion_tokens", "max_tokens"]
        else:
            names = ["max_tokens", "max_completion_tokens"]
        return next((name for name in names if name not in self._given_up), None)

    def give_up(self, name: str, sent: dict[str, Any]) -> bool:
        """Do not send `name` any more; False where it was not `sent`, so that leaving it out changes nothing."""
        if name in self._given_up or (name not in sent and name != _SYSTEM):
            return False
        self._given_up.add(name)
        return True


def names_format(name: str | None) -> bool:
    """Whether the parameter that `named_parameter` found is the one of the ladder."""
    return name == _FORMAT


def is_too_long(error: openai.APIStatusError) -> bool:
    """Whether the prompt does not fit into the model's context; such errors name max_tokens too."""
    return error.code == "context_length_exceeded" or _TOO_LONG.search(_words(error)) is not None


def named_parameter(error: openai.APIStatusError) -> str | None:
    """The parameter that an error of the server is about.

    In order: the member `param`; the last place of a list of problems as FastAPI gives it; the first name in the
    message, since "max_tokens is not supported, use max_completion_tokens" names the guilty one first.
    """
    if error.param in _NAMES:
        return _NAMES[error.param]
    if isinstance(error.param, str) and error.param.partition(".")[0] in _NAMES:
        return _NAMES[error.param.partition(".")[0]]
    detail = error.body.get("detail") if isinstance(error.body, dict) else None
    for problem in detail if isinstance(detail, list) else ():
        places = problem.get("loc") if isinstance(problem, dict) else None
        for place in places if isinstance(places, list) else ():
            if place in _NAMES or place == "text":
                return _NAMES.get(place, _FORMAT)
    found = _IN_PROSE.search(_words(error))
    return _NAMES[found.group(1).lower()] if found else None


def _words(error: openai.APIStatusError) -> str:
    """What the error says in words, the first 2,000 characters; LM Studio's `error` is a text, others' an object."""
    body = error.body
    if isinstance(body, dict):
        body = body.get("message") or body.get("detail") or body.get("msg")
    return body[:2000] if isinstance(body, str) else ""
