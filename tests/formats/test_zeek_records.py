"""Zeek records however polars holds them."""

from __future__ import annotations

import polars as pl

from livesec.formats.zeek_header import ZeekHeader
from livesec.formats.zeek_records import tsv_texts

HEADER = ZeekHeader(separator="\t", path="conn", fields=("ts", "id.orig_h", "id.resp_h"))
GOOD, LONG, SHORT = "1772409600.5\t192.0.2.1\t198.51.100.7", "1772409600.5\t192.0.2.1\t198.51.100.7\tx", "1772409600.5"


def test_wrong_numbers_of_fields_are_told_in_a_frame_with_empty_chunks() -> None:
    piece = pl.DataFrame({"line_index": pl.Series([0, 1, 2], dtype=pl.UInt32), "line": [GOOD, LONG, SHORT]})
    lines = pl.concat([piece] * 3, rechunk=False).filter(pl.Series([False, True, False]).repeat_by(3).explode())
    assert [len(chunk) for chunk in lines["line"].get_chunks()] == [0, 3, 0]
    found = tsv_texts(lines, HEADER, HEADER.fields)
    assert found.texts["line_index"].to_list() == [0]
    assert found.failed.rows() == [(1, "4 fields where #fields names 3"), (2, "1 fields where #fields names 3")]
