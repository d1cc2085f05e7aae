import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines.country_code import UNKNOWN, country_numbers, country_text


def scalar(text: str | None) -> int:
    if text is None or len(text) != 2 or not text.isascii():
        return UNKNOWN
    return ord(text[0]) << 8 | ord(text[1])


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.none() | st.text(max_size=3) | st.sampled_from(["DE", "US", "é", "D\x00", "\x00\x00"])))
def test_numbers_are_those_of_the_letters_and_of_nothing_else(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert country_numbers(column).tolist() == [scalar(text) for text in texts]
    assert country_numbers(column[1:]).tolist() == [scalar(text) for text in texts[1:]]


def test_a_number_is_its_code_again() -> None:
    assert [country_text(number) for number in country_numbers(pl.Series(["DE", None]))] == ["DE", None]
