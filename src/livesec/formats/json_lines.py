"""Fields of JSON objects, one object a line, all lines at once: each value as text, nested ones by their path.

Numbers and truth values are given as JSON writes them, objects and arrays as their JSON text. A value depends on its
own line alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from livesec.core.batch import no_rejects

Path = tuple[str, ...]
"""Keys from the object's root to a value; a dot inside a key is a part of it."""

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
    schema = _schema(wanted)
    line = lines["line"].str.strip_chars()
    shaped = line.str.starts_with("{") & line.str.ends_with("}")
    suspects = lines.with_columns(line) if shaped.all() else lines.with_columns(line).filter(shaped)
    parts: list[pl.DataFrame] = []
    _decode(suspects, schema, parts)
    whole = pl.concat(parts) if parts else suspects.head(0).select("line_index").with_columns(_nothing(schema))
    fields = whole.select("line_index", *(_at(path).alias(name) for name, path in wanted.items()))
    if fields.height == lines.height:
        return JsonFields(fields, no_rejects())
    failed = lines.join(fields, on="line_index", how="anti", maintain_order="left")
    return JsonFields(fields, failed.select("line_index", reason=pl.lit(BROKEN)))


def _schema(wanted: Mapping[str, Path]) -> dict[str, pl.DataType]:
    tree: dict[str, Any] = {}
    for path in wanted.values():
        branch = tree
        for key in path[:-1]:
            branch = branch.setdefault(key, {})
        branch.setdefault(path[-1], {})
    return {key: _dtype(branch) for key, branch in tree.items()}


def _dtype(branch: dict[str, Any]) -> pl.DataType:
    return pl.Struct({key: _dtype(below) for key, below in branch.items()}) if branch else pl.String()


def _at(path: Path) -> pl.Expr:
    found = pl.col(path[0])
    for key in path[1:]:
        found = found.struct.field(key)
    return found


def _nothing(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    return [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items()]


def _decode(lines: pl.DataFrame, schema: Mapping[str, pl.DataType], parts: list[pl.DataFrame]) -> None:
    """Append `lines` that are whole objects, with their fields, in order."""
    if lines.height == 0:
        return
    found = _read(lines, schema)
    if found is not None:
        parts.append(found)
    elif lines.height > 1:
        # One broken line breaks the whole text. What json refuses polars refuses too, so that need not be tried.
        known = lines.filter([_may_be_whole(line) for line in lines["line"]])
        _halve(known, schema, parts)


def _halve(lines: pl.DataFrame, schema: Mapping[str, pl.DataType], parts: list[pl.DataFrame]) -> None:
    """As `_decode`, halving what will not decode until it does."""
    if lines.height == 0:
        return
    found = _read(lines, schema)
    if found is not None:
        parts.append(found)
    elif lines.height > 1:
        middle = lines.height // 2
        _halve(lines.head(middle), schema, parts)
        _halve(lines.slice(middle), schema, parts)


def _read(lines: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    # A blank line is passed over, and two broken lines may make one whole one: the heights then differ.
    try:
        text = lines["line"].str.join("\n").item().encode()
        found = pl.read_ndjson(text, schema=dict(schema), ignore_errors=True, low_memory=True)
    except (pl.exceptions.ComputeError, pl.exceptions.PanicException):
        return None
    return found.insert_column(0, lines["line_index"]) if found.height == lines.height else None


def _may_be_whole(line: str) -> bool:
    try:
        json.loads(line, parse_int=str, parse_float=str, parse_constant=_refuse)
    except RecursionError:  # brackets in brackets: too deep for json, which says nothing about polars
        return True
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
