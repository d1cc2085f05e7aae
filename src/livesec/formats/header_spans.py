"""Which lines a header line holds for, in formats whose headers may come again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Generic, NamedTuple, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

H = TypeVar("H", bound=Hashable)
T = TypeVar("T")


class Changes(NamedTuple, Generic[T]):
    """The header lines of a batch."""

    rows: NDArray[np.int64]
    """Where they are, ascending."""
    which: NDArray[np.int64]
    """What each says, a place in `said`."""
    said: list[T]

    def those(self, wanted: Callable[[T], bool]) -> NDArray[np.int64]:
        """The rows of those that say what is `wanted`."""
        return self.rows[np.array([wanted(header) for header in self.said], dtype=np.bool_)[self.which]]

    def last(self, before: T) -> T:
        """What the last one says, `before` where there is none."""
        return self.said[self.which[-1]] if len(self.which) else before


def changes_at(rows: pl.Series, texts: pl.Series, meanings: Mapping[str, T]) -> Changes[T]:
    """Those of the lines `texts`, which are at `rows`, that are headers: they have a meaning.

    >>> found = changes_at(pl.Series([3, 5, 8]), pl.Series(["B", "x", "A"]), {"A": 1, "B": 2})
    >>> found.rows.tolist(), [found.said[place] for place in found.which]
    ([3, 8], [2, 1])
    """
    which = texts.replace_strict(
        list(meanings), pl.int_range(len(meanings), eager=True), default=None, return_dtype=pl.Int64
    )
    own = rows.filter(which.is_not_null()).to_numpy()
    return Changes(own.astype(np.int64), which.drop_nulls().to_numpy(), list(meanings.values()))


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
    return spans_of(lines, held, Changes(rows, np.array([places[header] for _, header in changes]), headers))


def spans_of(lines: pl.DataFrame, held: H | None, changes: Changes[H | None]) -> dict[H, pl.DataFrame]:
    """As `spans`."""
    if not len(changes.rows):
        return {} if held is None or lines.height == 0 else {held: lines}
    numbers: dict[H, int] = {}
    headers = (held, *changes.said)
    number = np.array([-1 if header is None else numbers.setdefault(header, len(numbers)) for header in headers])
    lengths = np.diff(changes.rows, prepend=0, append=lines.height)
    under = np.repeat(number[np.concatenate([[0], changes.which + 1])], lengths)
    under[changes.rows] = -1
    if len(numbers) == 1:
        own = lines.filter(pl.Series(under == 0))
        return {header: own for header in numbers if own.height}
    # Sorted once, however many headers there are; gathering header by header would cost their number squared.
    order = np.argsort(under, kind="stable")
    apart = lines[order]
    bounds = np.searchsorted(under[order], np.arange(len(numbers) + 1)).tolist()
    cuts = zip(numbers, pairwise(bounds), strict=True)
    return {header: apart.slice(start, end - start) for header, (start, end) in cuts if end > start}
