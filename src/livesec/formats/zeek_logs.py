"""Which of Zeek's logs a line belongs to, and what the formats that read one of them share.

Zeek writes a log of each kind: tab-separated under a header that names it, in JSON without a name, or in JSON with the
logs of all kinds in one stream, named by `_path` or `@stream`. The format of a log takes its header from #path on and
its records; zeek_other takes what stands before, and the logs that no format reads.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, left_over, no_rejects
from livesec.core.protocols import Format
from livesec.core.schema import LogType
from livesec.formats.header_spans import spans
from livesec.formats.text_starts import begins_with
from livesec.formats.typed_fields import TypedRows
from livesec.formats.zeek_header import ZeekHeader, headers_in
from livesec.formats.zeek_records import Texts, json_texts, tsv_texts

TELLING: Final = {
    "conn": ("conn_state",),
    "dns": ("rejected", "RD"),
    "files": ("fuid", "seen_bytes"),
    "ftp": ("command", "reply_code"),
    "notice": ("note", "suppress_for"),
    "smb_files": ("action", "size"),
    "ssh": ("auth_attempts",),
}
"""The logs that formats read, and the fields that together only their records have, where the log is not named."""
_NO_CONNECTION: Final = ("files", "notice")  # records need not have one
_KIND: Final = r'"(?:_path|@stream)"\s*:\s*"([^"\\]*)"'
_ORIGINATOR: Final = r'"id[._]orig_h"\s*:'


def log_of(header: ZeekHeader) -> str | None:
    """The log that `header` names, by its fields if not by its path; None while it may be any."""
    if header.path or not header.fields:
        return header.path or None
    return next((log for log, fields in TELLING.items() if set(fields) <= set(header.fields)), "")


def kinds_of(line: pl.Series) -> pl.Series:
    """The log that each JSON line names, null where it names none. A text cannot imitate it: its quotes are escaped."""
    return line.str.extract(_KIND)


def has_key(line: pl.Series, key: str) -> pl.Series:
    """Which JSON lines have `key`, at any depth."""
    tight = line.str.contains(f'"{key}":', literal=True)
    return tight if tight.all() else tight | line.str.contains(rf'"{key}"\s*:')


def is_connected(line: pl.Series) -> pl.Series:
    """Which JSON lines are of a connection that Zeek saw."""
    return has_key(line, "uid") & line.str.contains(_ORIGINATOR)


def told_by_fields(line: pl.Series, log: str) -> pl.Series:
    """Which JSON lines, as far as they name no log, are of `log`."""
    told = pl.repeat(True, len(line), eager=True) if log in _NO_CONNECTION else is_connected(line)
    for key in TELLING[log]:
        if told.any():
            told &= has_key(line, key)
    return told


def json_of(lines: pl.DataFrame, log: str) -> pl.DataFrame:
    """Those of `lines`, JSON each, that are records of `log`."""
    line = lines["line"]
    suspects = line.str.contains(f'"{TELLING[log][0]}"', literal=True)
    if not suspects.all():
        suspects |= line.str.contains(f'"{log}"', literal=True)
    if not suspects.any():
        return lines.clear()
    lines = lines if suspects.all() else lines.filter(suspects)
    line = lines["line"]
    kind = kinds_of(line)
    own = (kind == log).fill_null(False)
    if kind.null_count():
        own |= kind.is_null() & told_by_fields(line, log)
    return lines.filter(own & has_key(line, "ts"))


class ZeekLog(Format[ZeekHeader]):
    """A format that reads one of Zeek's logs, in all its forms."""

    order = 40
    log: str
    """The name of the log: Zeek's #path."""
    fields: Sequence[str]
    """The fields that are read."""

    @abstractmethod
    def read(self, texts: pl.DataFrame) -> Sequence[tuple[LogType, TypedRows]]:
        """Rows of records (line_index, and `fields` as String); what becomes neither row nor reject is skipped."""

    def initial(self, stream: StreamInfo) -> ZeekHeader:
        """No header seen."""
        return ZeekHeader()

    def parse(self, state: ZeekHeader, stream: StreamInfo, lines: pl.DataFrame) -> tuple[ZeekHeader, Parsed]:
        """Take the log's part of its headers, and its records."""
        found: list[Texts] = []
        in_json = begins_with(lines["line"], "{")
        if in_json.any():
            records = json_of(lines.filter(in_json), self.log)
            if records.height:
                found.append(json_texts(records, self.fields))
            lines = lines.filter(~in_json)
        heads = headers_in(lines["line"], state)
        own = [mark for mark, header in heads if log_of(header) == self.log]
        if own or log_of(state) == self.log:
            groups = spans(lines, state, heads)
            groups = {head: groups[head] for head in groups if head.fields and log_of(head) == self.log}
            if groups:
                found.append(tsv_texts(groups, self.fields))
        after = heads[-1][1] if heads else state
        return after, self._parsed(found, lines["line_index"].gather(own)) if found or own else NOTHING_PARSED

    def _parsed(self, found: Sequence[Texts], parts: pl.Series) -> Parsed:
        read = [(told.texts["line_index"], self.read(told.texts)) for told in found if told.texts.height]
        typed = [one for _, several in read for one in several]
        frames = {kind: [one.rows for each, one in typed if each == kind] for kind in self.log_types}
        used = np.sort(np.concatenate([parts.to_numpy(), *(one.rows["line_index"].to_numpy() for _, one in typed)]))
        every = np.concatenate([parts.to_numpy(), *(index.to_numpy() for index, _ in read)])
        rejects = [one.rejects for _, one in typed if one.rejects.height]
        known = np.concatenate([used, *(refused["line_index"].to_numpy() for refused in rejects)])
        rejects += [no_rejects(), *(told.failed for told in found)]
        return Parsed(
            {kind: _in_order(some) for kind, some in frames.items() if some},
            consumed=used,
            skipped=left_over(every, known) if len(every) > len(known) else every[:0],
            rejects=pl.concat(rejects).sort("line_index"),
        )

    def to_bytes(self, state: ZeekHeader) -> bytes:
        """As JSON."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> ZeekHeader:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return ZeekHeader.from_bytes(blob)


def _in_order(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames).sort("line_index")


def _without(every: NDArray[np.uint32], known: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Those of `every` that are not `known`, ascending; both are places in a batch, which is not large."""
    left = np.zeros(every.max() + 1, dtype=np.bool_)
    left[every] = True
    left[known] = False
    return np.flatnonzero(left).astype(np.uint32)
