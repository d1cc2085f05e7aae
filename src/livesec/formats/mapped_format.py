"""A log that a user's mapping file describes (see docs/mapping.md).

A mapping is offered lines before the built-in formats, and before syslog envelopes are taken off: who writes one wants
it so. It takes a line only if it holds the mapping's literal, if there is one, and has the mapping's form: all its
delimited fields, its whole regular expression, or a JSON object with the time and one field more. Without a literal, a
delimited or JSON line whose time cannot be read is left to other formats; any other fault in a line of that form makes
it a reject.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import COLUMNS, LogType
from livesec.formats.column_readers import column_field
from livesec.formats.csv_fields import Wanted, cut_fields
from livesec.formats.header_spans import spans
from livesec.formats.json_lines import json_fields
from livesec.formats.mapping import Kind, LogMapping, MappedField
from livesec.formats.mapping_file import load_mapping
from livesec.formats.text_times import keep_where
from livesec.formats.typed_fields import Field, Reader, Reading, repeated, time, typed_rows

STATE_VERSION: Final = 1
_FIRST: Final = 0  # before every built-in format
_MAX_COLUMNS: Final = 256
_MATCHED: Final = "livesec_matched"
_NO_TIME: Final = "no time of the layout"
_NO_MATCH: Final = "does not match the pattern"
_NO_JSON_TIME: Final = "no such key, or it is null"


@dataclass(frozen=True, slots=True)
class HeaderSeen:
    """State: where the fields are by the last header line; None where columns are fixed or none was seen."""

    wanted: Wanted | None = None


class Cut(NamedTuple):
    """Texts of the lines that have the mapping's form; lines that may or may not be meant, and why they have not."""

    texts: pl.DataFrame
    failed: pl.DataFrame
    parts: pl.Series


class MappedFormat(Format[HeaderSeen]):
    """One mapping file as a format."""

    def __init__(self, mapping: LogMapping, *, claims_all: bool = False) -> None:
        self.mapping = mapping
        self.name = mapping.name
        self.title = mapping.title
        self.log_types = (mapping.log_type,)
        whole = Shape.JSON if mapping.kind == Kind.JSON else Shape.ANY  # text may well start with a bracket
        self.shape = Shape.SYSLOG if mapping.programs else whole
        self.order = _FIRST
        self.whole_lines = not mapping.programs
        self._claims_all = claims_all or mapping.literal is not None
        self._fields = tuple(_field(mapping.log_type, one) for one in mapping.fields)
        self._pattern = f"^(?:{mapping.pattern})(?P<{_MATCHED}>)$"
        places = tuple(mapping.columns.index(name) for name in mapping.sources) if mapping.columns else ()
        self._fixed = Wanted(len(mapping.columns), mapping.sources, places, mapping.delimiter)

    def owns(self, program: str) -> bool:
        """The mapping's programs."""
        return program in self.mapping.programs

    def initial(self, stream: StreamInfo) -> HeaderSeen:
        """No header seen."""
        return HeaderSeen()

    def parse(self, state: HeaderSeen, stream: StreamInfo, lines: pl.DataFrame) -> tuple[HeaderSeen, Parsed]:
        """Take the lines that the mapping describes."""
        if self.shape == Shape.SYSLOG:
            lines = lines.with_columns(line=pl.col("message").fill_null(""))
        own = lines
        if self.mapping.literal is not None:
            own = lines.filter(pl.col("line").str.contains(self.mapping.literal, literal=True))
        state, cuts = self._cut(state, own, lines)
        parts = [self._parsed(cut, stream, lines) for cut in cuts if len(cut.texts) + len(cut.failed) + len(cut.parts)]
        return state, _together(self.mapping.log_type, parts)

    def _cut(self, state: HeaderSeen, own: pl.DataFrame, lines: pl.DataFrame) -> tuple[HeaderSeen, list[Cut]]:
        if self.mapping.kind == Kind.JSON:
            return state, [_cut_json(own, self.mapping, claims_all=self._claims_all)]
        if self.mapping.kind == Kind.REGEX:
            return state, [_cut_regex(own, self._pattern, self.mapping.sources)]
        if self.mapping.columns:
            return state, [_cut_delimited(own, self._fixed, self.mapping, list(self.mapping.columns))]
        return self._under_headers(state, own, lines)

    def _under_headers(self, state: HeaderSeen, own: pl.DataFrame, lines: pl.DataFrame) -> tuple[HeaderSeen, list[Cut]]:
        """Headers are looked for among all `lines`: they need not hold the literal."""
        changes = [(row, wanted) for row, line in _suspects(lines, self.mapping) if (wanted := self._header(line))]
        headers = lines["line_index"].gather([row for row, _ in changes])
        marked = (
            lines
            if own.height == lines.height
            else lines.filter(pl.col("line_index").is_in(pl.concat([own["line_index"], headers]).implode()))
        )
        rows = marked["line_index"].search_sorted(headers).to_list() if len(headers) else []
        moved = [(row, wanted) for row, (_, wanted) in zip(rows, changes, strict=True)]
        cuts = [
            _cut_delimited(part, wanted, self.mapping, [])
            for wanted, part in spans(marked, state.wanted, moved).items()
        ]
        nothing = pl.DataFrame(schema={"line_index": pl.UInt32})
        cuts.append(Cut(nothing, no_rejects(), headers))
        return HeaderSeen(changes[-1][1]) if changes else state, cuts

    def _header(self, line: str) -> Wanted | None:
        """The places of the fields, if `line` is a header that names them all."""
        names = [name.strip().strip('"') for name in line.removeprefix("\ufeff").split(self.mapping.delimiter)]
        if len(names) > _MAX_COLUMNS or not set(self.mapping.sources) <= set(names):
            return None
        places = tuple(names.index(name) for name in self.mapping.sources)
        return Wanted(len(names), self.mapping.sources, places, self.mapping.delimiter)

    def _parsed(self, cut: Cut, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        mapping = self.mapping
        rejects = [cut.failed] if self._claims_all else []
        if cut.texts.height == 0:
            return Parsed(consumed=cut.parts.to_numpy(), rejects=pl.concat([no_rejects(), *rejects]))
        texts = cut.texts.with_columns(_unless_unset(cut.texts[name], mapping.unset) for name in mapping.sources)
        more = {
            column: pl.repeat(value, texts.height, dtype=COLUMNS[mapping.log_type][column].dtype, eager=True)
            for column, value in mapping.constants.items()
        }
        told = {*more, *(one.column for one in mapping.fields)}
        if mapping.log_type == LogType.LOGIN and "count" not in told:
            more["count"] = repeated(1, texts.height, pl.Int32)
        if mapping.log_type == LogType.NETWORK and "connections" not in told:
            more["connections"] = repeated(1, texts.height, pl.Int64)
        fields: tuple[Field, ...] = self._fields
        timeless = ""
        if mapping.time_source is not None:
            timeless = f"{mapping.time_source}: {_NO_TIME} {mapping.time.layout}"
            clock = time(mapping.time.reader(stream.time_zone))
            fields = (Field(mapping.time_source, "event_time_us", clock, timeless.partition(": ")[2]), *fields)
        else:
            more |= (
                texts.select("line_index")
                .join(lines.select("line_index", "event_time_us", "host"), on="line_index", maintain_order="left")
                .drop("line_index", *({"host"} & told))
                .to_dict()
            )
        typed = typed_rows(texts, fields, **more)
        unusable = typed.rejects
        if not self._claims_all and mapping.kind != Kind.REGEX:
            unusable = unusable.filter(pl.col("reason") != timeless)
        return Parsed(
            {mapping.log_type: typed.rows},
            consumed=np.concatenate([typed.rows["line_index"].to_numpy(), cut.parts.to_numpy()]),
            rejects=pl.concat([no_rejects(), *rejects, unusable]),
        )

    def to_bytes(self, state: HeaderSeen) -> bytes:
        """As JSON."""
        wanted = state.wanted
        saved = None if wanted is None else {"width": wanted.width, "places": wanted.places, "names": wanted.names}
        return json.dumps({"version": STATE_VERSION, "wanted": saved}).encode()

    def from_bytes(self, blob: bytes) -> HeaderSeen:
        """What `to_bytes` wrote; a header under a mapping that has changed since is forgotten."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"{self.name}: a saved header has version {saved['version']}")
            wanted = saved["wanted"]
            if wanted is None or tuple(wanted["names"]) != self.mapping.sources:
                return HeaderSeen()
            places = tuple(map(int, wanted["places"]))
            return HeaderSeen(Wanted(int(wanted["width"]), self.mapping.sources, places, self.mapping.delimiter))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: a saved header cannot be read: {error}") from error


def mapped_format(path: str, *, claims_all: bool = False) -> MappedFormat:
    """The format that mapping file `path` describes. Raises MappingError.

    `claims_all` makes every line that does not fit a reject with its reason: to see what a mapping does to a file.
    """
    return MappedFormat(load_mapping(path), claims_all=claims_all)


def _field(log_type: LogType, one: MappedField) -> Field:
    made = column_field(log_type, one.column, one.source, one.words)
    return made if one.otherwise is None else replace(made, read=_or_else(made.read, one.otherwise))


def _or_else(reader: Reader, otherwise: str) -> Reader:
    def read(texts: pl.Series) -> Reading:
        return Reading(reader(texts).values.fill_null(otherwise))

    return read


def _unless_unset(texts: pl.Series, unset: Sequence[str]) -> pl.Series:
    for word in unset:
        said = texts != word
        if not said.all():
            texts = keep_where(said, texts)
    return texts


def _suspects(lines: pl.DataFrame, mapping: LogMapping) -> list[tuple[int, str]]:
    """Row and line of those that hold the names of all fields."""
    named = pl.repeat(True, lines.height, dtype=pl.Boolean, eager=True)
    for name in mapping.sources:
        named &= lines["line"].str.contains(name, literal=True)
        if not named.any():
            return []
    rows = named.arg_true()
    return list(zip(rows.to_list(), lines["line"].gather(rows).to_list(), strict=True))


def _cut_delimited(lines: pl.DataFrame, wanted: Wanted, mapping: LogMapping, header: list[str]) -> Cut:
    if header:  # a header line in a log whose columns are fixed says nothing new
        named = lines["line"] == mapping.delimiter.join(header)
        headers = lines["line_index"].filter(named)
        lines = lines.filter(~named) if len(headers) else lines
    else:
        headers = lines["line_index"].head(0)
    fields, failed = cut_fields(lines, wanted, quoted=mapping.quoted)
    return Cut(fields, failed, headers)


def _cut_regex(lines: pl.DataFrame, pattern: str, sources: Sequence[str]) -> Cut:
    groups = lines["line"].str.extract_groups(pattern).struct.unnest()
    matched = groups[_MATCHED].is_not_null()
    texts = groups.select(sources).insert_column(0, lines["line_index"])
    failed = lines.filter(~matched).select("line_index", reason=pl.lit(_NO_MATCH))
    return Cut(texts if matched.all() else texts.filter(matched), failed, lines["line_index"].head(0))


def _cut_json(lines: pl.DataFrame, mapping: LogMapping, *, claims_all: bool) -> Cut:
    when, *others = mapping.sources
    if not claims_all:
        lines = lines.filter(pl.col("line").str.contains(f'"{mapping.paths[when][-1]}"', literal=True))
    fields, failed = json_fields(lines, mapping.paths)
    timed = fields[when].is_not_null()
    if others:
        timed &= fields.select(pl.any_horizontal(pl.col(others).is_not_null())).to_series()
    reason = pl.lit(f"{when}: {_NO_JSON_TIME}")
    timeless = lines.join(fields.filter(timed), on="line_index", how="anti", maintain_order="left").join(
        failed, on="line_index", how="anti", maintain_order="left"
    )
    return Cut(
        fields.filter(timed),
        pl.concat([failed, timeless.select("line_index", reason=reason)]),
        lines["line_index"].head(0),
    )


def _together(log_type: LogType, parts: Sequence[Parsed]) -> Parsed:
    if not parts:
        return NOTHING_PARSED
    rows = [part.rows[log_type] for part in parts if part.rows]
    return Parsed(
        {log_type: pl.concat(rows).sort("line_index")} if rows else {},
        consumed=np.sort(np.concatenate([part.consumed for part in parts])),
        rejects=pl.concat([part.rejects for part in parts]).sort("line_index"),
    )
