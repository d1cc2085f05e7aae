"""How structure is asked of servers that differ in what they can: three rungs, and JSON found in whatever comes back.

OpenAI, Ollama, vLLM, llama.cpp and LM Studio constrain an answer to a JSON schema; older llama.cpp refuses that and
knows "some JSON object"; LM Studio refuses just the latter; some servers ignore both without a word. Text is always
understood: the prompt says the shape, and the answer is looked for in the prose around it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from livesec.explain.model_call import Rung, WireAnswer, WireAnswers

RUNGS = (Rung.JSON_SCHEMA, Rung.JSON_OBJECT, Rung.TEXT)
MAX_ANSWER_CHARACTERS = 200_000  # an explanation has some thousand; the rest is a model gone astray
_MAX_STARTS = 50  # opening braces that are tried; each costs at most one reading of the text
_THOUGHT = re.compile(r"\s*<(think|thinking|thought|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_OPEN_THOUGHT = re.compile(r"\s*<(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_KINDS: dict[Any, str] = {str: "text", bool: "true or false", list[str]: "list of texts"}


def schema_of(findings: int) -> type[BaseModel]:
    """What an answer about so many findings must fit."""
    return WireAnswer if findings == 1 else WireAnswers


def below(rung: Rung) -> Rung | None:
    """The next rung down; None below the last.

    >>> below(Rung.JSON_SCHEMA), below(Rung.TEXT)
    (<Rung.JSON_OBJECT: 'json_object'>, None)
    """
    place = RUNGS.index(rung) + 1
    return RUNGS[place] if place < len(RUNGS) else None


def shape_request(findings: int = 1) -> str:
    """What the rungs without a schema add to the prompt. It says "JSON", without which OpenAI refuses json_object."""
    members = ", ".join(f'"{name}": {_KINDS[field.annotation]}' for name, field in WireAnswer.model_fields.items())
    shape = f"{{{members}}}"
    if findings > 1:
        shape = f'{{"answers": list of {findings} objects {{"finding": its number, "answer": {shape}}}}}'
    return f"Answer with one JSON object and nothing before or after it, with all of these members: {shape}"


def answers_in(text: str, findings: int = 1) -> tuple[WireAnswer, ...] | None:
    """What the first JSON object in `text` that fits the schema says of each of `findings`; None where there is none.

    Unknown members are dropped. Reasoning that local models put before their answer is passed over, since drafts of
    the answer may stand in it.

    >>> answers_in("I cannot do that.") is None
    True
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        return None
    text = _without_thoughts(text)
    decoder = json.JSONDecoder()
    start = text.find("{")
    for _ in range(_MAX_STARTS):
        if start < 0:
            return None
        try:
            found, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):  # no JSON from here on, or nested absurdly deep
            start = text.find("{", start + 1)
            continue
        answers = _all_fitting(found, findings)
        if answers is not None:
            return answers
        start = text.find("{", end)
    return None


def _without_thoughts(text: str) -> str:
    """`text` behind its leading <think>...</think>, even if the server kept the opening tag; "" if it never ends."""
    thought = _THOUGHT.match(text)
    if thought is not None:
        return _without_thoughts(text[thought.end() :])
    if _OPEN_THOUGHT.match(text):
        return ""
    end = _END_OF_THOUGHT.search(text)
    return text if end is None or text.lstrip().startswith(("{", "```")) else text[end.end() :]


def _all_fitting(found: Any, findings: int) -> tuple[WireAnswer, ...] | None:
    """The answers of `found`; None unless there is exactly one for each of `findings`, in their order."""
    if findings == 1:
        alone = _fitting(found)
        return None if alone is None else (alone,)
    given = found.get("answers") if isinstance(found, dict) else None
    if not isinstance(given, list) or len(given) != findings:
        return None
    answers = []
    for number, numbered in enumerate(given, 1):
        if not isinstance(numbered, dict) or numbered.get("finding") != number:
            return None
        answer = _fitting(numbered.get("answer"))
        if answer is None:
            return None
        answers.append(answer)
    return tuple(answers)


def _fitting(found: Any) -> WireAnswer | None:
    if not isinstance(found, dict):
        return None
    known = {name: found[name] for name in WireAnswer.model_fields if name in found}
    try:
        return WireAnswer.model_validate_json(orjson.dumps(known))
    except (ValidationError, orjson.JSONEncodeError):  # the latter of lone surrogates, which no store would take
        return None
