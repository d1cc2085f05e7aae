"""Zeek's other logs, which are skipped, and the first lines of all its headers.

Recognised: records of logs that no format here reads (http, ssl, x509, weird, kerberos, ntlm, rdp, ...), in the same
forms as those of the others, and under every header what stands before #path. In JSON without a name a record is
Zeek's by uid and id.orig_h; one that is cut short is a reject, for it may have been of any log.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo, no_rejects
from livesec.core.protocols import Format
from livesec.formats.header_spans import spans
from livesec.formats.json_lines import BROKEN
from livesec.formats.text_starts import begins_with
from livesec.formats.zeek_header import ZeekHeader, headers_in
from livesec.formats.zeek_logs import TELLING, has_key, is_connected, kinds_of, log_of, told_by_fields
from livesec.formats.zeek_records import records_among


class ZeekOther(Format[ZeekHeader]):
    """What is Zeek's and nothing for us."""

    name = "zeek_other"
    title = "Zeek's other logs, and headers of all"
    log_types = ()
    order = 41  # after those that read a log

    def initial(self, stream: StreamInfo) -> ZeekHeader:
        """No header seen."""
        return ZeekHeader()

    def parse(self, state: ZeekHeader, stream: StreamInfo, lines: pl.DataFrame) -> tuple[ZeekHeader, Parsed]:
        """Skip records and headers of other logs; the start of a header is a part of what follows."""
        skipped: list[pl.Series] = []
        rejects = no_rejects()
        in_json = begins_with(lines["line"], "{")
        if in_json.any():
            whole, broken = _others(lines.filter(in_json))
            skipped.append(whole)
            rejects = pl.DataFrame({"line_index": broken}).with_columns(reason=pl.lit(BROKEN))
            lines = lines.filter(~in_json)
        heads = headers_in(lines["line"], state)
        logs = [(mark, log_of(header)) for mark, header in heads]
        parts = lines["line_index"].gather([mark for mark, log in logs if log is None])
        others = [mark for mark, log in logs if log is not None and log not in TELLING]
        skipped.append(lines["line_index"].gather(others))
        for header, following in spans(lines, state, heads).items():
            if header.fields and log_of(header) not in TELLING:
                skipped.append(records_among(following, header)["line_index"])
        after = heads[-1][1] if heads else state
        told = np.sort(np.concatenate([part.to_numpy() for part in skipped]))
        if len(told) + len(parts) + rejects.height == 0:
            return after, NOTHING_PARSED
        return after, Parsed(consumed=parts.to_numpy(), skipped=told, rejects=rejects)

    def to_bytes(self, state: ZeekHeader) -> bytes:
        """As JSON."""
        return state.to_bytes()

    def from_bytes(self, blob: bytes) -> ZeekHeader:
        """What `to_bytes` wrote. Raises StateVersionError for another layout."""
        return ZeekHeader.from_bytes(blob)


def _others(lines: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Of JSON lines, the line_index of records of other logs, and of those that are cut short and may be of any."""
    lines = lines.filter(lines["line"].str.contains('"ts"', literal=True))
    line, index = lines["line"], lines["line_index"]
    if lines.height == 0:
        return index, index
    kind = kinds_of(line)
    named = kind.is_not_null() & ~kind.is_in(list(TELLING)).fill_null(False) & has_key(line, "ts")
    unnamed = kind.is_null()
    if not unnamed.any():
        return index.filter(named), index.clear()
    unnamed &= is_connected(line) & has_key(line, "ts")
    for log in TELLING:
        unnamed &= ~told_by_fields(line, log)
    whole = line.str.ends_with("}")
    return index.filter(named | (unnamed & whole)), index.filter(unnamed & ~whole)


FORMAT = ZeekOther()
