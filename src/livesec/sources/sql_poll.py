"""A database asked by a query with a cursor: `select * from logins where id > :cursor order by id`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

import orjson
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from livesec.core.errors import InputUnreadableError, UsageError
from livesec.sources.cursor import Cursor, cursor_of

MAX_ROWS = 10_000  # of one poll
_PLACE = re.compile(r":cursor\b")


@dataclass(frozen=True)
class SqlPoll:
    """What to ask.

    Parameters
    ----------
    query : a select with `:cursor`, ordered by the cursor's column
    cursor : that column, which ascends with time
    start : cursor before the first row is known
    """

    query: str
    cursor: str
    start: Cursor = 0

    def __post_init__(self) -> None:
        """Raise UsageError where the query has no place for the cursor."""
        if not _PLACE.search(self.query):
            raise UsageError(
                f"the query has no :cursor; it must ask for {self.cursor} > :cursor, ordered by {self.cursor}"
            )

    def poll(self, connection: Connection, last: Cursor | None) -> list[bytes]:
        """Rows behind `last`, each as a line of JSON by column; at most MAX_ROWS. Raises InputUnreadableError."""
        given = {"cursor": self.start if last is None else last}
        try:
            rows = connection.execute(text(self.query), given).mappings().fetchmany(MAX_ROWS)
        except SQLAlchemyError as error:
            raise InputUnreadableError(f"the query failed: {error}") from error
        lines = list[bytes]()
        for row in rows:
            line = orjson.dumps(dict(row), default=_as_json)
            here = cursor_of(orjson.loads(line), self.cursor)
            if last is not None and not _is_behind(here, last, self.cursor):
                raise InputUnreadableError(
                    f"column {self.cursor!r} does not ascend: {here!r} after {last!r}; does the query order by it, and "
                    "ask for more than :cursor?"
                )
            last = here
            lines.append(line)
        return lines


def _is_behind(here: Cursor, last: Cursor, column: str) -> bool:
    if isinstance(here, str) != isinstance(last, str):
        raise InputUnreadableError(f"column {column!r} has numbers in some rows and texts in others")
    return here > last  # type: ignore[operator]  # both are texts or both numbers


def _as_json(value: object) -> object:
    """What JSON has not: times in ISO 8601 (those without a zone as UTC), bytes in hexadecimal, decimals as numbers."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return float(value) if isinstance(value, Decimal) else str(value)
