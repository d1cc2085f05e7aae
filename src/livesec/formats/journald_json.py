"""Journal entries as `journalctl -o json` prints them: one JSON object per line.

A field is a text, or an array of bytes where it is not clean UTF-8 (an attacker's user name may see to that); only
MESSAGE is read in both forms.
"""

from __future__ import annotations

import json

import polars as pl
from polars.exceptions import ComputeError

MARK = '"__REALTIME_TIMESTAMP"'
"""Every entry has this field."""

_TEXTS = (
    "__REALTIME_TIMESTAMP",
    "_SOURCE_REALTIME_TIMESTAMP",
    "_HOSTNAME",
    "SYSLOG_IDENTIFIER",
    "_PID",
    "SYSLOG_PID",
)
_WITH_TEXT = pl.Struct({name: pl.String for name in (*_TEXTS, "MESSAGE")})
_WITH_BYTES = pl.Struct({name: pl.String for name in _TEXTS} | {"MESSAGE": pl.List(pl.UInt8)})
_BETWEEN_OBJECTS = r"\}\s*,\s*\{"
_BYTES_FOLLOW = r'"MESSAGE"\s*:\s*\['  # never inside a value: quotes in values are escaped
DECODED = {
    "line_index": pl.UInt32,
    "event_time_us": pl.Int64,
    "host": pl.String,
    "program": pl.String,
    "pid": pl.Int64,
    "message": pl.String,
}
"""What `envelope.decode` gives."""


def decode_journal(lines: pl.DataFrame) -> pl.DataFrame:
    """The entries among `lines` (line_index, line), in order, as `envelope.decode` gives them.

    Lines that are no journal entry are left out; a time that is no number is null.
    """
    lines = lines.filter(_are_single_objects(lines["line"]))
    as_bytes = lines["line"].str.contains(_BYTES_FOLLOW)
    parts = [_entries(lines.filter(~as_bytes), _WITH_TEXT)]
    if as_bytes.any():
        binary = _entries(lines.filter(as_bytes), _WITH_BYTES)
        parts.append(binary.with_columns(message=_texts_of_bytes(binary["message"])))
    entries = pl.concat(parts)
    return entries.sort("line_index") if len(parts) > 1 else entries


def _are_single_objects(lines: pl.Series) -> pl.Series:
    """Which lines are one JSON object each, as far as the batch decoder needs it.

    polars joins the lines with commas before it decodes them: a line of two objects would give two rows, and shift all
    that follow. Lines that may be of that kind, a `},{` outside or inside a text, are looked at one by one.
    """
    stripped = lines.str.strip_chars()
    are = stripped.str.starts_with("{") & stripped.str.ends_with("}")
    doubtful = are & lines.str.contains(_BETWEEN_OBJECTS)
    if not doubtful.any():
        return are
    right = pl.Series([not unsure or _is_object(line) for unsure, line in zip(doubtful, lines, strict=True)])
    return are & right


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _texts_of_bytes(messages: pl.Series) -> pl.Series:
    texts = [
        None if item is None or None in item else bytes(item).decode(errors="replace") for item in messages.to_list()
    ]
    return pl.Series(texts, dtype=pl.String)


def _entries(lines: pl.DataFrame, layout: pl.Struct) -> pl.DataFrame:
    message = layout.to_schema()["MESSAGE"]
    decoded = _decoded(lines, layout)
    if decoded is None:
        return pl.DataFrame(schema=DECODED | {"message": message})
    time_us = pl.coalesce("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP").cast(pl.Int64, strict=False)
    return decoded.filter(pl.col("__REALTIME_TIMESTAMP").is_not_null()).select(
        "line_index",
        time_us.alias("event_time_us"),
        pl.col("_HOSTNAME").alias("host"),
        pl.col("SYSLOG_IDENTIFIER").alias("program"),
        pl.coalesce("_PID", "SYSLOG_PID").cast(pl.Int64, strict=False).alias("pid"),
        pl.col("MESSAGE").alias("message"),
    )


def _decoded(lines: pl.DataFrame, layout: pl.Struct) -> pl.DataFrame | None:
    """`lines` that are JSON of `layout`, with its fields as columns; halves what will not decode until it does."""
    if lines.height == 0:
        return None
    try:
        fields = lines["line"].str.json_decode(layout).struct.unnest()
    except ComputeError:
        fields = None
    if fields is None or fields.height != lines.height:  # two broken lines may make one whole one
        if lines.height == 1:
            return None
        middle = lines.height // 2
        halves = [_decoded(lines.head(middle), layout), _decoded(lines.slice(middle), layout)]
        whole = [half for half in halves if half is not None]
        return pl.concat(whole) if whole else None
    return pl.concat([lines.select("line_index"), fields], how="horizontal")
