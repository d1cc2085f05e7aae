"""Flow records in CSV whose header line says where the columns are, as several flow tools write them.

Columns are found by name, in any order; further ones are ignored. A header holds until the next one of this format or
of any other CSV. Lines before a header, and lines that do not start with the digits of a time, are not taken.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Final

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format, Shape
from livesec.core.schema import LogType
from livesec.formats.csv_fields import Wanted, cut_fields
from livesec.formats.csv_log import MAX_COLUMNS, MAX_HEADER_BYTES, HeaderSeen
from livesec.formats.header_spans import spans
from livesec.formats.ip_text import is_ip
from livesec.formats.typed_fields import Reading, TypedRows, address

STATE_VERSION: Final = 1
_HEADER: Final = r"^[A-Za-z_][A-Za-z0-9_ ]*(?:,[A-Za-z0-9_ ]+){3,}$"
_RECORD: Final = r"^[0-9]{4}[-/]"
_LETTERS: Final = ("A", "{")  # from the first capital to behind the last small letter


class FlowCsv(Format[HeaderSeen]):
    """Flow records under a header."""

    columns: ClassVar[tuple[str, ...]]
    """Those read, as a header names them; all null where a header has them not."""
    telling: ClassVar[tuple[str, ...]]
    """Those that tell a header of this format from every other."""
    trailer: ClassVar[str] = ""
    """A pattern of lines between the records that say nothing about a flow; "" for none."""
    log_types = (LogType.NETWORK,)
    shape = Shape.TEXT
    order = 70

    @abstractmethod
    def typed(self, texts: pl.DataFrame, time_zone: str) -> TypedRows:
        """Rows of `texts`: line_index and a String column for each of `columns`."""

    def initial(self, stream: StreamInfo) -> HeaderSeen:
        """No header seen."""
        return HeaderSeen()

    def parse(self, state: HeaderSeen, stream: StreamInfo, lines: pl.DataFrame) -> tuple[HeaderSeen, Parsed]:
        """Take headers of this format and what follows them."""
        headers = list(self._headers(lines))
        if state.wanted is None and not any(seen.wanted for _, seen in headers):
            return state, NOTHING_PARSED
        own = lines["line_index"].gather([row for row, seen in headers if seen.wanted is not None])
        rows, rejects, skipped = [], [no_rejects()], [np.empty(0, dtype=np.uint32)]
        for wanted, data in spans(lines, state.wanted, [(row, seen.wanted) for row, seen in headers]).items():
            record = data["line"].str.contains(_RECORD)
            if self.trailer and not record.all():
                skipped.append(data["line_index"].filter(data["line"].str.contains(self.trailer)).to_numpy())
            cut = cut_fields(data if record.all() else data.filter(record), wanted)
            typed = self.typed(cut.fields, stream.time_zone)
            rows.append(typed.rows)
            rejects += [cut.failed, typed.rejects]
        used = [own.to_numpy(), *(part["line_index"].to_numpy() for part in rows)]
        return headers[-1][1] if headers else state, Parsed(
            {LogType.NETWORK: pl.concat(rows).sort("line_index")} if rows else {},
            consumed=np.sort(np.concatenate(used)),
            skipped=np.sort(np.concatenate(skipped)),
            rejects=pl.concat(rejects).sort("line_index"),
        )

    def _headers(self, lines: pl.DataFrame) -> Iterator[tuple[int, HeaderSeen]]:
        """Row of each header of any CSV among `lines`, in order, and the state after it."""
        line = lines["line"]
        suspects = line.is_between(*_LETTERS, closed="left").arg_true()
        if not len(suspects):
            return
        texts = line.gather(suspects)
        possible = texts.str.len_bytes() <= MAX_HEADER_BYTES
        if self.trailer:
            possible &= ~texts.str.contains(self.trailer)
        suspects, texts = suspects.filter(possible), texts.filter(possible)
        possible = texts.str.contains(_HEADER)
        suspects, texts = suspects.filter(possible), texts.filter(possible)
        meanings = {text: self._meaning(text) for text in texts.unique()}
        for row, text in zip(suspects, texts, strict=True):
            yield row, meanings[text]

    def _meaning(self, header: str) -> HeaderSeen:
        names = [name.strip() for name in header.split(",")]
        if not set(self.telling) <= set(names) or len(names) > MAX_COLUMNS:
            return HeaderSeen()
        places = tuple(names.index(name) if name in names else -1 for name in self.columns)
        return HeaderSeen(Wanted(len(names), self.columns, places))

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
            return HeaderSeen(Wanted(int(wanted["width"]), self.columns, tuple(map(int, wanted["places"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise StateVersionError(f"{self.name}: a saved header cannot be read: {error}") from error


def is_icmp(protocols: pl.Series) -> pl.Series:
    """Which protocols are ICMP (also of IPv6): what stands for their ports is a type and a code."""
    return protocols.str.to_lowercase().str.contains("icmp", literal=True).fill_null(False)


def address_or_none(texts: pl.Series) -> Reading:
    """An address, null where the text is none."""
    return address(pl.select(pl.when(is_ip(texts)).then(texts)).to_series())
