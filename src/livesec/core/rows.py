"""Rows of one log type as detectors see them: a frame, and numpy views and keys of its columns made once.

Rows are in order of (sequence, row_in_line). Everything cached here is a pure function of the frame.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.batch import pack_addresses
from livesec.core.hashing import Keys, combine_keys, keys_of_texts, number_keys, text_keys
from livesec.core.schema import IP_COLUMNS, LogType, complete
from livesec.core.text_views import arrow_text

Value = TypeVar("Value", bound=np.generic)

SHARDS = 256
"""Virtual shards; a key's shard is its top 8 bits."""
_FEW_VALUES = 16  # fewer are compared one by one, more are looked up


def shard_of(keys: Keys) -> NDArray[np.uint8]:
    """The virtual shard, 0-255, of each key."""
    return (keys >> np.uint64(56)).astype(np.uint8)


def network_64(address: str) -> str:
    """An IPv6 address's /64 (one household or host), an IPv4 address as it is, other text unchanged.

    >>> network_64("2001:db8:1:2:3::9"), network_64("::ffff:192.0.2.1"), network_64("192.0.2.1")
    ('2001:db8:1:2::/64', '192.0.2.1', '192.0.2.1')
    """
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))


def address_entities(column: pl.Series) -> pl.Series:
    """What stands for each address as an entity: itself for IPv4, its /64 for IPv6."""
    distinct = column.filter(column.str.contains(":", literal=True)).unique()
    return column.replace(distinct, pl.Series([network_64(address) for address in distinct], dtype=pl.String))


def address_keys(column: pl.Series) -> Keys:
    """The key of each address's entity; 0 where it is null."""
    data, bounds = arrow_text(column)
    if (data == ord(":")).any():
        return text_keys(address_entities(column))
    return keys_of_texts(column, data, bounds)


@lru_cache(maxsize=256)
def _keys_of(values: tuple[str, ...]) -> Keys:
    return text_keys(pl.Series(values, dtype=pl.String))


def taken(values: NDArray[Value], at: NDArray[np.int64]) -> NDArray[Value]:
    """`values[at]` for ascending positions `at`; the array itself where those are all."""
    return values if len(at) == len(values) else values[at]


@dataclass(frozen=True)
class Later:
    """Columns that are made when something first asks for one of them: for most rows nothing ever does."""

    names: frozenset[str]
    make: Callable[[Rows], Mapping[str, pl.Series]]
    """The columns of given rows; row by row, so that it may be asked about some of the rows only."""


class Rows:
    """Rows of one log type. `frame` has every column of its schema."""

    def __init__(
        self,
        log_type: LogType,
        frame: pl.DataFrame,
        keys: Mapping[str, Keys] | None = None,
        later: Later | None = None,
    ) -> None:
        self.log_type = log_type
        self._frame = frame
        self._later = later
        self._keys: dict[tuple[str, ...], Keys] = {(name,): made for name, made in (keys or {}).items()}
        self._values: dict[str, NDArray[np.generic]] = {}

    def __len__(self) -> int:
        return self._frame.height

    @property
    def frame(self) -> pl.DataFrame:
        """All columns; `column` costs less where columns that come later are not needed."""
        if self._later is not None:
            later, self._later = self._later, None
            self._frame = self._frame.with_columns(**later.make(self))
        return self._frame

    def column(self, name: str) -> pl.Series:
        """One column of `frame`."""
        if self._later is not None and name in self._later.names:
            return self.frame[name]
        return self._frame[name]

    def last(self, count: int) -> Rows:
        """The last `count` rows."""
        if count >= len(self):
            return self
        return Rows(self.log_type, self._frame.tail(count), later=self._later)

    def key(self, *columns: str) -> Keys:
        """The entity key of each row over `columns`, shape (n,); 0 where one of them is null."""
        made = self._keys.get(columns)
        if made is None:
            made = self._one_key(columns[0]) if len(columns) == 1 else self._joint_key(columns)
            self._keys[columns] = made
        return made

    def _one_key(self, name: str) -> Keys:
        column = self.column(name)
        if name in IP_COLUMNS:
            return address_keys(column)
        if column.dtype == pl.String:
            return text_keys(column)
        if isinstance(column.dtype, pl.Enum):
            column = column.to_physical()
        keys = number_keys(column.cast(pl.Int64).fill_null(0).to_numpy())
        if column.null_count():
            keys[column.is_null().to_numpy()] = 0
        return keys

    def _joint_key(self, columns: tuple[str, ...]) -> Keys:
        joint = np.empty(len(self), dtype=np.uint64)
        combine_keys(self.key(*columns[:-1]), self.key(columns[-1]), joint)
        return joint

    def integers(self, name: str, null: int = 0) -> NDArray[np.int64]:
        """Column `name` as int64, shape (n,), with `null` where it is unknown; enums give their category's ordinal."""
        cached = self._values.get(f"{name}:{null}")
        if cached is None:
            column = self.column(name)
            physical = column.to_physical() if isinstance(column.dtype, pl.Enum) else column
            whole = physical.cast(pl.Int64)
            cached = (whole.fill_null(null) if whole.null_count() else whole).to_numpy()
            self._values[f"{name}:{null}"] = cached
        return cached.view(np.int64)

    def floats(self, name: str) -> NDArray[np.float64]:
        """Column `name` as float64, shape (n,), NaN where it is unknown."""
        cached = self._values.get(name)
        if cached is None:
            real = self.column(name).cast(pl.Float64)
            cached = (real.fill_null(float("nan")) if real.null_count() else real).to_numpy()
            self._values[name] = cached
        return cached.view(np.float64)

    def is_value(self, name: str, value: str) -> NDArray[np.bool_]:
        """Whether column `name` equals `value`, shape (n,); False where it is unknown."""
        cached = self._values.get(f"{name}={value}")
        if cached is None:
            column = self.column(name)
            if isinstance(column.dtype, pl.Enum):
                ordinals = column.dtype.categories.to_list()
                cached = self.integers(name, null=-1) == (ordinals.index(value) if value in ordinals else -2)
            else:
                equal = column == value
                cached = (equal.fill_null(False) if equal.null_count() else equal).to_numpy()
            self._values[f"{name}={value}"] = cached
        return cached.view(np.bool_)

    def is_any(self, name: str, values: Iterable[str]) -> NDArray[np.bool_]:
        """Whether the text column `name` is one of `values`, shape (n,); False where it is unknown.

        Told by the column's keys, which are there for others mostly.
        """
        keys, wanted = self.key(name), _keys_of(tuple(values))
        if len(wanted) > _FEW_VALUES:
            return np.isin(keys, wanted)
        found = np.zeros(len(self), dtype=np.bool_)
        for key in wanted:
            found |= keys == key
        return found

    def is_any_spelt(self, name: str, values: Iterable[str]) -> NDArray[np.bool_]:
        """As `is_any`, whether the letters are capitals or not."""
        wanted = frozenset(value.lower() for value in values)
        cached = self._values.get(f"{name}~{sorted(wanted)}")
        if cached is None:
            distinct = self.column(name).unique().drop_nulls().to_list()
            cached = self.is_any(name, sorted(text for text in distinct if text.lower() in wanted))
            self._values[f"{name}~{sorted(wanted)}"] = cached
        return cached.view(np.bool_)

    def known(self, *columns: str) -> NDArray[np.bool_]:
        """Rows in which none of `columns` is null, shape (n,)."""
        mask = np.ones(len(self), dtype=np.bool_)
        for name in columns:
            filled = self._filled(name)
            if len(filled):
                mask &= filled
        return mask

    def _filled(self, name: str) -> NDArray[np.bool_]:
        """Where column `name` is not null, shape (n,); shape (0,) where that is everywhere."""
        cached = self._values.get(f"{name}?")
        if cached is None:
            column = self.column(name)
            cached = column.is_not_null().to_numpy() if column.null_count() else np.empty(0, dtype=np.bool_)
            self._values[f"{name}?"] = cached
        return cached.view(np.bool_)

    @property
    def time_us(self) -> NDArray[np.int64]:
        """Each row's stream time: what lateness, windows and expiry are judged by."""
        return self.integers("stream_time_us")

    def addresses(self) -> NDArray[np.int64]:
        """Packed line address of each row (see core.batch), shape (n,)."""
        cached = self._values.get("@address")
        if cached is None:
            cached = pack_addresses(self.column("stream_id").to_numpy(), self.column("line_offset").to_numpy())
            self._values["@address"] = cached
        return cached.view(np.int64)

    def take(self, mask: NDArray[np.bool_]) -> Rows:
        """The rows where `mask` holds, in order, with the keys already made."""
        keys = {columns[0]: made[mask] for columns, made in self._keys.items() if len(columns) == 1}
        return Rows(self.log_type, self._frame.filter(pl.Series(mask)), keys, self._later)

    def with_later(self, later: Later) -> Rows:
        """These rows with columns that are made when they are asked for, keys of other columns kept."""
        keys = {names[0]: made for names, made in self._keys.items() if len(names) == 1 and names[0] not in later.names}
        return Rows(self.log_type, self.frame, keys, later)


def make_rows(log_type: LogType, frame: pl.DataFrame) -> Rows:
    """Rows from a frame that may lack columns (tests, library use); completes it."""
    return Rows(log_type, complete(frame, log_type))
