"""Texts cut in two at a mark, all at once."""

from __future__ import annotations

import polars as pl


def halves(text: pl.Series, mark: str) -> tuple[pl.Series, pl.Series]:
    """What stands before and after the first `mark`; the latter null where there is none.

    >>> [part.to_list() for part in halves(pl.Series(["a=b=c", "a"]), "=")]
    [['a', 'a'], ['b=c', None]]
    """
    parts = text.str.splitn(mark, 2).struct.unnest()
    return parts["field_0"], parts["field_1"]
