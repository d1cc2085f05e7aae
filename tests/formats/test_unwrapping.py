"""What lines begin with, told for a whole batch, against Python's own look at each."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.text_spans import joined
from livesec.formats.unwrapping import _MONTHS, _mark_likely, is_json

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
STARTS = st.sampled_from(
    [*MONTHS, "Mai", "jan", "<13>", "<", "1 ", "1", "2026-03-02T", "2026-03-02 ", "{", "[", "\0", ""]
)
LINES = st.lists(st.builds(str.__add__, STARTS, st.text(max_size=12)) | st.text(max_size=14), max_size=12)


@settings(deadline=None, max_examples=examples(300))
@given(LINES)
def test_what_may_begin_an_envelope(lines: list[str]) -> None:
    out = np.empty(len(lines), dtype=np.bool_)
    _mark_likely(*joined(pl.Series(lines, dtype=pl.String)), _MONTHS, out)
    assert out.tolist() == [line.startswith((*MONTHS, "<", "1 ")) or line[10:11] == "T" for line in lines]


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.builds(str.__add__, st.sampled_from(["", " ", "\t ", "\u00a0", "\u3000", "\x7f", "a"]), STARTS)))
def test_json_may_be_indented(lines: list[str]) -> None:
    column = pl.Series(lines, dtype=pl.String)
    wanted = column.str.strip_chars_start().str.contains(r"^[\[{]")
    assert is_json(column).to_list() == wanted.to_list()
