"""What a server answered, read with care: any member may be missing, of another type, or a lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

_MAX_TOKENS = 10_000_000  # no answer costs more; a count beyond it is invented
_CHARACTERS_PER_TOKEN = 4  # of English prose and JSON, about; where a server counts nothing


class NoCompletionError(ValueError):
    """The answer is no chat completion or response."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model."""

    text: str
    """Empty where there is none."""
    is_refusal: bool
    is_cut: bool
    """It ran into the limit of tokens."""
    tokens_in: int | None
    """None where the server does not say."""
    tokens_out: int | None

    def tokens(self, sent_characters: int) -> tuple[int, int]:
        """(tokens asked, tokens answered): as the server counts, else estimated from the lengths of the texts."""
        asked, answered = sent_characters // _CHARACTERS_PER_TOKEN, len(self.text) // _CHARACTERS_PER_TOKEN
        return (
            asked if self.tokens_in is None else self.tokens_in,
            answered if self.tokens_out is None else self.tokens_out,
        )


def read_chat(body: bytes) -> Completion:
    """The first choice of a chat completion. Raises NoCompletionError."""
    whole = _object(body)
    choices = whole.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise NoCompletionError
    finish = choice.get("finish_reason")
    usage = whole.get("usage")
    return Completion(
        text=_text(message.get("content")),
        is_refusal=bool(_text(message.get("refusal"))) or finish == "content_filter",
        is_cut=finish == "length",
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
    )


def read_response(body: bytes) -> Completion:
    """The output texts of an answer of the Responses API. Raises NoCompletionError."""
    whole = _object(body)
    output, details = whole.get("output"), whole.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    if not isinstance(output, list) or not (output or reason):
        raise NoCompletionError
    parts = [
        part
        for item in output
        if isinstance(item, dict) and item.get("type") == "message" and isinstance(item.get("content"), list)
        for part in item["content"]
        if isinstance(part, dict)
    ]
    usage = whole.get("usage")
    return Completion(
        text="".join(_text(part.get("text")) for part in parts if part.get("type") == "output_text"),
        is_refusal=reason == "content_filter" or any(part.get("type") == "refusal" for part in parts),
        is_cut=reason == "max_output_tokens",
        tokens_in=_count(usage, "input_tokens"),
        tokens_out=_count(usage, "output_tokens"),
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError as error:  # also of invalid UTF-8, lone surrogates and absurd nesting
        raise NoCompletionError from error
    if not isinstance(whole, dict):
        raise NoCompletionError
    return whole


def _text(value: object) -> str:
    """`value` as text; some servers give a list of parts where others give the text."""
    if isinstance(value, list):
        return "".join(_text(part.get("text")) for part in value if isinstance(part, dict))
    return value if isinstance(value, str) else ""


def _count(usage: object, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= _MAX_TOKENS else None
