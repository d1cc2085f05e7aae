"""ISO 3166 country codes as small numbers, for kernels."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import kernel
from livesec.core.text_views import arrow_text

UNKNOWN = 0
_LETTERS = 2
_ASCII_END = 0x80


@kernel
def _fill_numbers(data: NDArray[np.uint8], bounds: NDArray[np.int64], numbers: NDArray[np.int32]) -> None:
    for row in range(len(numbers)):
        start = bounds[row]
        if bounds[row + 1] - start == _LETTERS and data[start] < _ASCII_END and data[start + 1] < _ASCII_END:
            numbers[row] = np.int32(data[start]) << 8 | np.int32(data[start + 1])
        else:
            numbers[row] = UNKNOWN


def country_numbers(column: pl.Series) -> NDArray[np.int32]:
    """A number for each two-letter code in `column` (String), shape (n,); UNKNOWN for null and other text.

    >>> country_numbers(pl.Series(["DE", None, "Germany"])).tolist()
    [17477, 0, 0]
    """
    data, bounds = arrow_text(column)
    numbers = np.empty(len(column), dtype=np.int32)
    _fill_numbers(data, bounds, numbers)
    return numbers


def country_text(number: int) -> str | None:
    """The code that `number` stands for, None for UNKNOWN.

    >>> country_text(17477)
    'DE'
    """
    return None if number == UNKNOWN else chr(number >> 8) + chr(number & 0xFF)
