"""Which texts hold one of several words."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def holds_any(texts: pl.Series, words: Sequence[str]) -> pl.Series:
    """Where `texts` (String) hold one of `words`, the likeliest first: the next is looked for where none was found.

    >>> holds_any(pl.Series(["a=1", "b=2", "c=3"]), ["a=", "b="]).to_list()
    [True, True, False]
    """
    held = texts.str.contains(words[0], literal=True)
    for word in words[1:]:
        others = (~held).arg_true()
        if not len(others):
            break
        held = held.scatter(others, texts.gather(others).str.contains(word, literal=True))
    return held
