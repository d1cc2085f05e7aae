"""Reads the country and network data that the package geoip2fast brings (GeoLite2 data of MaxMind).

Its file is a gzipped pickle of lists, read by plain_lists.py: loading it as a pickle would take 110 MB, and
importing the package changes the environment of this process.

The lists are: data version, a description, how many networks, and the data: two indexes, country names,
network names, then in chunks of 5,000 the first address, the name's position and the prefix length of each
network: addresses for countries, addresses for networks, positions for countries, ..., in that order.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.errors import LiveSecError
from livesec.core.jit import kernel
from livesec.enrich.address_numbers import IPV4_END, Numbers
from livesec.enrich.plain_lists import (
    WORD_BYTES,
    find_lists,
    little_endian,
    next_number,
    read_small_numbers,
    read_text_places,
)
from livesec.enrich.range_table import RangeTable

BUNDLED_FILE: Final = "geoip2fast-asn-ipv6.dat.gz"
_READABLE_VERSIONS: Final = (120,)  # of the file's layout
_CONTAINERS: Final = 7  # lists of lists: all data, and the six named above
_MAX_LISTS: Final = 1 << 16
_GZIP: Final = 16 + zlib.MAX_WBITS
_MAX_FIRST_BUFFER: Final = 1 << 26
_DESCRIPTION: Final = re.compile(rb"MAXMIND:GeoLite2-[A-Za-z0-9-]*-(\d{8})")

_IPV4_BITS, _UPPER_BITS = np.uint64(32), np.uint64(64)


Position = TypeVar("Position", np.uint16, np.uint32)


@kernel
def _read_ranges(data: NDArray[np.uint8], addresses_at: int, lengths_at: int, starts: Numbers, ends: Numbers) -> None:
    """Networks as ranges [start, end) of address numbers, from a list of first addresses and one of lengths.

    A network inside a /64 counts where it holds the first address of the /64. Others, and those of the
    reserved ::/32, come out empty.
    """
    for item in range(len(starts)):
        start, size = next_number(data, addresses_at)
        addresses_at = start + size
        lower = little_endian(data, start, size)
        upper = little_endian(data, start + WORD_BYTES, max(0, size - WORD_BYTES))
        start, size = next_number(data, lengths_at)
        lengths_at = start + size
        length = little_endian(data, start, size)
        if upper == np.uint64(0) and lower < np.uint64(IPV4_END):
            starts[item] = lower
            ends[item] = lower + (np.uint64(1) << (_IPV4_BITS - min(length, _IPV4_BITS)))
        elif lower == np.uint64(0) and upper >= np.uint64(IPV4_END):
            starts[item] = upper
            ends[item] = upper + (np.uint64(1) << (_UPPER_BITS - min(length, _UPPER_BITS)))
        else:
            starts[item], ends[item] = np.uint64(1), np.uint64(1)


@dataclass(frozen=True)
class GeoFile:
    """A geoip2fast file: which country and network, by position in their names, has which address."""

    version: str
    data_date: date
    country_codes: tuple[str, ...]
    """ISO codes, and others for continents and reserved networks; position 0 is "" and stands for unknown."""
    network_names: pl.Series
    """Names of autonomous systems; the file has no numbers. Position 0 is "" and stands for unknown."""
    countries: RangeTable[np.uint16]
    networks: RangeTable[np.uint32]


def bundled_path() -> Path:
    """The data file of the installed package. Raises LiveSecError where it is missing."""
    spec = find_spec("geoip2fast")  # finds without importing
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / BUNDLED_FILE
        if path.is_file():
            return path
    raise LiveSecError(f"geoip2fast: {BUNDLED_FILE} is not installed; install the package geoip2fast >= 1.2.2")


class _Lists:
    """The innermost lists of a file, by the container they stand in."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        begins, numbers, texts = np.zeros((3, _MAX_LISTS), dtype=np.int64)
        found = find_lists(data, begins, numbers, texts)
        if found < 0:
            raise ValueError(f"not understood at byte {-1 - found}")
        self._data, self._begins = data, begins[:found]
        self._numbers, self._texts = numbers[:found], texts[:found]
        self._containers = np.flatnonzero((self._numbers == 0) & (self._texts == 0))
        if len(self._containers) != _CONTAINERS:
            raise ValueError(f"{len(self._containers)} tables, expected {_CONTAINERS}: no country and network file")

    def group(self, container: int) -> range:
        """The lists in container 0 (all data: indexes and names) to 6."""
        ends = np.append(self._containers[1:], len(self._begins))
        return range(int(self._containers[container]) + 1, int(ends[container]))

    def first_number(self) -> int:
        """The first number of all, the version of the file's layout."""
        number = np.zeros(min(1, int(self._numbers[0])), dtype=np.uint32)
        read_small_numbers(self._data, int(self._begins[0]), number)
        return int(number.sum())

    def texts(self, one: int) -> list[str]:
        """The texts of a list."""
        starts, sizes = np.empty((2, int(self._texts[one])), dtype=np.int64)
        read_text_places(self._data, int(self._begins[one]), starts, sizes)
        places = zip(starts.tolist(), sizes.tolist(), strict=True)
        return [self._data[start : start + size].tobytes().decode(errors="replace") for start, size in places]

    def ranges(self, containers: tuple[int, int, int]) -> tuple[Numbers, Numbers, NDArray[np.uint32]]:
        """(starts, ends, positions) of networks; the containers hold first addresses, positions, lengths."""
        groups = [self.group(container) for container in containers]
        sizes = [self._numbers[group.start : group.stop] for group in groups]
        if not (np.array_equal(sizes[0], sizes[1]) and np.array_equal(sizes[0], sizes[2])):
            raise ValueError("lists of different lengths")
        total = int(sizes[0].sum())
        starts, ends = np.empty(total, dtype=np.uint64), np.empty(total, dtype=np.uint64)
        position = np.empty(total, dtype=np.uint32)
        at = 0
        for size, *chunk in zip(sizes[0].tolist(), *groups, strict=True):
            addresses_at, positions_at, lengths_at = self._begins[chunk].tolist()
            part = slice(at, at + size)
            _read_ranges(self._data, addresses_at, lengths_at, starts[part], ends[part])
            read_small_numbers(self._data, positions_at, position[part])
            at = part.stop
        return starts, ends, position

    def table(self, containers: tuple[int, int, int], dtype: type[Position]) -> RangeTable[Position]:
        """One more than the position by address number, so that 0 is free for "unknown"."""
        starts, ends, position = self.ranges(containers)
        return RangeTable.of_ranges(starts, ends, (position + 1).astype(dtype))


def _unpacked(path: Path) -> bytes:
    packed = path.read_bytes()
    # gzip ends with the size of the content; room for it at once saves a copy of 20 MB.
    size = min(int.from_bytes(packed[-4:], "little"), _MAX_FIRST_BUFFER)
    return zlib.decompress(packed, wbits=_GZIP, bufsize=size)


def read_geo_file(path: Path) -> GeoFile:
    """Read a geoip2fast file with countries and networks of IPv4 and IPv6.

    Raises LiveSecError that names the file where it cannot be read or is of another kind.
    """
    try:
        raw = _unpacked(path)
    except (OSError, zlib.error) as error:
        raise LiveSecError(f"{path}: not readable as a geoip2fast file: {error}") from error
    described = _DESCRIPTION.search(raw, 0, 1000)
    if described is None:
        raise LiveSecError(f"{path}: no GeoLite2 date in its first 1000 bytes; expected {BUNDLED_FILE} of geoip2fast")
    try:
        return _read(raw, datetime.strptime(described[1].decode(), "%Y%m%d").date())
    except ValueError as error:
        raise LiveSecError(f"{path}: not a geoip2fast file that LiveSec can read: {error}") from error


def _read(raw: bytes, data_date: date) -> GeoFile:
    lists = _Lists(np.frombuffer(raw, dtype=np.uint8))
    layout = lists.first_number()
    if layout not in _READABLE_VERSIONS:
        raise ValueError(f"layout {layout}, expected {_READABLE_VERSIONS}")
    _, _, countries_list, networks_list = lists.group(0)
    country_names, network_names = lists.texts(countries_list), lists.texts(networks_list)
    countries = lists.table((1, 3, 5), np.uint16)
    networks = lists.table((2, 4, 6), np.uint32)
    if countries.values.max() > len(country_names) or networks.values.max() > len(network_names):
        raise ValueError("positions beyond the names")
    return GeoFile(
        f"geoip2fast GeoLite2 {data_date}",
        data_date,
        ("", *(name.partition(":")[0] for name in country_names)),  # such as DE:Germany
        pl.Series(["", *network_names], dtype=pl.String),
        countries,
        networks,
    )
