"""How far a collector has come: the value of one field of the last record, and which records come after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from livesec.core.errors import InputUnreadableError

Cursor = int | float | str


def field_at(record: object, path: str) -> object:
    """The value at `path`, whose dots lead into objects; a key that holds dots itself is found first.

    >>> field_at({"a": {"b": 1}, "c.d": 2}, "a.b"), field_at({"a": {"b": 1}, "c.d": 2}, "c.d"), field_at({}, "a")
    (1, 2, None)
    """
    if not isinstance(record, Mapping):
        return None
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    return field_at(record.get(head), rest) if rest else None


def cursor_of(record: object, path: str) -> Cursor:
    """The cursor of `record`. Raises InputUnreadableError where it has none."""
    value = field_at(record, path)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputUnreadableError(f"a record has no number or text in its cursor field {path!r}")
    return value


def cursor_in_line(line: bytes, path: str) -> Cursor:
    """The cursor of a spooled line. Raises InputUnreadableError where it is no such record."""
    try:
        return cursor_of(orjson.loads(line), path)
    except orjson.JSONDecodeError as error:
        raise InputUnreadableError(f"the last collected line is no JSON object: {error}") from error


def after(records: Iterable[Any], path: str, last: Cursor | None) -> list[Any]:
    """The records behind `last` in order of their cursors; of equal ones in the order given.

    Raises InputUnreadableError where cursors are missing, or numbers and texts are mixed.
    """
    marked = [(cursor_of(record, path), record) for record in records]
    try:
        marked.sort(key=lambda item: item[0])
        return [record for cursor, record in marked if last is None or cursor > last]  # type: ignore[operator]
    except TypeError as error:
        raise InputUnreadableError(f"cursor field {path!r} has numbers in some records and texts in others") from error
