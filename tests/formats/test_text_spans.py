"""Parts of texts by place: what they are, whatever the texts."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.text_spans import joined, parts, whole_numbers

TEXTS = st.lists(st.text(st.sampled_from("aé\n\0 1"), max_size=20), max_size=20)
NUMBERS = st.one_of(
    st.integers(-3, 70_000).map(str),
    st.sampled_from(["", "+", "+7", "-0", "007", "1_0", "9" * 18, "9" * 19, "1" + "0" * 30, "0" * 30 + "5", "٣", "2a"]),
)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_parts_are_what_stands_between_two_places(texts: list[str], data: st.DataObject) -> None:
    column = pl.Series(texts, dtype=pl.String)
    wanted, places = list[str | None](), list[tuple[int, int]]()
    for text in texts:
        start = data.draw(st.integers(-1, len(text)))
        end = data.draw(st.integers(max(start, 0), len(text)))
        wanted.append(None if start < 0 else text[start:end])
        places.append((-1 if start < 0 else len(text[:start].encode()), len(text[:end].encode())))
    starts, ends = np.array(places, dtype=np.int64).reshape(-1, 2).T
    assert parts(column, starts, ends).to_list() == wanted


@settings(deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.sampled_from(["", ":", ":11:", ": 4", "x:"]), st.booleans()), max_size=20))
def test_numbers_are_read_as_polars_reads_them(cases: list[tuple[str, str, bool]]) -> None:
    texts = ["p " + number + more for number, more, _ in cases]
    column, whole = pl.Series(texts, dtype=pl.String), joined(pl.Series(texts, dtype=pl.String))
    starts = np.array([2 if there else -1 for *_, there in cases], dtype=np.int64)
    ends = np.diff(whole.bounds)
    for stop in (":", " "):
        plain = [(number + more).split(stop)[0] if there else None for number, more, there in cases]
        wanted = pl.Series(plain, dtype=pl.String).cast(pl.Int64, strict=False)
        assert whole_numbers(column, whole.bounds[:-1], whole.data, starts, ends, stop).to_list() == wanted.to_list()
