"""Which lines a header line holds for, in formats whose headers may come again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TypeVar

import polars as pl

H = TypeVar("H", bound=Hashable)


def spans(lines: pl.DataFrame, held: H | None, changes: Sequence[tuple[int, H | None]]) -> dict[H, pl.DataFrame]:
    """The lines under each header, those under equal headers together, in order.

    `held` is in force before the first row, each change (row, header) after its row, which is itself left out; under
    None lines belong to nobody.

    >>> frame = pl.DataFrame({"line": ["1", "A", "2", "3", "B", "4"]})
    >>> {held: part["line"].to_list() for held, part in spans(frame, "B", [(1, "A"), (4, "B")]).items()}
    {'B': ['1', '4'], 'A': ['2', '3']}
    """
    found: dict[H, list[pl.DataFrame]] = {}
    start = 0
    for row, following in [*changes, (len(lines), None)]:
        if held is not None and row > start:
            found.setdefault(held, []).append(lines.slice(start, row - start))
        start, held = row + 1, following
    return {header: pl.concat(parts) for header, parts in found.items()}
