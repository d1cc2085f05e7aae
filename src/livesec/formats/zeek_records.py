"""Zeek's conn records, from tab-separated or JSON lines to network rows."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.core.schema import DIRECTION
from livesec.formats.text_times import epoch_us, iso_us
from livesec.formats.typed_fields import (
    Field,
    TypedRows,
    address,
    count,
    lower_text,
    needed,
    port,
    repeated,
    seconds,
    text,
    time,
    typed_rows,
)
from livesec.formats.zeek_header import ZeekHeader


def _zeek_time(texts: pl.Series) -> pl.Series:
    """Seconds since 1970, or ISO 8601 where Zeek is set to write that."""
    time_us = epoch_us(texts)
    others = (time_us.is_null() & texts.is_not_null()).arg_true()
    return time_us.scatter(others, iso_us(texts.gather(others), "UTC")) if len(others) else time_us


_FIELDS: Final = (
    Field("ts", "event_time_us", time(_zeek_time), "no time"),
    Field("uid", "session_id", text),
    Field("id.orig_h", "src_ip", needed(address), "missing"),
    Field("id.orig_p", "src_port", port, "no port number (0 to 65535)"),
    Field("id.resp_h", "dst_ip", needed(address), "missing"),
    Field("id.resp_p", "dst_port", port, "no port number (0 to 65535)"),
    Field("proto", "protocol", lower_text),
    Field("service", "app", lower_text),
    Field("duration", "duration_s", seconds, "no number of seconds"),
    Field("orig_bytes", "bytes_out", count, "no number of bytes"),
    Field("resp_bytes", "bytes_in", count, "no number of bytes"),
    Field("conn_state", "conn_state", text),
    Field("orig_pkts", "packets_out", count, "no number of packets"),
    Field("resp_pkts", "packets_in", count, "no number of packets"),
)
_LOCAL: Final = ("local_orig", "local_resp")
_NAMES: Final = (*(field.name for field in _FIELDS), *_LOCAL)
_TEXT_IN_JSON: Final = frozenset({"uid", "id.orig_h", "id.resp_h", "proto", "service", "conn_state"})

BROKEN: Final = "broken JSON: the object does not end with its line or a text is not closed"
NESTED: Final = "several JSON objects, or one inside another; conn records are flat"


def tsv_rows(lines: pl.DataFrame, header: ZeekHeader) -> TypedRows:
    """Rows of tab-separated conn records under `header`; every line is either a row or a reject."""
    width = len(header.fields)
    pieces = lines["line"].str.split_exact(header.separator, width).struct.unnest()
    right = pieces[:, width - 1].is_not_null() & pieces[:, width].is_null()
    wanted = (
        _unless_unset(pieces[:, header.fields.index(name)], header).alias(name)
        if name in header.fields
        else pl.lit(None, pl.String).alias(name)
        for name in _NAMES
    )
    texts = pl.DataFrame([lines["line_index"]]).with_columns(wanted)
    if right.all():
        return _rows(texts)
    counts = lines["line"].str.count_matches(header.separator, literal=True) + 1
    told = pl.lit(f" fields where #fields names {width}")
    reasons = pl.select(pl.concat_str(counts, told)).to_series()  # pl.format panics on a series with an empty chunk
    return _but_failed(lines["line_index"], ~right, reasons, _rows(texts.filter(right)))


def _unless_unset(texts: pl.Series, header: ZeekHeader) -> pl.Series:
    said = (texts != header.unset) & (texts != header.empty)
    return texts if said.all() else pl.select(pl.when(said).then(texts)).to_series()


def json_rows(lines: pl.DataFrame) -> TypedRows:
    """Rows of conn records in JSON; every line is either a row or a reject.

    Fields are found by their quoted name, which cannot stand inside a JSON text (its quotes would be escaped there).
    """
    line = lines["line"]
    odd = (line.str.count_matches('"', literal=True) % 2 == 1) & ~line.str.contains("\\", literal=True)
    broken = odd | ~line.str.ends_with("}")
    nested = line.str.count_matches("{", literal=True) != 1
    if (broken | nested).any():
        reasons = pl.select(pl.when(broken).then(pl.lit(BROKEN)).when(nested).then(pl.lit(NESTED))).to_series()
        return _but_failed(lines["line_index"], broken | nested, reasons, json_rows(lines.filter(reasons.is_null())))
    tight = _tight(line)
    return _rows(pl.DataFrame([lines["line_index"], *(_json_field(tight, name).alias(name) for name in _NAMES)]))


def _tight(line: pl.Series) -> pl.Series:
    """`line` without blanks around colons, as Zeek itself writes it: other writers may put them there."""
    loose = line.str.contains('": ', literal=True) | line.str.contains('" :', literal=True)
    if not loose.any():
        return line
    return line.scatter(loose.arg_true(), line.filter(loose).str.replace_all(r'" *: *', '":'))


def _json_field(line: pl.Series, name: str) -> pl.Series:
    """The texts of field `name`; null where it is missing, null or not of its kind."""
    value = r'"([^"\\]*)"' if name in _TEXT_IN_JSON else r'"?([^n ",\\{}\[\]][^ ",\\{}\[\]]*)'
    if "." not in name:
        return line.str.extract(f'"{name}":{value}')
    # Some shippers write id_orig_h for id.orig_h. Literal names are found faster than both in one expression.
    dotted, joined = (
        line.str.extract(f'"{key}":{value}') for key in (name.replace(".", r"\."), name.replace(".", "_"))
    )
    return dotted if joined.null_count() == len(joined) else dotted.zip_with(dotted.is_not_null(), joined)


def _but_failed(line_index: pl.Series, failed: pl.Series, reasons: pl.Series, typed: TypedRows) -> TypedRows:
    more = pl.DataFrame({"line_index": line_index.filter(failed), "reason": reasons.filter(failed)})
    return typed._replace(rejects=pl.concat([typed.rejects, more]))


def _rows(texts: pl.DataFrame) -> TypedRows:
    """Rows of `texts`: line_index, and a String column for each of _NAMES."""
    return typed_rows(
        texts,
        _FIELDS,
        direction=_direction(texts["local_orig"], texts["local_resp"]),
        connections=repeated(1, len(texts), pl.Int64),
    )


def _direction(local_orig: pl.Series, local_resp: pl.Series) -> pl.Series:
    """By whether Zeek counts each end among its own networks; null where it does not say."""
    if local_orig.null_count() == len(local_orig):
        return repeated(None, len(local_orig), DIRECTION)
    flags = {"T": "T", "true": "T", "F": "F", "false": "F"}
    ends = pl.DataFrame({"orig": local_orig, "resp": local_resp}).select(
        pl.concat_str(pl.all().replace_strict(flags, default=None, return_dtype=pl.String))
    )
    ways = {"TT": "internal", "TF": "outbound", "FT": "inbound", "FF": "external"}
    return ends.to_series().replace_strict(ways, default=None, return_dtype=DIRECTION)
