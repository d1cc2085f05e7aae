"""What event schemas in JSON (ECS, OCSF) have in common: an object is a login, a connection or a transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import Parsed, no_rejects
from livesec.core.schema import LogType
from livesec.formats.typed_fields import Field, Reader, Reading, typed_rows


@dataclass(frozen=True)
class Events:
    """Events of one log type: texts by field name with line_index, how they are read, columns already read."""

    texts: pl.DataFrame
    fields: Sequence[Field]
    more: Mapping[str, pl.Series] = field(default_factory=dict)


def events_parsed(
    events: Mapping[LogType, Events], parts: pl.Series, skipped: pl.Series, failed: Sequence[pl.DataFrame]
) -> Parsed:
    """All of it, each part ascending."""
    rows: dict[LogType, pl.DataFrame] = {}
    rejects = [no_rejects(), *failed]
    for log_type, some in events.items():
        if some.texts.height == 0:
            continue
        typed = typed_rows(some.texts, some.fields, **some.more)
        rows[log_type] = typed.rows
        rejects.append(typed.rejects)
    consumed = [frame["line_index"].to_numpy() for frame in rows.values()]
    return Parsed(rows, _ascending(consumed, parts), _ascending([], skipped), pl.concat(rejects).sort("line_index"))


def _ascending(arrays: Sequence[NDArray[np.uint32]], more: pl.Series) -> NDArray[np.uint32]:
    return np.sort(np.concatenate([*arrays, more.to_numpy().astype(np.uint32)]))


def of_kind(told: pl.DataFrame, kind: str, fields: Sequence[Field], *more: str) -> pl.DataFrame:
    """Those of `told` that are of `kind`, with line_index, what `fields` read, and `more` columns."""
    wanted = dict.fromkeys(["line_index", *(field.name for field in fields), *more])
    return told.select(*wanted, "kind").filter(pl.col("kind") == kind).drop("kind")


def known_word(texts: pl.Series, words: Mapping[str, str], dtype: pl.DataType) -> pl.Series:
    """The enum's words that `texts` mean, in any case; null where they are none of `words`."""
    return texts.str.to_lowercase().replace_strict(dict(words), default=None, return_dtype=dtype)


def scaled(reader: Reader, divisor: float) -> Reader:
    """`reader` for a unit that is `divisor` times smaller than the column's."""

    def read(texts: pl.Series) -> Reading:
        values, bad = reader(texts)
        return Reading(values / divisor, bad)

    return read
