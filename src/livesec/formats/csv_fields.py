"""Cuts CSV lines into fields (RFC 4180: quoted fields, commas and doubled quotes inside them), in one compiled pass.

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

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text, set_view, texts_at
from livesec.formats.byte_escapes import has_backslash, unescape, unescaped
from livesec.formats.text_spans import has_at

OPEN_QUOTE = (
    'a quote without its pair: a field over several lines, which is not read, or a quote that is not doubled ("")'
)
STRAY_QUOTE = 'a quote inside a field; a field that holds quotes must be quoted and its quotes doubled ("")'

_QUOTE = ord('"')
_NONE, _OPEN, _STRAY = -1, -2, -3
_UNSET, _SAID, _ODD = range(3)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fields to give: per name its place in a record of `width` fields, or -1 for null."""

    width: int
    names: tuple[str, ...]
    places: tuple[int, ...]
    delimiter: str = ","
    named_by: str = "the header"
    """What told of the fields, for the reasons."""
    wrong: tuple[str, str] | None = None
    """The reasons instead, for records with fewer and with more fields."""
    is_open: bool = False
    """Whether a record may have more fields, which are not looked at; only with a delimiter of one byte."""
    unset: tuple[str, ...] = ()
    """What is written for a field that says nothing: null; likewise."""
    is_escaped: bool = False
    """Whether fields are written as byte_escapes says; likewise."""


class Cut(NamedTuple):
    """Columns line_index and each wanted name (String) of the well-formed records; line_index and reason of others."""

    fields: pl.DataFrame
    failed: pl.DataFrame


def cut_fields(lines: pl.DataFrame, wanted: Wanted, *, quoted: bool = True) -> Cut:
    """Cut `lines` (line_index UInt32, line String without line breaks); both results ascend by line_index.

    Where fields are never `quoted`, a quote is a character like any other.
    """
    if len(wanted.delimiter.encode()) > 1:
        return _cut_by_text(lines, wanted)
    data, bounds = arrow_text(lines["line"])
    place_of = {place: column for column, place in enumerate(wanted.places)}
    columns = np.array([place_of.get(place, _NONE) for place in range(wanted.width)])
    shape = (len(wanted.places), lines.height)
    found = _Found(
        np.empty((*shape, 4), dtype=np.uint32),
        np.zeros(shape, dtype=np.uint8),
        np.empty(len(data), dtype=np.uint8),
        np.empty(lines.height, dtype=np.int64),
    )
    unset = arrow_text(pl.Series(wanted.unset, dtype=pl.String))
    most = wanted.width if wanted.is_open else len(data) + 1
    _cut(data, bounds, ord(wanted.delimiter), _Writing(quoted, wanted.is_escaped, *unset), columns, most, found)
    right = found.counts == wanted.width
    if not right.all():
        found.said[:, ~right] = _UNSET
    texts = [_texts(found, place_of[place], data) if place >= 0 else None for place in wanted.places]
    if right.all():
        return Cut(_named(lines["line_index"], texts, wanted), _no_failed())
    wrong = pl.Series(~right)
    failed = _failed(lines["line_index"].filter(wrong), _reasons(found.counts[~right], wanted))
    kept = [text if text is None else text.filter(~wrong) for text in texts]
    return Cut(_named(lines["line_index"].filter(~wrong), kept, wanted), failed)


class _Writing(NamedTuple):
    """How fields are written."""

    quoted: bool
    is_escaped: bool
    unset: NDArray[np.uint8]
    """Texts that say nothing, back to back; one is unset[unset_bounds[i] : unset_bounds[i + 1]]."""
    unset_bounds: NDArray[np.int64]


class _Found(NamedTuple):
    """What the cut writes."""

    views: NDArray[np.uint32]
    """(wanted fields, lines, 4): Arrow's view of each."""
    said: NDArray[np.uint8]
    """(wanted fields, lines): _UNSET, _SAID, or _ODD for one that is still to be unescaped."""
    scratch: NDArray[np.uint8]
    """Fields without their doubled quotes and escapes; as long as the lines."""
    counts: NDArray[np.int64]
    """(lines,): fields, or why they cannot be counted: _OPEN, _STRAY."""


@inner_kernel
def _quoted_end(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """(place of the quote that ends the field which begins at `at`, whether there are doubled ones); -1 for none."""
    is_doubled = False
    while at < end:
        if data[at] != _QUOTE:
            at += 1
        elif at + 1 < end and data[at + 1] == _QUOTE:
            is_doubled = True
            at += 2
        else:
            return at, is_doubled
    return _NONE, is_doubled


@inner_kernel
def _without_doubles(data: NDArray[np.uint8], at: int, end: int, out: NDArray[np.uint8], to: int) -> int:
    """Write data[at:end] with one quote for two to out[to:]; where it ends."""
    while at < end:
        out[to] = data[at]
        at += 2 if data[at] == _QUOTE else 1
        to += 1
    return to


@inner_kernel
def _is_odd(data: NDArray[np.uint8], at: int, end: int) -> bool:
    """Whether the number of quotes is."""
    odd = False
    for place in range(at, end):
        if data[place] == _QUOTE:
            odd = not odd
    return odd


@inner_kernel
def _plain_end(data: NDArray[np.uint8], at: int, end: int, delimiter: int, quoted: bool) -> int:
    """Where the unquoted field at `at` ends; -1 where a quote stands in it that may not."""
    place, stop = np.uint64(at), np.uint64(end)  # unsigned: no index below 0 is asked for at each byte
    while place < stop and data[place] != delimiter:
        if quoted and data[place] == _QUOTE:
            return _NONE
        place += np.uint64(1)
    return np.int64(place)  # type: ignore[return-value]  # an int to numba, where int() is not


@inner_kernel
def _is_unset(
    data: NDArray[np.uint8], at: int, end: int, words: NDArray[np.uint8], word_bounds: NDArray[np.int64]
) -> bool:
    """Whether data[at:end] is one of `words`."""
    for word in range(len(word_bounds) - 1):
        first, last = word_bounds[word], word_bounds[word + 1]
        if end - at == last - first and has_at(data, at, end, words, first, last):
            return True
    return False


@kernel
def _cut(  # noqa: PLR0912  # one pass: a call for each field, with all its arrays, took twice as long
    data: NDArray[np.uint8],
    bounds: NDArray[np.int64],
    delimiter: int,
    writing: _Writing,
    columns: NDArray[np.int64],
    most: int,
    found: _Found,
) -> None:
    quoted = writing.quoted
    used = 0
    for line in range(len(found.counts)):
        at, end = bounds[line], bounds[line + 1]
        is_escaped = writing.is_escaped and has_backslash(data, at, end)
        count = 0
        while count >= 0:
            column = columns[count] if count < len(columns) else _NONE
            if quoted and at < end and data[at] == _QUOTE:
                stop, is_doubled = _quoted_end(data, at + 1, end)
                behind = stop + 1
                if stop < 0 or (behind < end and data[behind] != delimiter):
                    count = _STRAY
                    break
                if column >= 0 and is_doubled:
                    text_end = _without_doubles(data, at + 1, stop, found.scratch, used)
                    set_view(found.views, column, line, found.scratch, used, text_end, 1)
                    found.said[column, line] = _SAID
                    used = text_end
                elif column >= 0:
                    set_view(found.views, column, line, data, at + 1, stop, 0)
                    found.said[column, line] = _SAID
            else:
                behind = _plain_end(data, at, end, delimiter, quoted)
                if behind < 0:
                    count = _STRAY
                    break
                if column >= 0 and not _is_unset(data, at, behind, writing.unset, writing.unset_bounds):
                    text_end = unescaped(data, at, behind, found.scratch, used) if is_escaped else _NONE
                    if text_end >= 0:
                        set_view(found.views, column, line, found.scratch, used, text_end, 1)
                        used = text_end
                    else:
                        set_view(found.views, column, line, data, at, behind, 0)
                    found.said[column, line] = _ODD if is_escaped and text_end < 0 else _SAID
            count += 1
            if behind >= end or count == most:
                break
            at = behind + 1
        if count == _STRAY and _is_odd(data, bounds[line], end):
            count = _OPEN
        found.counts[line] = count


def _texts(found: _Found, column: int, data: NDArray[np.uint8]) -> pl.Series:
    said = found.said[column]
    texts = texts_at(found.views[column], said != _UNSET, data, found.scratch)
    odd = np.flatnonzero(said == _ODD)
    return texts.scatter(odd, [unescape(text) for text in texts.gather(odd)]) if len(odd) else texts


def _cut_by_text(lines: pl.DataFrame, wanted: Wanted) -> Cut:
    """As `cut_fields`, for a delimiter of several bytes; no field is quoted."""
    pieces = lines["line"].str.split_exact(wanted.delimiter, wanted.width).struct.unnest()
    names = pieces.columns
    right = pieces[names[wanted.width - 1]].is_not_null() & pieces[names[wanted.width]].is_null()
    if not right.all():
        pieces = pieces.filter(right)
    texts = [pieces[names[place]] if place >= 0 else None for place in wanted.places]
    wrong = lines.filter(~right)
    counts = wrong["line"].str.count_matches(wanted.delimiter, literal=True).to_numpy().astype(np.int64) + 1
    failed = _failed(wrong["line_index"], _reasons(counts, wanted))
    return Cut(_named(lines["line_index"].filter(right), texts, wanted), failed)


def _named(line_index: pl.Series, columns: Sequence[pl.Series | None], wanted: Wanted) -> pl.DataFrame:
    nothing = pl.repeat(None, len(line_index), dtype=pl.String, eager=True)
    chosen = {name: nothing if column is None else column for name, column in zip(wanted.names, columns, strict=True)}
    return pl.DataFrame({"line_index": line_index, **chosen})


def _reasons(counts: NDArray[np.int64], wanted: Wanted) -> pl.Series:
    distinct, which = np.unique(counts, return_inverse=True)
    reasons = [_reason(count, wanted) for count in distinct.tolist()]
    return pl.Series(reasons, dtype=pl.String).gather(which)


def _reason(count: int, wanted: Wanted) -> str:
    if count < 0:
        return OPEN_QUOTE if count == _OPEN else STRAY_QUOTE
    if wanted.wrong is not None:
        return wanted.wrong[count > wanted.width]
    return f"{count} fields where {wanted.named_by} names {wanted.width}"


def _failed(line_index: pl.Series, reasons: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"line_index": line_index, "reason": reasons}, schema_overrides={"reason": pl.String})


def _no_failed() -> pl.DataFrame:
    return pl.DataFrame(schema={"line_index": pl.UInt32, "reason": pl.String})
