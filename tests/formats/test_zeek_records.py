"""Zeek records however polars holds them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.zeek_header import ZeekHeader
from livesec.formats.zeek_records import tsv_texts

HEADER = ZeekHeader(separator="\t", path="conn", fields=("ts", "id.orig_h", "id.resp_h"))
GOOD, LONG, SHORT = (
    "1772409600.5\t192.0.2.1\t198.51.100.7",
    "1772409600.5\t192.0.2.1\t198.51.100.7\tx",
    "1772409600.5\t",
)


def test_wrong_numbers_of_fields_are_told_in_a_frame_with_empty_chunks() -> None:
    piece = pl.DataFrame({"line_index": pl.Series([0, 1, 2], dtype=pl.UInt32), "line": [GOOD, LONG, SHORT]})
    kept = pl.Series([False, *[True] * 10, False]).repeat_by(3).explode()
    lines = pl.concat([piece] * 12, rechunk=False).filter(kept)
    assert [len(chunk) for chunk in lines["line"].get_chunks()] == [0, *[3] * 10, 0]
    found = tsv_texts({HEADER: lines}, HEADER.fields)
    assert found.texts["line_index"].to_list() == [0] * 10
    assert found.failed.height == 20
    assert {row[1] for row in found.failed.rows() if row[0] == 1} == {"4 fields where #fields names 3"}
    assert {row[1] for row in found.failed.rows() if row[0] == 2} == {"2 fields where #fields names 3"}


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(["-", "(empty)", "", "x", "#", r"\\", r"\x2d", r"\xff", "\\"]), max_size=4)))
def test_few_records_are_read_as_many_are(records: list[list[str]]) -> None:
    lines = pl.DataFrame({"line": ["\t".join(record) for record in records]}, {"line": pl.String})
    lines = lines.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("line_index"), "line")
    names = ("id.resp_h", "uid", "ts")
    few = [tsv_texts({HEADER: lines.slice(at, 1)}, names) for at in range(lines.height)]
    many = tsv_texts({HEADER: pl.concat([lines] * 17)}, names)  # more than 16 at once are
    assert many.texts.rows() == [row for one in few for row in one.texts.rows()] * 17
    assert many.failed.rows() == [row for one in few for row in one.failed.rows()] * 17


def test_records_under_several_headers_stay_in_order() -> None:
    first, second = (pl.DataFrame({"line_index": at, "line": [GOOD, LONG]}) for at in ([0, 3], [1, 2]))
    other = replace(HEADER, unset="NONE")
    found = tsv_texts(
        {HEADER: first.cast({"line_index": pl.UInt32}), other: second.cast({"line_index": pl.UInt32})}, ("ts",)
    )
    assert found.texts["line_index"].to_list() == [0, 1]
    assert found.failed["line_index"].to_list() == [2, 3]
