"""The tool layer: seven read-only questions to a store, by name and checked arguments, each answer bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from livesec.copilot.anomaly_tools import count_by, search_anomalies
from livesec.copilot.answer import Answer, ToolError, bounded, marked
from livesec.copilot.health_tool import detector_health
from livesec.copilot.log_context import get_log_context
from livesec.copilot.questions import QUESTIONS, DetectorHealth, Question
from livesec.copilot.subject_tools import explain_score, get_entity, get_incident
from livesec.copilot.times import reference_us
from livesec.core.clock import now_us
from livesec.core.text import shown
from livesec.store.activity_queries import known_types
from livesec.store.ask_queries import anomaly_names, names_among
from livesec.store.reader import StoreReader

MAX_ARGUMENT_CHARACTERS = 4_000
MAX_WORDS = 300
_AROUND_WORDS = ".,:;!?\"'()[]{}<>`"
_Tool = Callable[[Connection, Any, int], Answer]
_TOOLS: dict[str, _Tool] = {
    "search_anomalies": search_anomalies,
    "get_incident": get_incident,
    "get_entity": get_entity,
    "get_log_context": get_log_context,
    "count_by": count_by,
    "explain_score": explain_score,
    "detector_health": detector_health,
}


class Tools:
    """The tools over one store. They hold a reader, which cannot write, and open files for reading only.

    Parameters
    ----------
    reader : of the store
    clock : the wall clock in microseconds; spans such as 24h count from the end of a log that is long past
    """

    def __init__(self, reader: StoreReader, clock: Callable[[], int] = now_us) -> None:
        self._reader = reader
        self._clock = clock

    def ask(self, question: Question) -> Answer:
        """The answer. Raises ToolError where it cannot be asked so, or the store cannot be read just now."""
        name = next(name for name, kind in QUESTIONS.items() if kind is type(question))
        wall_us = self._clock()
        try:
            with self._reader.reading() as connection:
                now = wall_us if isinstance(question, DetectorHealth) else reference_us(connection, wall_us)
                answer = bounded(marked(_TOOLS[name](connection, question, now)))
                names = anomaly_names(connection, answer.ids)
                return replace(answer, private=tuple(dict.fromkeys((*answer.private, *names))))
        except SQLAlchemyError as error:
            raise ToolError(f"the store cannot be read just now: {type(error).__name__}") from error

    def call(self, name: str, arguments: Mapping[str, object] | str) -> Answer:
        """As `ask`, by name and arguments as a model gives them. Raises ToolError for any that do not fit."""
        return self.ask(question_of(name, arguments))

    def names_in(self, text: str) -> list[tuple[str, str]]:
        """(kind, name) of the users and hosts of the store that stand in `text` as words of it."""
        words = {word.strip(_AROUND_WORDS).lower() for word in text.split()}
        try:
            with self._reader.reading() as connection:
                return names_among(connection, sorted(word for word in words if word)[:MAX_WORDS])
        except (SQLAlchemyError, UnicodeEncodeError):  # the latter of half characters, which no name has
            return []

    def known_detectors(self) -> list[str]:
        """Names of the detectors that this store knows; none where it cannot be read just now."""
        try:
            with self._reader.reading() as connection:
                return known_types(connection)
        except SQLAlchemyError:
            return []

    def schemas(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """(description, JSON schema of its arguments) by tool; detectors are those that this store knows."""
        detectors = self.known_detectors()
        return {name: (kind.__doc__ or "", schema_of(kind, detectors)) for name, kind in QUESTIONS.items()}


def schema_of(kind: type[Question], detectors: list[str]) -> dict[str, Any]:
    """The JSON schema of a tool's arguments, without titles and with the names of `detectors`."""
    schema = cast("dict[str, Any]", _without_titles(kind.model_json_schema()))
    schema.pop("description", None)
    schema.setdefault("properties", {})
    if "detectors" in schema["properties"] and detectors:
        schema["properties"]["detectors"]["items"] = {"type": "string", "enum": detectors}
    return schema


def _without_titles(value: object) -> object:
    if isinstance(value, dict):
        return {
            name: _without_titles(item)
            for name, item in value.items()
            if not (name == "title" and isinstance(item, str))
        }
    return [_without_titles(item) for item in value] if isinstance(value, list) else value


def question_of(name: str, arguments: Mapping[str, object] | str) -> Question:
    """The checked question. Raises ToolError that says what is wrong with which argument.

    >>> question_of("count_by", '{"column": "user", "since": "24h", "text": null}').since
    '24h'
    """
    kind = QUESTIONS.get(name)
    if kind is None:
        raise ToolError(f"no tool is called {shown(name, 60)}; there are {', '.join(QUESTIONS)}")
    if isinstance(arguments, str):
        arguments = _object(arguments)
    given = {key: value for key, value in arguments.items() if value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise ToolError(_problems(name, error)) from None


def _object(text: str) -> Mapping[str, object]:
    if len(text) > MAX_ARGUMENT_CHARACTERS:
        raise ToolError(f"the arguments are longer than {MAX_ARGUMENT_CHARACTERS:,d} characters")
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ToolError("the arguments are no JSON object") from None
    if not isinstance(value, dict):
        raise ToolError("the arguments are no JSON object")
    return value


def _problems(name: str, error: ValidationError) -> str:
    said = []
    for problem in error.errors(include_url=False, include_input=False)[:3]:
        where = ".".join(shown(str(part), 40) for part in problem["loc"]) or "arguments"
        said.append(f"{where}: {shown(problem['msg'].removeprefix('Value error, '), 200)}")
    return f"{name}: " + "; ".join(said)
