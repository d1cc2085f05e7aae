"""The lookup that gives rows the country, network and place of their addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, partial
from typing import ClassVar, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.country_names import iso_code
from livesec.core.errors import StateVersionError
from livesec.core.hashing import Keys
from livesec.core.protocols import Lookup
from livesec.core.rows import Later, Rows
from livesec.core.schema import COLUMNS, IP_COLUMNS, LOG_TYPES, LogType
from livesec.enrich.address_memo import AddressMemo
from livesec.enrich.geo_table import GeoColumns, GeoTable

_STATE_VERSION: Final = b"geo 1"

# Address column to the prefix of the columns it gives.
_PREFIXES: Final = {"src_ip": "", "dst_ip": "dst_"}

_NAMES: Final = ("country", "asn", "lat", "lon", "geo_radius_km", "is_internal", "is_relay")

_FLAG_BITS: Final = 48  # above 16 bits of country and 32 of network


@cache
def _added(log_type: LogType) -> frozenset[str]:
    """Columns that the lookup gives rows of a log type."""
    addresses = IP_COLUMNS & COLUMNS[log_type].keys()
    return frozenset(f"{_PREFIXES[address]}{name}" for address in addresses for name in _NAMES)


def _null_where(column: pl.Series, unknown: NDArray[np.bool_]) -> pl.Series:
    return column.set(pl.Series(unknown), None) if unknown.any() else column


def _answers_frame(table: GeoTable, geo: GeoColumns) -> pl.DataFrame:
    """Schema columns, without prefix, of what was found; unknown is null."""
    names = pl.Series(table.countries, dtype=pl.String)
    unplaced = geo.country_index == 0
    columns = {
        "country": _null_where(names.gather(geo.country_index), unplaced),
        "asn": _null_where(pl.Series(geo.asn), geo.asn == 0),
        "lat": _null_where(pl.Series(geo.lat), unplaced),
        "lon": _null_where(pl.Series(geo.lon), unplaced),
        "geo_radius_km": _null_where(pl.Series(geo.radius_km), unplaced),
        "is_internal": _null_where(pl.Series(geo.is_internal), ~geo.is_address),
        "is_relay": _null_where(pl.Series(geo.is_relay), ~geo.is_address),
    }
    return pl.DataFrame(columns)


@dataclass
class GeoMemo:
    """The lookup's state: no more than a memo of what the table says, so it is never saved."""

    answers: pl.DataFrame
    """Each distinct answer; row 0 is "nothing known"."""
    memo: AddressMemo = field(default_factory=AddressMemo)
    """Address key to row of `answers`."""
    row_of: dict[tuple[int, ...], int] = field(default_factory=dict)
    """Packed country, network and flags, and the place's bits, to row of `answers`."""


class GeoLookup(Lookup[GeoMemo]):
    """Adds country, asn, lat, lon, geo_radius_km, is_internal, is_relay; for destinations dst_country etc.

    A country that the log itself states, by code or English name, wins over the address's, and its centre
    with it. A stated country that is unknown to us is replaced by the address's.
    """

    name: ClassVar[str] = "geo"
    log_types: ClassVar[tuple[LogType, ...]] = LOG_TYPES

    def __init__(self, table: GeoTable) -> None:
        self.table = table
        self.data_version = table.version
        self._codes = pl.Series(table.countries, dtype=pl.String)
        self._index_of = {code: index for index, code in enumerate(table.countries) if code}

    def initial(self) -> GeoMemo:
        """An empty memo."""
        return GeoMemo(_answers_frame(self.table, self.table.lookup([None])))

    def step(self, state: GeoMemo, rows: Rows) -> Rows:
        """`rows` with the columns of each address they have, made when they are asked for."""
        return rows.with_later(Later(_added(rows.log_type), partial(self._columns, state)))

    def _columns(self, state: GeoMemo, rows: Rows) -> dict[str, pl.Series]:
        columns: dict[str, pl.Series] = {}
        for address, prefix in _PREFIXES.items():
            if address not in rows.frame.columns:
                continue
            found = self._look_up(state, rows.key(address), rows.frame[address])
            stated = rows.frame[f"{prefix}country"]
            if stated.null_count() < len(stated):
                found = self._as_stated(found, stated)
            columns |= {f"{prefix}{name}": found[name] for name in found.columns}
        return columns

    def _look_up(self, state: GeoMemo, keys: Keys, addresses: pl.Series) -> pl.DataFrame:
        answer_rows = np.empty(len(keys), dtype=np.int32)
        for asked, blanks in state.memo.fill(keys, answer_rows):
            blanks[:] = self._new_answers(state, self.table.lookup(addresses.gather(asked)))
        return state.answers[answer_rows]

    def _new_answers(self, state: GeoMemo, geo: GeoColumns) -> NDArray[np.int32]:
        """Rows of `state.answers` with these answers, shape (n,), put there where they are new."""
        flags = geo.is_address + 2 * geo.is_internal.astype(np.int64) + 4 * geo.is_relay
        packed = geo.country_index.astype(np.int64) | geo.asn.astype(np.int64) << 16 | flags << _FLAG_BITS
        bits = [place.view(np.int32) for place in (geo.lat, geo.lon, geo.radius_km)]
        codes = pl.DataFrame([packed, *bits], schema=["packed", "lat", "lon", "radius_km"])
        distinct = codes.unique(maintain_order=True)
        rows = distinct.rows()
        is_new = pl.Series([code not in state.row_of for code in rows])
        if is_new.any():
            new_codes = distinct.filter(is_new)
            start = state.answers.height
            state.row_of |= {code: start + number for number, code in enumerate(new_codes.rows())}
            first = codes.with_row_index("at").unique(codes.columns, keep="first", maintain_order=True)["at"]
            at = first.filter(is_new).to_numpy()
            new = GeoColumns(**{name: values[at] for name, values in vars(geo).items()})
            state.answers = pl.concat([state.answers, _answers_frame(self.table, new)], rechunk=True)
        numbered = distinct.with_columns(row=pl.Series([state.row_of[code] for code in rows], dtype=pl.Int32))
        return codes.join(numbered, on=codes.columns, how="left", maintain_order="left")["row"].to_numpy()

    def _as_stated(self, found: pl.DataFrame, stated: pl.Series) -> pl.DataFrame:
        names = stated.drop_nulls().unique()
        known = pl.Series([self._index_of.get(iso_code(name) or "", 0) for name in names], dtype=pl.UInt16)
        index = stated.replace_strict(names, known, default=0, return_dtype=pl.UInt16)
        is_stated = (index != 0) & (self._codes.gather(index) != found["country"].fill_null(""))
        lat, lon, radius_km = self.table.centres(index.to_numpy())
        places = {
            "country": self._codes.gather(index),
            "lat": pl.Series(lat),
            "lon": pl.Series(lon),
            "geo_radius_km": pl.Series(radius_km),
        }
        return found.with_columns(**{name: values.zip_with(is_stated, found[name]) for name, values in places.items()})

    def to_bytes(self, state: GeoMemo) -> bytes:
        """Only the version: the memo is not worth saving."""
        return _STATE_VERSION

    def from_bytes(self, blob: bytes) -> GeoMemo:
        """A fresh memo. Raises StateVersionError where `blob` is not what `to_bytes` writes."""
        if blob != _STATE_VERSION:
            raise StateVersionError(f"geo: a saved state starts with {blob[:16]!r}, expected {_STATE_VERSION!r}")
        return self.initial()
