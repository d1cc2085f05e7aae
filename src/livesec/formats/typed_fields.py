"""From the texts of a record's fields to typed schema columns, with a reason for each record that cannot be used.

A reader takes the texts of one field (String, null where the log has nothing) and gives its values and, if there are
any, which of the texts it could not use. Values depend on their own text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from livesec.core.batch import no_rejects
from livesec.formats.ip_text import canonical_ip
from livesec.formats.text_times import keep_where

_PROBLEM = "why not usable"
MAX_PORT = 65_535
MAX_COUNT = (1 << 63) - 1
_EXACT_IN_FLOAT = 1 << 53
"""Whole numbers up to here survive being written as 1234.0, as pandas does with a column that has gaps."""


class Reading(NamedTuple):
    """Values of a field, and where its text could not be used (None: nowhere)."""

    values: pl.Series
    bad: pl.Series | None = None


Reader = Callable[[pl.Series], Reading]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a log: its name there, the schema column it fills, how it is read, what a bad text is said to be."""

    name: str
    column: str
    read: Reader
    problem: str = ""


class TypedRows(NamedTuple):
    """Rows (line_index and schema columns) of usable records; line_index and reason of the others."""

    rows: pl.DataFrame
    rejects: pl.DataFrame


def typed_rows(texts: pl.DataFrame, fields: Sequence[Field], **more: pl.Series) -> TypedRows:
    """Read `texts` (line_index UInt32 and one String column per field name); `more` are further columns of the rows.

    A record fails at its first bad field.
    """
    columns = {"line_index": texts["line_index"]}
    reasons: list[pl.Expr] = []
    for field in fields:
        values, bad = field.read(texts[field.name])
        columns[field.column] = values
        if bad is not None:
            reasons.append(pl.when(bad).then(pl.lit(f"{field.name}: {field.problem}")))
    rows = pl.DataFrame(columns | more)
    if not reasons:
        return TypedRows(rows, no_rejects())
    judged = rows.with_columns(pl.coalesce(reasons).alias(_PROBLEM))  # rows may have a column named reason
    return TypedRows(
        judged.filter(pl.col(_PROBLEM).is_null()).drop(_PROBLEM),
        judged.filter(pl.col(_PROBLEM).is_not_null()).select("line_index", reason=_PROBLEM),
    )


def repeated(value: int | None, height: int, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    """A column of `height` times `value`."""
    return pl.repeat(value, height, dtype=dtype, eager=True)


def divided(values: pl.Series, divisor: float) -> pl.Series:
    """`values` / `divisor`, correctly rounded.

    polars multiplies by the reciprocal of a constant, except in a frame of one row: 9 / 1000 differed by an ulp.

    >>> divided(pl.Series([9, None]), 1000).to_list()
    [0.009, None]
    """
    exact = pl.Series(values.cast(pl.Float64).to_numpy() / divisor)
    return keep_where(values.is_not_null(), exact)


def text(texts: pl.Series) -> Reading:
    """As it stands; empty is null."""
    filled = texts != ""
    return Reading(texts if filled.all() else keep_where(filled, texts))


def lower_text(texts: pl.Series) -> Reading:
    """In lower case; empty is null."""
    return text(texts.str.to_lowercase())


def address(texts: pl.Series) -> Reading:
    """An address in one spelling: IPv6 shortened, IPv4 written as IPv6 (`::ffff:192.0.2.1`) as IPv4; others as is."""
    values = text(texts).values
    if not values.str.contains(":", literal=True).any():
        return Reading(values)
    return Reading(canonical_ip(values).fill_null(values))


def ip_address(texts: pl.Series) -> Reading:
    """As `address`; null where the text is none, as where a product writes a host's name."""
    return Reading(canonical_ip(texts))


def needed(reader: Reader) -> Reader:
    """`reader` for a field without which a record is no use: nothing there is bad too."""

    def read(texts: pl.Series) -> Reading:
        values = reader(texts).values
        return Reading(values, values.is_null() if values.null_count() else None)

    return read


def whole_number(low: int, high: int, dtype: type[pl.DataType] = pl.Int64) -> Reader:
    """A reader of whole numbers from `low` to `high`, written `1234`, `+1234` or `1234.0`; empty is null."""

    def read(texts: pl.Series) -> Reading:
        values = texts.cast(pl.Int64, strict=False)
        if values.null_count() > texts.null_count():
            texts = text(texts).values
        if values.null_count() > texts.null_count():
            others = (values.is_null() & texts.is_not_null()).arg_true()
            values = values.scatter(others, _loosely_written(texts.gather(others)))
        inside = values.is_between(low, high)
        if not inside.all():
            values = keep_where(inside, values)
        return _checked(texts, values.cast(dtype))

    return read


def _loosely_written(texts: pl.Series) -> pl.Series:
    numbers = texts.str.strip_chars().cast(pl.Float64, strict=False)
    exact = (numbers == numbers.round()) & (numbers.abs() <= _EXACT_IN_FLOAT)
    return keep_where(exact, numbers).cast(pl.Int64, strict=False)


count = whole_number(0, MAX_COUNT)
port = whole_number(0, MAX_PORT, pl.Int32)


def seconds(texts: pl.Series) -> Reading:
    """A span of time in seconds, finite and not negative; empty is null."""
    values = texts.cast(pl.Float64, strict=False)
    usable = values.is_finite() & (values >= 0)
    return _checked(texts, values if usable.all() else keep_where(usable, values))


def word_of(words: dict[str, str], dtype: pl.DataType) -> Reader:
    """A reader that turns known words, in any case, into an enum's; empty is null, an unknown word is bad."""

    def read(texts: pl.Series) -> Reading:
        known = texts.str.strip_chars().str.to_lowercase()
        return _checked(texts, known.replace_strict(words, default=None, return_dtype=dtype))

    return read


def time(clock: Callable[[pl.Series], pl.Series]) -> Reader:
    """A reader of times by `clock` (see text_times); every record needs one."""
    return needed(lambda texts: Reading(clock(texts)))


def _checked(texts: pl.Series, values: pl.Series) -> Reading:
    """`values`, bad where they are null although `texts` says something."""
    if values.null_count() == texts.null_count():  # which has no value where there is no text
        return Reading(values)
    bad = values.is_null() & texts.is_not_null()
    bad &= (texts if bad.all() else keep_where(bad, texts)).str.strip_chars() != ""
    return Reading(values, bad if bad.any() else None)
