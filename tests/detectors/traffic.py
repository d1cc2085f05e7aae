"""Made-up rows of each log type: few entities, bursts and pauses, nulls, hostile text. Not meant to look real."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from tests.detectors.fixture import MONDAY_US, numbered

from livesec.core.rows import Rows
from livesec.core.schema import COLUMNS, LogType

ROWS = 400
_GAPS_S = np.array([0, 0.2, 1, 5, 40, 300, 3000, 20_000, 90_000])
_GAP_SHARES = np.array([20, 20, 20, 14, 10, 8, 5, 2, 1]) / 100
_STRANGE = ["", "root", "ädmin\x1b[0m", "'; drop", "a" * 300, "{0}", "=1+1"]
_COUNTRIES = ["DE", "US", "CN", "BR", "RU"]
_PLACES = {
    "DE": (51.1, 10.3, 500),
    "US": (39.5, -98.0, 2700),
    "CN": (36, 104, 2950),
    "BR": (-11, -53, 2600),
    "RU": (62, 97, 4400),
}


@cache
def of(log_type: LogType, seed: int, *, late_stream: bool = False, entities: int = 5) -> Rows:
    """`ROWS` rows over about `entities` users and addresses; `late_stream`: from two streams, one of them behind."""
    random = np.random.default_rng([seed, entities])
    times_us = MONDAY_US + np.cumsum(random.choice(_GAPS_S, size=ROWS, p=_GAP_SHARES) * 1e6).astype(np.int64)
    columns: dict[str, pl.Series] = {}
    for name, column in COLUMNS[log_type].items():
        if name in ("sequence", "row_in_line", "stream_id", "line_offset", "line_length"):
            continue
        columns[name] = _column(name, column.dtype, random, entities)
    _place(columns, random)
    stream = random.integers(1, 3, size=ROWS) if late_stream else np.ones(ROWS, dtype=np.int64)
    columns["stream_time_us"] = pl.Series(times_us - (stream - 1) * 1_800_000_000)
    columns["event_time_us"] = pl.Series(times_us - random.choice([0, 0, 0, 7_000_000], size=ROWS))
    columns["stream_id"] = pl.Series(stream)
    return numbered(pl.DataFrame(columns), log_type)


def _column(name: str, dtype: pl.DataType | type[pl.DataType], random: np.random.Generator, entities: int) -> pl.Series:
    if name in ("src_ip", "dst_ip"):
        v4 = [f"198.51.100.{number % 250}" if number < 250 else f"192.0.2.{number - 250}" for number in range(entities)]
        return _with_nulls([*v4, "2001:db8:1:2::9", "2001:db8:1:2:3::1", "::ffff:192.0.2.1", "not an address"], random)
    if name in ("user", "host"):
        return _with_nulls([*_STRANGE, *(f"{name}{number}" for number in range(entities))], random)
    if isinstance(dtype, pl.Enum):
        return _with_nulls(dtype.categories.to_list(), random).cast(dtype)
    if dtype == pl.String:
        return _with_nulls([*_STRANGE, "/srv/secret.key", "tcp", "dns", "external_drive"], random)
    if dtype == pl.Boolean:
        return _with_nulls([False, False, False, True], random)
    if name in ("count", "connections"):
        return _with_nulls([1, 1, 1, 2, 5, 200], random)
    if name.endswith("port"):
        return _with_nulls([22, 80, 443, 4444, *range(1000, 1040)], random)
    if dtype in (pl.Float32, pl.Float64):
        return _with_nulls(random.lognormal(0, 2, size=50).tolist(), random)
    return _with_nulls([0, *np.exp(random.uniform(0, 25, size=50)).astype(np.int64).tolist()], random).cast(
        dtype, strict=False
    )


def _with_nulls(values: list[str] | list[int] | list[float] | list[bool], random: np.random.Generator) -> pl.Series:
    picks = random.integers(0, len(values), size=ROWS)
    null = random.random(ROWS) < 0.05
    return pl.Series([None if gone else values[pick] for pick, gone in zip(picks.tolist(), null.tolist(), strict=True)])


def _place(columns: dict[str, pl.Series], random: np.random.Generator) -> None:
    for prefix in ("", "dst_"):
        if f"{prefix}country" not in columns:
            continue
        countries = _with_nulls(_COUNTRIES, random)
        columns[f"{prefix}country"] = countries
        for axis, name in enumerate(("lat", "lon", "geo_radius_km")):
            columns[prefix + name] = pl.Series(
                [None if country is None else float(_PLACES[country][axis]) for country in countries],
                dtype=pl.Float32,
            )
