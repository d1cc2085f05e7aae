"""How texts begin, told by their order, against polars' own answer."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.text_starts import begins_with

TEXTS = st.lists(st.none() | st.text() | st.text(st.sampled_from("{[<1 ~\0\x7fAZ"), max_size=3), max_size=20)


@pytest.mark.parametrize("start", ["{", "[", "<", "1 ", "0x", "1~ {"])
@settings(deadline=None)
@given(texts=TEXTS)
def test_a_start_is_told_as_polars_tells_it(start: str, texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert begins_with(column, start).to_list() == column.str.starts_with(start).to_list()
