"""Which lines a header line holds for, in formats whose headers may come again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

H = TypeVar("H", bound=Hashable)


def spans(lines: pl.DataFrame, held: H | None, changes: Sequence[tuple[int, H | None]]) -> dict[H, pl.DataFrame]:
    """The lines under each header, those under equal headers together, in order.

    `held` is in force before the first row, each change (row, header) after its row, which is itself left out; under
    None lines belong to nobody.

    >>> frame = pl.DataFrame({"line": ["1", "A", "2", "3", "B", "4"]})
    >>> {held: part["line"].to_list() for held, part in spans(frame, "B", [(1, "A"), (4, "B")]).items()}
    {'B': ['1', '4'], 'A': ['2', '3']}
    """
    headers = list(dict.fromkeys(header for _, header in changes))
    places = {header: place for place, header in enumerate(headers)}
    rows = np.array([row for row, _ in changes], dtype=np.int64)
    return spans_at(lines, held, rows, np.array([places[header] for _, header in changes], dtype=np.int64), headers)


def spans_at(
    lines: pl.DataFrame, held: H | None, rows: NDArray[np.int64], which: NDArray[np.int64], headers: Sequence[H | None]
) -> dict[H, pl.DataFrame]:
    """As `spans`, where change i is of the header `headers[which[i]]` after row `rows[i]`."""
    if not len(rows):
        return {} if held is None or lines.height == 0 else {held: lines}
    numbers: dict[H, int] = {}
    number = np.array(
        [-1 if header is None else numbers.setdefault(header, len(numbers)) for header in (held, *headers)]
    )
    lengths = np.diff(rows, prepend=0, append=lines.height)
    under = np.repeat(number[np.concatenate([[0], which + 1])], lengths)
    under[rows] = -1
    if len(numbers) == 1:
        own = lines.filter(pl.Series(under == 0))
        return {header: own for header in numbers if own.height}
    # Sorted once, however many headers there are; gathering header by header would cost their number squared.
    order = np.argsort(under, kind="stable")
    apart = lines[order]
    bounds = np.searchsorted(under[order], np.arange(len(numbers) + 1)).tolist()
    cuts = zip(numbers, pairwise(bounds), strict=True)
    return {header: apart.slice(start, end - start) for header, (start, end) in cuts if end > start}
