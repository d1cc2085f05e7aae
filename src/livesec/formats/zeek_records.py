r"""The fields of Zeek's records as texts, from tab-separated lines under their header or from JSON; null where unset.

Zeek's tab-separated logs write a backslash twice, and as `\xNN` each byte that is not printable or would be taken for
the separator or the marker of an unset field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import polars as pl

from livesec.formats.byte_escapes import unescape
from livesec.formats.csv_fields import Wanted, cut_fields
from livesec.formats.json_lines import json_fields
from livesec.formats.text_starts import begins_with
from livesec.formats.text_times import epoch_us, iso_us
from livesec.formats.typed_fields import Field, ip_address, needed, port, text, time
from livesec.formats.zeek_header import ZeekHeader

_FIRST: Final = r'^\[?"?([^"\[\],]+)'
_WRONG_NUMBER: Final = " fields where #fields names "
_FEW: Final = 16  # lines
_TRUE: Final = ("T", "true")
_FALSE: Final = ("F", "false")


class Texts(NamedTuple):
    """Records (line_index, a String column for each field asked for) and what is none (line_index, reason)."""

    texts: pl.DataFrame
    failed: pl.DataFrame


def zeek_time(texts: pl.Series) -> pl.Series:
    """Seconds since 1970, or ISO 8601 where Zeek is set to write that."""
    time_us = epoch_us(texts)
    others = (time_us.is_null() & texts.is_not_null()).arg_true()
    return time_us.scatter(others, iso_us(texts.gather(others), "UTC")) if len(others) else time_us


TIME: Final = Field("ts", "event_time_us", time(zeek_time), "no time")
CONNECTION: Final = Field("uid", "session_id", text)
ORIGINATOR: Final = Field("id.orig_h", "src_ip", needed(ip_address), "missing, or no address")
ORIGINATOR_PORT: Final = Field("id.orig_p", "src_port", port, "no port number (0 to 65535)")
RESPONDER: Final = Field("id.resp_h", "dst_ip", needed(ip_address), "missing, or no address")
RESPONDER_PORT: Final = Field("id.resp_p", "dst_port", port, "no port number (0 to 65535)")


def tsv_texts(groups: Mapping[ZeekHeader, pl.DataFrame], names: Sequence[str]) -> Texts:
    """Fields `names` of the records among tab-separated lines (line_index, line) by the header that they follow.

    Lines without the separator, and comments, are none. Few lines are taken apart one by one: headers without end, each
    with a record or two, must not cost what columns of texts cost at the least. So are lines with a separator of
    several bytes, which nobody has seen.
    """
    many: list[Texts] = []
    rows: list[tuple[int | str | None, ...]] = []
    failed: list[tuple[int, str]] = []
    for header, lines in groups.items():
        if lines.height > _FEW and len(header.separator.encode()) == 1:
            many.append(_columns(records_among(lines, header), header, names))
            continue
        places = [header.fields.index(name) if name in header.fields else None for name in names]
        for index, line in zip(lines["line_index"].to_list(), lines["line"].to_list(), strict=True):
            pieces = line.split(header.separator)
            if len(pieces) == 1 or line.startswith("#"):
                continue
            if len(pieces) == len(header.fields):
                rows.append((index, *(None if at is None else _said(pieces[at], header) for at in places)))
            else:
                failed.append((index, f"{len(pieces)}{_WRONG_NUMBER}{len(header.fields)}"))
    if rows or failed or not many:
        schema = {"line_index": pl.UInt32, **dict.fromkeys(names, pl.String)}
        reasons = {"line_index": pl.UInt32, "reason": pl.String}
        many.append(Texts(pl.DataFrame(rows, schema, orient="row"), pl.DataFrame(failed, reasons, orient="row")))
    if len(many) == 1 and len(groups) == 1:
        return many[0]
    texts, wrong = (pl.concat(part).sort("line_index") for part in zip(*many, strict=True))
    return Texts(texts, wrong)


def records_among(lines: pl.DataFrame, header: ZeekHeader) -> pl.DataFrame:
    """Those of `lines`, which follow `header`, that are records."""
    own = lines["line"].str.contains(header.separator, literal=True) & ~begins_with(lines["line"], "#")
    return lines if own.all() else lines.filter(own)


def _said(text: str, header: ZeekHeader) -> str | None:
    if text in (header.unset, header.empty):
        return None
    return unescape(text)


def _columns(lines: pl.DataFrame, header: ZeekHeader, names: Sequence[str]) -> Texts:
    wanted = Wanted(
        width=len(header.fields),
        names=tuple(names),
        places=tuple(header.fields.index(name) if name in header.fields else -1 for name in names),
        delimiter=header.separator,
        named_by="#fields",
        unset=(header.unset, header.empty),
        is_escaped=True,
    )
    return Texts(*cut_fields(lines, wanted, quoted=False))


def json_texts(lines: pl.DataFrame, names: Sequence[str]) -> Texts:
    """Fields `names` of records in JSON; some shippers write id_orig_h for id.orig_h."""
    joined: dict[str, str] = {}
    if lines["line"].str.contains('"id_', literal=True).any():
        joined = {name: name.replace(".", "_") for name in names if name.startswith("id.")}
    read = json_fields(lines, {name: (name,) for name in (*names, *joined.values())})
    either = [pl.coalesce(name, joined[name]).alias(name) if name in joined else pl.col(name) for name in names]
    return Texts(read.fields.select("line_index", *either), read.failed)


def first_of(texts: pl.Series) -> pl.Series:
    """The first of each set of addresses or identifiers.

    >>> first_of(pl.Series(["192.0.2.1,192.0.2.2", '["C1","C2"]', "[]", None])).to_list()
    ['192.0.2.1', 'C1', None, None]
    """
    return texts.str.extract(_FIRST)


def is_true(texts: pl.Series) -> pl.Series:
    """Which are true as Zeek writes it, in either form; null where unset."""
    told = pl.when(texts.is_in(_TRUE)).then(pl.lit(True)).when(texts.is_in(_FALSE)).then(pl.lit(False))
    return pl.select(told).to_series()
