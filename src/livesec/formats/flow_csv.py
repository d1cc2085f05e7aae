"""What CSV files of flow tools have in common: a header line names the columns and holds until the next header.

Columns are found by name, in any order, and further ones are ignored. A record starts with a digit and has at least the
fields up to the last that is read; what stands behind that is not looked at. Any other line of comma-separated names
ends the hold of the header. Quotes around fields are taken off where they are set as RFC 4180 says; where they are not,
they are text that somebody sent, and commas separate.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.errors import StateVersionError
from livesec.core.jit import kernel
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.core.text_views import arrow_text
from livesec.formats.csv_fields import Cut, Wanted, cut_fields
from livesec.formats.header_spans import Changes, changes_at, spans_of
from livesec.formats.typed_fields import TypedRows

STATE_VERSION: Final = 1
MAX_HEADER_BYTES: Final = 8_192
MAX_COLUMNS: Final = 256
_ZERO, _NINE, _COMMA, _SPACE = b"09, "
_NAMES: Final = r"^\x{feff}?[A-Za-z][A-Za-z0-9_ .-]*(?:,[A-Za-z0-9_ .-]*){2,}$"
_IS_RECORD: Final = "is_record"
_SHORT: Final = "fewer fields than the header names; cut short?"
_LONG: Final = "more fields than the header names"


@dataclass(frozen=True, slots=True)
class Columns:
    """State: of a header in force the place of each field (-1: it has none) and how many there are."""

    width: int = 0
    places: tuple[int, ...] = ()
    is_trailer: bool = False
    """Instead: totals follow."""

    @property
    def hold(self) -> Columns | None:
        """Itself, None before any header and after another's."""
        return self if self.places or self.is_trailer else None


class FlowCsv(Format[Columns]):
    """A CSV file of flows."""

    names: ClassVar[Mapping[str, tuple[str, ...]]]
    """Each field with the names that headers have for it."""
    telling: ClassVar[tuple[str, ...]]
    """The fields that a header must have."""
    mark: ClassVar[tuple[str, ...]]
    """Texts of which every header has one."""
    trailer: ClassVar[tuple[str, ...]] = ()
    """Lines that end the flows; totals follow."""
    log_types = (LogType.NETWORK,)
    shape = Shape.TEXT

    @abstractmethod
    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of `texts`: line_index and a String column for each of `names`, all null where it is missing."""

    def skips(self, texts: pl.DataFrame) -> pl.Series:
        """Which of `texts` are nothing for us."""
        return pl.repeat(False, texts.height, dtype=pl.Boolean, eager=True)

    def initial(self, stream: StreamInfo) -> Columns:
        """No header seen."""
        return Columns()

    def parse(self, state: Columns, stream: StreamInfo, lines: pl.DataFrame) -> tuple[Columns, Parsed]:
        """Take headers, the records under them, and totals."""
        line = lines["line"]
        if state.hold is None and not self._may_have_headers(line):
            return state, NOTHING_PARSED
        is_record = _are_records(line).alias(_IS_RECORD)
        changes = self._changes(state, line, (~is_record).arg_true())
        if state.hold is None and not any(seen.hold for seen in changes.said):
            return state, NOTHING_PARSED
        index = lines["line_index"]
        parts = [index.gather(changes.those(lambda seen: bool(seen.places)))]
        skipped = [index.gather(changes.those(lambda seen: seen.is_trailer))]
        rows, rejects = [], [no_rejects()]
        marked = lines.with_columns(is_record)
        holds = Changes(changes.rows, changes.which, [seen.hold for seen in changes.said])
        for held, data in spans_of(marked, state.hold, holds).items():
            own = data[_IS_RECORD]
            if held.is_trailer:
                skipped.append(data["line_index"].filter(own | data["line"].is_in(self.trailer)))
                continue
            records = data if own.all() else data.filter(own)
            if records.height:
                found, nothing = self._records(records, held, stream.time_zone)
                skipped.append(nothing)
                rows.append(found.rows)
                rejects.append(found.rejects)
        parts += [frame["line_index"] for frame in rows]
        return changes.last(state), Parsed(
            {LogType.NETWORK: pl.concat(rows).sort("line_index")} if rows else {},
            consumed=np.sort(pl.concat(parts).to_numpy()),
            skipped=np.sort(pl.concat(skipped).to_numpy()),
            rejects=pl.concat(rejects).sort("line_index"),
        )

    def _may_have_headers(self, line: pl.Series) -> bool:
        return any(bool(line.str.contains(mark, literal=True).any()) for mark in self.mark)

    def _changes(self, state: Columns, line: pl.Series, others: pl.Series) -> Changes[Columns]:
        """Of the lines at the rows `others`, those that are headers or begin totals."""
        texts = line.gather(others)
        distinct = texts.unique()
        possible = (distinct.str.len_bytes() <= MAX_HEADER_BYTES) & distinct.str.contains(_NAMES)
        distinct = distinct.filter(possible | distinct.is_in(self.trailer))
        changes = changes_at(others, texts, {text: self._meaning(text) for text in distinct})
        rows, which, seen = changes
        is_trailer = np.array([change.is_trailer for change in seen], dtype=np.bool_)[which]
        if not is_trailer.any():
            return changes
        # Totals of what nobody knows are none: those behind a header, if any, that is not ours.
        holds = np.array([*(change.hold is not None for change in seen), state.hold is not None])
        header = np.maximum.accumulate(np.where(is_trailer, -1, np.arange(len(which))))  # the last before each
        kept = ~is_trailer | holds[np.where(header < 0, -1, which[header])]
        return Changes(rows[kept], which[kept], seen)

    def _meaning(self, line: str) -> Columns:
        if line in self.trailer:
            return Columns(is_trailer=True)
        found = [name.strip() for name in line.removeprefix("\ufeff").split(",")]
        places = tuple(
            next((found.index(name) for name in known if name in found), -1) for known in self.names.values()
        )
        has = {field for field, place in zip(self.names, places, strict=True) if place >= 0}
        return Columns(len(found), places) if has.issuperset(self.telling) and len(found) <= MAX_COLUMNS else Columns()

    def _records(self, lines: pl.DataFrame, held: Columns, time_zone: str) -> tuple[TypedRows, pl.Series]:
        """What became of `lines`, and the line_index of those that are skipped."""
        cut = _cut(lines, Wanted(held.width, tuple(self.names), held.places, wrong=(_SHORT, _LONG)))
        nothing = self.skips(cut.fields)
        skipped = cut.fields["line_index"].filter(nothing)
        typed = self.typed(cut.fields.filter(~nothing) if len(skipped) else cut.fields, time_zone)
        rejects = typed.rejects if cut.failed.is_empty() else pl.concat([cut.failed, typed.rejects])
        return TypedRows(typed.rows, rejects), skipped

    def to_bytes(self, state: Columns) -> bytes:
        """As JSON."""
        saved = {"width": state.width, "places": state.places, "is_trailer": state.is_trailer}
        return json.dumps({"version": STATE_VERSION, **saved}).encode()

    def from_bytes(self, blob: bytes) -> Columns:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            places = tuple(map(int, saved["places"]))
            if saved["version"] != STATE_VERSION or len(places) not in (0, len(self.names)):
                raise StateVersionError(f"{self.name}: a saved header has version {saved['version']}")
            return Columns(int(saved["width"]), places, bool(saved["is_trailer"]))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: a saved header cannot be read: {error}") from error


@kernel
def _mark_records(data: NDArray[np.uint8], bounds: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    for row in range(len(out)):
        at, end = bounds[row], bounds[row + 1]
        blanks = 0
        out[row] = at < end and data[at] >= _ZERO and data[at] <= _NINE
        while out[row] and at < end and data[at] != _COMMA:
            blanks += 1 if data[at] == _SPACE else 0
            at += 1
        out[row] &= at < end and blanks <= 1


def _are_records(line: pl.Series) -> pl.Series:
    """Which lines begin with a time or an address, with a digit in any case, and are no sentence.

    >>> _are_records(pl.Series(["2026-03-02 10:00:00,x", "192.0.2.1,", "2 or more, as words", "ts,td", "1"])).to_list()
    [True, True, False, False, False]
    """
    out = np.empty(len(line), dtype=np.bool_)
    _mark_records(*arrow_text(line), out)
    return pl.Series(out)


def _cut(lines: pl.DataFrame, wanted: Wanted) -> Cut:
    """The wanted fields of `lines`, and the lines that have too few or too many."""
    quoted = lines["line"].str.contains('"', literal=True)
    if not quoted.any():
        return _split(lines, wanted)
    careful = cut_fields(lines.filter(quoted), wanted).fields
    if careful.is_empty():
        return _split(lines, wanted)
    split = _split(lines.filter(~lines["line_index"].is_in(careful["line_index"].implode())), wanted)
    return Cut(pl.concat([split.fields, careful]).sort("line_index"), split.failed)


def _split(lines: pl.DataFrame, wanted: Wanted) -> Cut:
    """As `_cut`, at commas, no further than behind the last wanted field."""
    behind = max(wanted.places) + 2
    if behind <= wanted.width:
        wanted = replace(wanted, width=behind, is_open=True)
    return cut_fields(lines, wanted, quoted=False)
