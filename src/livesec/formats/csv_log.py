"""What the three CSV logs have in common: a header line says where their columns are, and holds until the next one.

Columns are found by name, in any order; further ones are ignored. A header of another of the three logs ends the hold
of this one's. Lines before any header are not taken.
"""

from __future__ import annotations

import csv
import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.csv_fields import Cut, Wanted, cut_fields
from livesec.formats.header_spans import Changes, changes_at, spans_of
from livesec.formats.plain_csv import Plain, read_plain
from livesec.formats.typed_fields import TypedRows

LOGIN_HEADER = ("timestamp", "username", "ip_address", "country", "success", "user_agent")
NETWORK_HEADER = (
    "timestamp",
    "source_ip",
    "dest_ip",
    "port",
    "protocol",
    "bytes_sent",
    "bytes_received",
    "connections",
)
TRANSFER_HEADER = ("timestamp", "username", "filename", "file_size", "action", "destination")

# The columns that tell a log's header from every other line; the rest may be missing and are null then.
_TELLING = {
    LOGIN_HEADER: ("timestamp", "username", "ip_address", "success"),
    NETWORK_HEADER: ("timestamp", "source_ip", "dest_ip", "port"),
    TRANSFER_HEADER: ("timestamp", "username", "filename", "file_size"),
}

STATE_VERSION = 1
MAX_HEADER_BYTES = 8_192
MAX_COLUMNS = 256
_NEVER_IN_A_HEADER = r"[:=<>{};\t]"  # but in nearly every line of JSON, syslog and the like


@dataclass(frozen=True, slots=True)
class HeaderSeen:
    """State: where the columns are by the last header, None before any or after another log's."""

    wanted: Wanted | None = None


class CsvLog(Format[HeaderSeen]):
    """A CSV log with a header line."""

    header: ClassVar[tuple[str, ...]]
    """Its columns, as a header names them."""
    plain: ClassVar[Mapping[str, Plain]] = {}
    """How plain lines are read, for each of `header`; empty where `typed` reads all lines."""
    shape = Shape.TEXT
    order = 80  # its lines have little of their own; formats that know theirs by shape come first

    @abstractmethod
    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of `texts`: line_index and a String column for each of `header`, all null where it is missing."""

    def typed_plain(self, fields: Mapping[str, pl.Series], time_zone: str) -> dict[str, pl.Series] | None:
        """As `typed`, schema columns of plain lines' `fields` (see plain_csv); None: leave them to `typed`."""
        return None

    def initial(self, stream: StreamInfo) -> HeaderSeen:
        """No header seen."""
        return HeaderSeen()

    def parse(self, state: HeaderSeen, stream: StreamInfo, lines: pl.DataFrame) -> tuple[HeaderSeen, Parsed]:
        """Take headers of this log and what follows them."""
        headers = _headers(lines, self.header)
        if not len(headers.rows) and state.wanted is None:
            return state, NOTHING_PARSED
        own = headers.those(lambda seen: seen.wanted is not None)
        parts = [Parsed(consumed=lines["line_index"].gather(own).to_numpy())]
        wanted = Changes(headers.rows, headers.which, [seen.wanted for seen in headers.said])
        for held, data in spans_of(lines, state.wanted, wanted).items():
            plain, others = self._plain(data, held, stream.time_zone)
            parts.append(plain)
            if others.height:
                parts.append(self._records(others, held, stream.time_zone))
        return headers.last(state), _together(self.log_types[0], parts)

    def _plain(self, lines: pl.DataFrame, wanted: Wanted, time_zone: str) -> tuple[Parsed, pl.DataFrame]:
        """Rows of the plain ones among `lines`, and the other lines."""
        nothing = NOTHING_PARSED, lines
        if not self.plain or sorted(wanted.places) != list(range(wanted.width)):
            return nothing
        names = sorted(self.header, key=lambda name: wanted.places[self.header.index(name)])
        found = read_plain(lines["line"], [self.plain[name] for name in names])
        if not found.is_plain.any():
            return nothing
        columns = self.typed_plain(dict(zip(names, found.fields, strict=True)), time_zone)
        if columns is None:
            return nothing
        is_plain = pl.Series(found.is_plain)
        all_plain = is_plain.all()
        line_index = lines["line_index"] if all_plain else lines["line_index"].filter(is_plain)
        rows = pl.DataFrame({"line_index": line_index, **columns})
        others = lines.clear() if all_plain else lines.filter(~is_plain)
        return Parsed({self.log_types[0]: rows}, consumed=line_index.to_numpy()), others

    def _records(self, lines: pl.DataFrame, wanted: Wanted, time_zone: str) -> Parsed:
        cut = without_strangers(cut_fields(lines, wanted), lines, wanted.width)
        rows, unusable = self.typed(cut.fields, time_zone)
        return Parsed(
            {self.log_types[0]: rows},
            consumed=rows["line_index"].to_numpy(),
            rejects=pl.concat([cut.failed, unusable]).sort("line_index"),
        )

    def to_bytes(self, state: HeaderSeen) -> bytes:
        """As JSON."""
        wanted = state.wanted
        saved = None if wanted is None else {"width": wanted.width, "places": wanted.places}
        return json.dumps({"version": STATE_VERSION, "wanted": saved}).encode()

    def from_bytes(self, blob: bytes) -> HeaderSeen:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        try:
            saved = json.loads(blob)
            if saved["version"] != STATE_VERSION:
                raise StateVersionError(f"{self.name}: a saved header has version {saved['version']}")
            wanted = saved["wanted"]
            if wanted is None:
                return HeaderSeen()
            return HeaderSeen(Wanted(int(wanted["width"]), self.header, tuple(map(int, wanted["places"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: a saved header cannot be read: {error}") from error


def _headers(lines: pl.DataFrame, header: Sequence[str]) -> Changes[HeaderSeen]:
    """The header lines of the three logs among `lines`, and the state after each."""
    suspects = lines["line"].str.contains("timestamp", literal=True).arg_true()
    texts = lines["line"].gather(suspects)
    distinct = texts.unique()
    possible = (distinct.str.len_bytes() <= MAX_HEADER_BYTES) & ~distinct.str.contains(_NEVER_IN_A_HEADER)
    meanings = {text: _meaning(text, header) for text in distinct.filter(possible)}
    return changes_at(suspects, texts, {text: meaning for text, meaning in meanings.items() if meaning is not None})


def _meaning(line: str, header: Sequence[str]) -> HeaderSeen | None:
    """The state after header line `line`, None if it is none of the three logs'."""
    try:
        names = [name.strip() for name in next(csv.reader([line.removeprefix("\ufeff")], strict=True))]
    except (csv.Error, StopIteration):
        return None
    log = next((log for log, telling in _TELLING.items() if set(telling) <= set(names)), None)
    if log is None or len(names) > MAX_COLUMNS:
        return None
    if log != header:
        return HeaderSeen()
    return HeaderSeen(Wanted(len(names), log, tuple(names.index(name) if name in names else -1 for name in log)))


def without_strangers(cut: Cut, lines: pl.DataFrame, width: int) -> Cut:
    """`cut` without the failed lines that may well be of another format.

    A failed line is this log's if it has a comma and starts with a digit or a quote, has commas enough for a record, or
    leaves a quote open.
    """
    if cut.failed.is_empty():
        return cut
    line = lines.join(cut.failed, on="line_index", how="semi", maintain_order="left")["line"]
    commas = line.str.count_matches(",", literal=True)
    open_ended = line.str.count_matches('"', literal=True) % 2 == 1
    ours = (commas >= width - 1) | line.str.contains(r'^[0-9"]') | open_ended
    return Cut(cut.fields, cut.failed.filter(ours & (commas > 0) & ~line.str.starts_with("{")))


def _together(log_type: LogType, parts: Sequence[Parsed]) -> Parsed:
    filled = [part for part in parts if len(part.consumed) or part.rejects.height]
    if len(filled) == 1:
        return filled[0]
    rows = [part.rows[log_type] for part in filled if part.rows]
    return Parsed(
        {log_type: pl.concat(rows).sort("line_index")} if rows else {},
        consumed=np.sort(np.concatenate([part.consumed for part in parts])),
        rejects=pl.concat([part.rejects for part in parts]).sort("line_index"),
    )
