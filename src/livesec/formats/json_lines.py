"""Fields of JSON objects, one object a line, all lines at once: each value as text, nested ones by their path.

Numbers and truth values are given as JSON writes them, objects and arrays as their JSON text. A value depends on its
own line alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from livesec.core.batch import no_rejects
from livesec.formats.json_scan import Path, scanned

BROKEN = "broken JSON: not one whole object on its line"


class JsonFields(NamedTuple):
    """What was read of whole objects, and which lines are none."""

    fields: pl.DataFrame
    """line_index and each wanted name (String, null where it is missing)."""
    failed: pl.DataFrame
    """line_index and reason."""


def json_fields(lines: pl.DataFrame, wanted: Mapping[str, Path]) -> JsonFields:
    r"""Read `wanted` (column name to path) from `lines` (line_index UInt32, line String); both results ascend.

    No path may begin with another whole path.

    >>> lines = pl.DataFrame({"line_index": [0, 1], "line": ['{"a": {"b": 1}, "c.d": "x"}', '{"a": 2']})
    >>> found = json_fields(lines.cast({"line_index": pl.UInt32}), {"b": ("a", "b"), "d": ("c.d",)})
    >>> found.fields.rows(), found.failed["line_index"].to_list()
    ([(0, '1', 'x')], [1])
    """
    found = scanned(lines["line"], wanted)
    fields = found.fields.insert_column(0, lines["line_index"])
    if found.whole.all():
        return JsonFields(fields, no_rejects())
    whole = pl.Series(found.whole)
    failed = lines.filter(~whole).select("line_index", reason=pl.lit(BROKEN))
    return JsonFields(fields.filter(whole), failed)
