"""Zeek's conn.log: tab-separated with its header, JSON, or JSON with the logs of all kinds in one stream.

Read of each connection: ts, uid, the addresses and ports of both ends, proto, service, duration, bytes and packets both
ways, conn_state, and local_orig with local_resp as the direction. Records of other Zeek logs are skipped: told by the
header's #path, in JSON by `_path` or `@stream`, and without those by the lack of conn_state.
Not read: history, tunnels, VLANs, layer-2 addresses; records inside another JSON object, as some shippers wrap them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Format
from livesec.core.schema import LogType
from livesec.formats.header_spans import spans
from livesec.formats.typed_fields import TypedRows
from livesec.formats.zeek_header import DIRECTIVE, ZeekHeader
from livesec.formats.zeek_records import json_rows, tsv_rows


class _Log(NamedTuple):
    path: str
    telling: str


_CONN: Final = _Log("conn", "conn_state")
_KIND: Final = r'"(?:_path|@stream)"\s*:\s*"([^"\\]*)"'
_MAY_BE: Final = ('orig_h"', '"_path"', '"@stream"')  # before a costly look at every object of all formats
_ORIGINATOR: Final = '"id[._]orig_h"'


class ZeekConn(Format[ZeekHeader]):
    """Zeek's connections."""

    name = "zeek_conn"
    title = "Zeek conn.log (tab-separated or JSON)"
    log_types = (LogType.NETWORK,)
    order = 40

    def initial(self, stream: StreamInfo) -> ZeekHeader:
        """No header seen."""
        return ZeekHeader()

    def parse(self, state: ZeekHeader, stream: StreamInfo, lines: pl.DataFrame) -> tuple[ZeekHeader, Parsed]:
        """Take headers and records of Zeek logs; those of conn give rows."""
        found = _Found()
        in_json = lines["line"].str.starts_with("{")
        if in_json.any():
            found.add_json(lines.filter(in_json))
            lines = lines.filter(~in_json)
        header, changes = state, []
        for row in _directives(lines["line"]):
            header = header.after(lines["line"][row])
            changes.append((row, header))
            found.add_part(lines["line_index"].slice(row, 1), header)
        for held, records in spans(lines, state, changes).items():
            found.add_tsv(records, held)
        return header, found.parsed()

    def to_bytes(self, state: ZeekHeader) -> bytes:
        """As JSON."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> ZeekHeader:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return ZeekHeader.from_bytes(blob)


def _directives(line: pl.Series) -> list[int]:
    marked = line.str.starts_with("#")
    return (marked & line.str.contains(DIRECTIVE)).arg_true().to_list() if marked.any() else []


class _Found:
    """What was taken of a batch so far: typed records, and line_index series by disposition."""

    def __init__(self) -> None:
        self.typed: list[TypedRows] = []
        self.parts: list[pl.Series] = []
        self.skipped: list[pl.Series] = []

    def add_part(self, line_index: pl.Series, header: ZeekHeader) -> None:
        """Take a directive after which `header` holds."""
        (self.skipped if header.excludes(*_CONN) else self.parts).append(line_index)

    def add_tsv(self, lines: pl.DataFrame, header: ZeekHeader) -> None:
        """Take the records among `lines`, which follow `header`."""
        if not header.fields:
            return
        own = lines["line"].str.contains(header.separator, literal=True) & ~lines["line"].str.starts_with("#")
        records = lines if own.all() else lines.filter(own)
        if header.excludes(*_CONN):
            self.skipped.append(records["line_index"])
        else:
            self.typed.append(tsv_rows(records, header))

    def add_json(self, lines: pl.DataFrame) -> None:
        """Take Zeek's among `lines`, which each start with a brace."""
        line = lines["line"]
        may = line.str.contains(_MAY_BE[0], literal=True)
        for mark in _MAY_BE[1:]:
            may |= line.str.contains(mark, literal=True)
        if not may.any():
            return
        lines = lines.filter(may)
        line = lines["line"]
        kind = line.str.extract(_KIND)
        named = kind.is_not_null() & line.str.contains('"ts"', literal=True)
        unnamed = kind.is_null()
        if unnamed.any():
            unnamed &= line.str.contains('"uid"', literal=True) & line.str.contains(_ORIGINATOR)
        conn = (kind == _CONN.path).fill_null(False)
        conn &= named
        if unnamed.any():  # one cut short may have lost its conn_state: json_rows says that it is broken
            telling = line.str.contains(f'"{_CONN.telling}"', literal=True) | ~line.str.ends_with("}")
            conn |= unnamed & telling
        self.typed.append(json_rows(lines.filter(conn)))
        self.skipped.append(lines["line_index"].filter((named | unnamed) & ~conn))

    def parsed(self) -> Parsed:
        """All of it, each part ascending."""
        typed = [one for one in self.typed if len(one.rows) or len(one.rejects)]
        rows = pl.concat([one.rows for one in typed]).sort("line_index") if typed else None
        consumed = [*self.parts, *(one.rows["line_index"] for one in typed)]
        return Parsed(
            {} if rows is None else {LogType.NETWORK: rows},
            consumed=_indexes(consumed),
            skipped=_indexes(self.skipped),
            rejects=pl.concat([no_rejects(), *(one.rejects for one in typed)]).sort("line_index"),
        )


def _indexes(parts: list[pl.Series]) -> NDArray[np.uint32]:
    return np.sort(np.concatenate([np.empty(0, np.uint32), *(part.to_numpy() for part in parts)]))


FORMAT = ZeekConn()
