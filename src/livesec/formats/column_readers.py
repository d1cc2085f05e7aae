"""How the text for a schema column is read, whatever format it comes from: one reader per column, from the schema.

An address that is none is null, never a reject: some products write a host's name there. Words of an enum are its own
unless a format says which of its words mean them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from livesec.core.schema import COLUMNS, IP_COLUMNS, LogType
from livesec.formats.typed_fields import (
    MAX_COUNT,
    Field,
    Reader,
    count,
    ip_address,
    lower_text,
    port,
    seconds,
    text,
    whole_number,
    word_of,
)

_MAX_ATTEMPTS: Final = 1_000_000
_LOWER: Final = frozenset({"protocol", "app"})

_SET_ELSEWHERE: Final = frozenset(
    {
        *("sequence", "row_in_line", "stream_time_us", "stream_id", "line_offset", "line_length"),
        *(prefix + name for prefix in ("", "dst_") for name in ("asn", "lat", "lon", "geo_radius_km")),
        *(prefix + name for prefix in ("", "dst_") for name in ("country", "is_internal", "is_relay")),
        *("event_time_us", "log_age_us"),
    }
)
"""By the pipeline, the lookups, or (the time) by a reader that each format has of its own."""

_PROBLEMS: Final = {
    "count": "no number of attempts (1 to 1000000)",
    "connections": "no number of connections",
    "duration_s": "no number of seconds",
    "latency_ms": "no number of milliseconds",
}


def readable_columns(log_type: LogType) -> tuple[str, ...]:
    """The columns of a log type that a line's own text can fill, but its time."""
    return tuple(name for name in COLUMNS[log_type] if name not in _SET_ELSEWHERE)


def words_of(log_type: LogType, column: str) -> tuple[str, ...]:
    """The words that a column takes, () where it takes any text or a number.

    >>> words_of(LogType.LOGIN, "outcome")
    ('success', 'failure', 'attempt')
    """
    dtype = COLUMNS[log_type][column].dtype
    return tuple(dtype.categories) if isinstance(dtype, pl.Enum) else ()


def column_field(log_type: LogType, column: str, name: str, words: Mapping[str, str] | None = None) -> Field:
    """How `column` is filled from a log's field `name`; `words` (lower case) say what an enum's texts there mean."""
    return Field(name, column, _reader(log_type, column, words), _problem(log_type, column))


def _reader(log_type: LogType, column: str, words: Mapping[str, str] | None) -> Reader:
    dtype = COLUMNS[log_type][column].dtype
    if isinstance(dtype, pl.Enum):
        return word_of(dict(words) if words is not None else {word: word for word in dtype.categories}, dtype)
    if column in IP_COLUMNS:
        return ip_address
    if column == "count":
        return whole_number(1, _MAX_ATTEMPTS, pl.Int32)
    if column == "connections":
        return whole_number(1, MAX_COUNT)
    if dtype == pl.String:
        return lower_text if column in _LOWER else text
    if dtype == pl.Float64:
        return seconds
    return port if dtype == pl.Int32 else count


def _problem(log_type: LogType, column: str) -> str:
    words = words_of(log_type, column)
    if words:
        return f"a word that stands for no {column}"
    dtype = COLUMNS[log_type][column].dtype
    if dtype == pl.Int32 and column != "count":
        return "no port number (0 to 65535)"
    return _PROBLEMS.get(column, f"no number of {COLUMNS[log_type][column].unit or 'units'}")
