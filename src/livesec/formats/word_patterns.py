"""Texts of a fixed number of words taken apart without regular expressions, several times faster.

A pattern such as `Invalid user {user} from {src_ip} port {src_port}` matches texts of exactly these words, where each
name in braces is one word (perhaps empty): what stands there cannot pass for the words around it. A pattern that ends
with `...` allows more text behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

MORE = "..."


@dataclass(frozen=True)
class WordPattern:
    """A pattern; `start` is what every text offered to it is known to start with."""

    text: str
    start: str = ""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its words without the mark for more."""
        return tuple(word for word in self.text.split(" ") if word != MORE)

    @cached_property
    def open_ended(self) -> bool:
        """Whether more text may follow."""
        return self.text.endswith(" " + MORE)

    @cached_property
    def names(self) -> dict[str, int]:
        """Place of each name in braces."""
        return {word[1:-1]: place for place, word in enumerate(self.words) if word.startswith("{")}

    def matches(self, fields: pl.DataFrame) -> pl.Series:
        """Which texts, split into `fields` by `split_words`, match."""
        known = len(self.start.split(" ")) - 1
        found = fields.to_series(len(self.words) - 1).is_not_null()
        if not self.open_ended:
            found &= fields.to_series(len(self.words)).is_null()
        for place, word in enumerate(self.words):
            if place >= known and not word.startswith("{"):
                found &= fields.to_series(place) == word
        return found.fill_null(False)

    def columns(self, fields: pl.DataFrame) -> pl.DataFrame:
        """The fields that its names stand for."""
        return pl.DataFrame([fields.to_series(place).alias(name) for name, place in self.names.items()])


def split_words(texts: pl.Series, patterns: Sequence[WordPattern]) -> pl.DataFrame:
    """A column per word, as many as `patterns` look at, and one with all that follows; null where there are fewer."""
    width = max(len(pattern.words) for pattern in patterns)
    return texts.str.splitn(" ", width + 1).struct.unnest()
