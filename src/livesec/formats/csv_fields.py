"""Cuts CSV lines into fields (RFC 4180: quoted fields, commas and doubled quotes inside them), all lines at once.

Other delimiters than the comma may stand between fields; quoted fields need one of a single ASCII character.

A record is one line: a quoted field that runs over the line's end is not put together but reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

OPEN_QUOTE = (
    'a quote without its pair: a field over several lines, which is not read, or a quote that is not doubled ("")'
)
STRAY_QUOTE = 'a quote inside a field; a field that holds quotes must be quoted and its quotes doubled ("")'

_NEWLINE, _QUOTE = ord("\n"), ord('"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fields to give: per name its place in a record of `width` fields, or -1 for null."""

    width: int
    names: tuple[str, ...]
    places: tuple[int, ...]
    delimiter: str = ","


class Cut(NamedTuple):
    """Columns line_index and each wanted name (String) of the well-formed records; line_index and reason of others."""

    fields: pl.DataFrame
    failed: pl.DataFrame


def cut_fields(lines: pl.DataFrame, wanted: Wanted, *, quoted: bool = True) -> Cut:
    """Cut `lines` (line_index UInt32, line String without line breaks); both results ascend by line_index.

    Where fields are never `quoted`, a quote is a character like any other.
    """
    has_quotes = lines["line"].str.contains('"', literal=True)
    if not quoted or not has_quotes.any():
        return _cut_plain(lines, wanted)
    if has_quotes.all():
        return cut_quoted(lines, wanted)
    plain, careful = _cut_plain(lines.filter(~has_quotes), wanted), cut_quoted(lines.filter(has_quotes), wanted)
    return Cut(*(pl.concat(parts).sort("line_index") for parts in zip(plain, careful, strict=True)))


def _cut_plain(lines: pl.DataFrame, wanted: Wanted) -> Cut:
    pieces = lines["line"].str.split_exact(wanted.delimiter, wanted.width).struct.unnest()
    names = pieces.columns
    right = pieces[names[wanted.width - 1]].is_not_null() & pieces[names[wanted.width]].is_null()
    if right.all():
        return Cut(_named(lines["line_index"], [pieces[name] for name in names], wanted), _no_failed())
    wrong = lines.filter(~right)
    counts = wrong["line"].str.count_matches(wanted.delimiter, literal=True).to_numpy().astype(np.int64) + 1
    failed = _failed(wrong["line_index"], _count_reasons(counts, wanted.width))
    pieces = pieces.filter(right)
    return Cut(_named(lines["line_index"].filter(right), [pieces[name] for name in names], wanted), failed)


def cut_quoted(lines: pl.DataFrame, wanted: Wanted) -> Cut:
    """As `cut_fields`, for lines with quotes; gives the same for lines without, more slowly."""
    open_ended = lines["line"].str.count_matches('"', literal=True) % 2 == 1
    closed = lines.filter(~open_ended) if open_ended.any() else lines
    marks = _marks(closed["line"], ord(wanted.delimiter))
    right = ~marks.stray & (marks.field_counts == wanted.width)
    failed = _failed(lines["line_index"].filter(open_ended), pl.repeat(OPEN_QUOTE, int(open_ended.sum()), eager=True))
    if not right.all():
        counted = _count_reasons(marks.field_counts[~right], wanted.width)
        stray = pl.Series(marks.stray[~right])
        reasons = pl.select(pl.when(stray).then(pl.lit(STRAY_QUOTE)).otherwise(counted)).to_series()
        failed = pl.concat([failed, _failed(closed["line_index"].filter(~right), reasons)]).sort("line_index")
        closed = closed.filter(right)
        marks = _marks(closed["line"], ord(wanted.delimiter))
    # Every record now has `width` fields: with a line break after each, field k of record i is piece i * width + k.
    marks.text[marks.separators] = _NEWLINE
    kept = np.ones(len(marks.text), dtype=np.bool_)
    kept[marks.syntax_quotes] = False
    whole = marks.text[kept].tobytes().decode()
    pieces = pl.Series([whole]).str.split("\n").explode().head(len(closed) * wanted.width)
    columns = [pieces.gather_every(wanted.width, place) for place in range(wanted.width)]
    return Cut(_named(closed["line_index"], columns, wanted), failed)


class _Marks(NamedTuple):
    text: NDArray[np.uint8]
    """The lines, each with a line break."""
    separators: NDArray[np.int64]
    """Where the delimiters between fields are."""
    syntax_quotes: NDArray[np.int64]
    """Where the quotes that stand for no character are: those around fields and the first of each doubled pair."""
    field_counts: NDArray[np.int64]
    """Per line."""
    stray: NDArray[np.bool_]
    """Per line: whether a quote stands where RFC 4180 has none."""


def _marks(lines: pl.Series, delimiter: int) -> _Marks:
    """Find quotes and separators in lines that each hold an even number of quotes.

    Then the quotes open and close in turn, through all lines as in each of them. `""` inside a field closes and opens.
    """
    joined = "".join((lines.str.join("\n").item(), "\n")) if len(lines) else ""
    text = np.frombuffer(bytearray(joined, "utf-8"), np.uint8)
    places = np.flatnonzero((text == delimiter) | (text == _QUOTE) | (text == _NEWLINE))
    marks = text[places]
    is_quote, is_end = marks == _QUOTE, marks == _NEWLINE
    line = np.cumsum(is_end) - is_end
    separates = (marks == delimiter) & (np.cumsum(is_quote) % 2 == 0)
    quotes, line_of_quote = places[is_quote], line[is_quote]
    opening, closing = quotes[0::2], quotes[1::2]
    before, after = text[opening - 1], text[closing + 1]  # before the first byte stands the last: a line break
    may_open = (before == delimiter) | (before == _NEWLINE) | (before == _QUOTE)
    may_close = (after == delimiter) | (after == _NEWLINE) | (after == _QUOTE)
    stray = np.zeros(len(lines), dtype=np.bool_)
    stray[line_of_quote[0::2][~may_open]] = True
    stray[line_of_quote[1::2][~may_close]] = True
    field_counts = np.bincount(line[separates], minlength=len(lines)).astype(np.int64) + 1
    syntax_quotes = np.append(opening[before != _QUOTE], closing)
    return _Marks(text, places[separates], syntax_quotes, field_counts, stray)


def _named(line_index: pl.Series, columns: Sequence[pl.Series], wanted: Wanted) -> pl.DataFrame:
    nothing = pl.repeat(None, len(line_index), dtype=pl.String, eager=True)
    chosen = {
        name: columns[place] if place >= 0 else nothing for name, place in zip(wanted.names, wanted.places, strict=True)
    }
    return pl.DataFrame({"line_index": line_index, **chosen})


def _count_reasons(counts: NDArray[np.int64], width: int) -> pl.Series:
    frame = pl.DataFrame({"count": counts})
    return frame.select(reason=pl.format("{} fields where the header names " + str(width), "count")).to_series()


def _failed(line_index: pl.Series, reasons: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"line_index": line_index, "reason": reasons}, schema_overrides={"reason": pl.String})


def _no_failed() -> pl.DataFrame:
    return pl.DataFrame(schema={"line_index": pl.UInt32, "reason": pl.String})
