"""Plain expressions read as polars reads them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.plain_regex import plain_groups

REGEXES = [
    r"^(?P<a>.*)$",
    r"^(?P<a>[^ ]+) (?P<b>x*)y?(?P<c>[0-9]{1,2})$",
    r'^"(?P<a>.*)" (?P<b>[0-9]+)$',
    r"^(?P<a>[ 0-9]?[0-9])\.(?P<b>[^\[\]()]*)\](?P<c>.+)$",
    r"^x{2}(?P<a>(?P<b>[a-z]+)-[A-F0-9]*)$",
]
TEXTS = st.text(st.sampled_from('xyaé019 ."[]()-\n'), max_size=16)
STARTS = st.sampled_from(['"', "", "xx", "1.", "x "])


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(REGEXES), st.lists(st.builds(str.__add__, STARTS, TEXTS) | st.none(), max_size=12))
def test_groups_are_those_of_the_expression(regex: str, texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    wanted = column.str.extract_groups(regex).struct.unnest()
    assert {name: found.to_list() for name, found in plain_groups(column, regex).items()} == wanted.to_dict(
        as_series=False
    )


@pytest.mark.parametrize("regex", ["a$", "^a", "^(?:a|b)$", "^(?P<a>.*),(?P<b>.*)$", "^(?P<a>a)?$", "^\\d$", "^é$"])
def test_others_are_refused(regex: str) -> None:
    with pytest.raises(ValueError, match=r"plain|ASCII|repetition"):
        plain_groups(pl.Series(["a"]), regex)
