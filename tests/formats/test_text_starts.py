"""How texts begin, told by their order, against polars' own answer."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.text_starts import begins_between, begins_with

TEXTS = st.lists(st.none() | st.text() | st.text(st.sampled_from("{[<1 ~\0\x7fAZ"), max_size=3), max_size=20)


@pytest.mark.parametrize("start", ["{", "[", "<", "1 ", "0x", "1~ {"])
@settings(deadline=None)
@given(texts=TEXTS)
def test_a_start_is_told_as_polars_tells_it(start: str, texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert begins_with(column, start).to_list() == column.str.starts_with(start).to_list()


@settings(deadline=None)
@given(TEXTS)
def test_the_order_is_that_of_bytes(texts: list[str | None]) -> None:
    told = begins_between(pl.Series(texts, dtype=pl.String), "!", "\x7f").to_list()
    assert told == [None if text is None else b"!" <= text.encode() < b"\x7f" for text in texts]
