"""What lines begin with, told for a whole batch, against Python's own look at each."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.unwrapping import _may_be_wrapped, is_json

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STARTS = st.sampled_from(
    [*MONTHS, "Mai", "jan", "<13>", "<", "1 ", "1", "2026-03-02T", "2026-03-02 ", "{", "[", "\0", ""]
)
LINES = st.lists(st.builds(str.__add__, STARTS, st.text(max_size=12)) | st.text(max_size=14), max_size=12)


@settings(deadline=None, max_examples=examples(300))
@given(LINES)
def test_what_may_begin_an_envelope(lines: list[str]) -> None:
    column = pl.Series(lines, dtype=pl.String)
    wanted = [
        line.startswith((*MONTHS, "<", "1 ")) or line.encode()[10:11] == b"T"
        for line in lines
        if len(line.encode()) > 2
    ]
    told = _may_be_wrapped(column, pl.Series([False] * len(lines), dtype=pl.Boolean))
    assert told.filter(column.str.len_bytes() > 2).to_list() == wanted


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.builds(str.__add__, st.sampled_from(["", " ", "\t ", "\u00a0", "\u3000", "\x7f", "a"]), STARTS)))
def test_json_may_be_indented(lines: list[str]) -> None:
    column = pl.Series(lines, dtype=pl.String)
    wanted = column.str.strip_chars_start().str.contains(r"^[\[{]")
    assert is_json(column).to_list() == wanted.to_list()
