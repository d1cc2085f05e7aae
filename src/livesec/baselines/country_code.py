"""ISO 3166 country codes as small numbers, for kernels."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

UNKNOWN = 0
_LETTERS = 2


def _number(text: str) -> int:
    if len(text) != _LETTERS or not text.isascii():
        return UNKNOWN
    return ord(text[0]) << 8 | ord(text[1])


def country_numbers(column: pl.Series) -> NDArray[np.int32]:
    """A number for each two-letter code in `column` (String), shape (n,); UNKNOWN for null and other text.

    >>> country_numbers(pl.Series(["DE", None, "Germany"])).tolist()
    [17477, 0, 0]
    """
    distinct = column.unique().drop_nulls()
    numbers = pl.Series([_number(text) for text in distinct], dtype=pl.Int32)
    return column.replace_strict(distinct, numbers, default=UNKNOWN, return_dtype=pl.Int32).to_numpy()


def country_text(number: int) -> str | None:
    """The code that `number` stands for, None for UNKNOWN.

    >>> country_text(17477)
    'DE'
    """
    return None if number == UNKNOWN else chr(number >> 8) + chr(number & 0xFF)
