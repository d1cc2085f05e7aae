"""Word patterns match whole words at fixed places only."""

from __future__ import annotations

import polars as pl

from livesec.formats.word_patterns import WordPattern, split_words

PLAIN = WordPattern("Invalid user {user} from {src_ip}", "Invalid user ")
LONGER = WordPattern("Invalid user {user} from {src_ip} port {src_port}", "Invalid user ")
OPEN = WordPattern("Invalid user {user} from ...", "Invalid user ")


def users(pattern: WordPattern, texts: list[str]) -> list[str | None]:
    fields = split_words(pl.Series(texts), [PLAIN, LONGER, OPEN])
    found = pattern.matches(fields)
    return [user if hit else None for user, hit in zip(pattern.columns(fields)["user"], found, strict=True)]


def test_number_of_words_must_fit() -> None:
    texts = [
        "Invalid user a from 1",
        "Invalid user  from 1",
        "Invalid user a from 1 port 2",
        "Invalid user a from 1 port 2 x",
        "Invalid user a b from 1",
        "Invalid user a form 1",
        "Invalid user a",
    ]
    assert users(PLAIN, texts) == ["a", "", None, None, None, None, None]
    assert users(LONGER, texts) == [None, None, "a", None, None, None, None]
    assert users(OPEN, texts) == ["a", "", "a", "a", None, None, None]


def test_names_and_their_places() -> None:
    assert LONGER.names == {"user": 2, "src_ip": 4, "src_port": 6}
    assert (LONGER.open_ended, OPEN.open_ended) == (False, True)
