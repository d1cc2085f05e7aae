"""Records out of lists that stand on one line: `[{..},{..}]`, or such a list as a field of an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import polars as pl

from livesec.formats.json_lines import json_fields
from livesec.formats.json_scan import Path, objects_in

_LIST: Final = "list"


class Listed(NamedTuple):
    """Records of lists, and which lines are broken."""

    records: pl.DataFrame
    """line_index (several of the same) and line (String: one object); in order."""
    failed: pl.DataFrame
    """line_index and reason."""


def listed(lines: pl.DataFrame, keys: Sequence[str]) -> Listed:
    """The objects in the lists of `lines` (line_index, line): the line itself, or what an object has under `keys`.

    >>> lines = pl.DataFrame({"line_index": [0, 1, 2], "line": ['{"value":[{"a":1},{"b":[]}]}', '[{"c":2},3]', '["'] })
    >>> found = listed(lines.cast({"line_index": pl.UInt32}), ["value"])
    >>> found.records.rows(), found.failed["line_index"].to_list()
    ([(0, '{"a":1}'), (0, '{"b":[]}'), (1, '{"c":2}')], [2])
    """
    paths: dict[str, Path] = {_LIST: (), **{key: (key,) for key in keys}}
    stripped = lines.select("line_index", pl.col("line").str.strip_chars())
    found = json_fields(stripped, paths)
    lists = found.fields.select("line_index", pl.coalesce(*paths).alias("line"))
    parents, texts = objects_in(lists["line"])
    return Listed(pl.DataFrame({"line_index": lists["line_index"].gather(parents), "line": texts}), found.failed)
