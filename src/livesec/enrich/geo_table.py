"""Country, network, place and class of many addresses at once, from data inside the installation.

In this order: private and reserved addresses are internal and have no place; the documentation networks have
the invented places of core/documentation_networks.py; all others are looked up in geoip2fast's data. Places
are countries' centres with an error radius. IPv6 is looked up by /64, as entities are kept. Where the user brings files
in MaxMind's format, their city and network win over geoip2fast's for what they know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.documentation_networks import NETWORKS
from livesec.core.hashing import text_keys
from livesec.enrich.address_class import internal_table, relay_table
from livesec.enrich.address_numbers import Numbers, address_numbers, network_span
from livesec.enrich.country_centroids import Country, with_overrides
from livesec.enrich.geoip2fast_file import GeoFile, bundled_path, read_geo_file
from livesec.enrich.maxmind_file import MaxMindFile
from livesec.enrich.range_table import RangeTable

# geoip2fast names autonomous systems without their numbers. Each name gets a number of its own in the 32-bit
# private-use range (RFC 6996), where no real network can be; it follows from the name and stays with it.
_FIRST_MADE_UP_ASN: Final = 4_200_000_000
_MADE_UP_ASNS: Final = 94_967_295


@dataclass(frozen=True)
class GeoColumns:
    """What is known of n addresses; each array has shape (n,)."""

    country_index: NDArray[np.uint16]
    """Position in `GeoTable.countries`; 0 where unknown."""
    asn: NDArray[np.uint32]
    """Autonomous system, or a stand-in for its name (`GeoTable.network_name`); 0 where unknown."""
    lat: NDArray[np.float32]
    """Degrees; NaN where unknown, as with lon and radius_km."""
    lon: NDArray[np.float32]
    radius_km: NDArray[np.float32]
    """The address is within this distance of (lat, lon)."""
    is_internal: NDArray[np.bool_]
    """Private, reserved or multicast."""
    is_relay: NDArray[np.bool_]
    """In a network that the settings list as VPN, relay or hosting."""
    is_address: NDArray[np.bool_]
    """False where the text is no address; all else is unknown then."""

    def __len__(self) -> int:
        return len(self.country_index)


def _made_up_asns(names: pl.Series) -> NDArray[np.uint32]:
    """A number for each distinct name, shape (n,); 0 for the empty one."""
    places = (text_keys(names) % np.uint64(_MADE_UP_ASNS)).astype(np.int64)
    # Of names with the same number, the later ones in the file move on to the next free number.
    while True:
        _, first = np.unique(places, return_index=True)
        if len(first) == len(places):
            break
        repeated = np.ones(len(places), dtype=np.bool_)
        repeated[first] = False
        places[repeated] = (places[repeated] + 1) % _MADE_UP_ASNS
    asns = (places + _FIRST_MADE_UP_ASN).astype(np.uint32)
    asns[(names == "").to_numpy()] = 0
    return asns


class GeoTable:
    """Looks addresses up; made once by `load`, never changed after."""

    def __init__(
        self,
        file: GeoFile,
        countries: Mapping[str, Country],
        relay_networks: Iterable[str],
        cities: MaxMindFile | None = None,
        networks: MaxMindFile | None = None,
    ) -> None:
        self.version: str = ", ".join([file.version, *(one.version for one in (cities, networks) if one is not None)])
        """Sources and dates of the data, such as "geoip2fast GeoLite2 2024-06-18"."""
        self.data_date: date = file.data_date
        """The day the country and network data is from."""
        self.countries: tuple[str, ...] = ("", *countries)
        """ISO codes in order; "" at 0 stands for unknown. The same in every version of the data."""
        index = {code: number for number, code in enumerate(self.countries)}
        unknown = Country("", "", np.nan, np.nan, np.nan)
        self._centres = np.array(
            [(one.lat, one.lon, one.radius_km) for one in (unknown, *countries.values())], dtype=np.float32
        ).T.copy()
        self._country_of_file = np.array([index.get(code, 0) for code in file.country_codes], dtype=np.uint16)
        self._country_table = file.countries
        self._asn_table = file.networks
        self._network_names = file.network_names
        self._asn_of_file = _made_up_asns(file.network_names)
        spans = [network_span(network.cidr) for network in NETWORKS]
        self._documentation = RangeTable.of_spans(spans, np.arange(1, len(NETWORKS) + 1, dtype=np.uint16))
        self._documentation_country = np.array([0] + [index[one.country] for one in NETWORKS], dtype=np.uint16)
        self._documentation_asn = np.array([0] + [one.asn for one in NETWORKS], dtype=np.uint32)
        self._internal = internal_table()
        self._relay = relay_table(relay_networks)
        self._cities = cities
        self._networks = networks
        self._index = index

    @classmethod
    def load(
        cls,
        centroids: Mapping[str, tuple[float, float, float]] | None = None,
        relay_networks: Iterable[str] = (),
        path: Path | None = None,
        city_file: str | None = None,
        asn_file: str | None = None,
    ) -> GeoTable:
        """Read the data and put the settings in.

        Args:
            centroids: country (code or name) to latitude, longitude and radius in km, for built-in ones.
            relay_networks: networks such as 192.0.2.0/24 whose addresses get is_relay.
            path: a geoip2fast file with countries and networks; the one of the installed package if None.
            city_file: a city file in MaxMind's format.
            asn_file: a file of autonomous systems in MaxMind's format.

        Raises:
            SettingsError: a centroid or network is not well-formed, or a file not readable; the text names it.
            LiveSecError: the data is missing or of another kind.
        """
        cities = MaxMindFile(city_file, "geo_city_file") if city_file else None
        networks = MaxMindFile(asn_file, "geo_asn_file") if asn_file else None
        file = read_geo_file(path or bundled_path())
        return cls(file, with_overrides(centroids or {}), relay_networks, cities, networks)

    def lookup(self, addresses: Sequence[str | None] | pl.Series) -> GeoColumns:
        """One entry per address; any text is allowed, and what is no address is unknown in every respect."""
        numbers, valid = address_numbers(pl.Series(addresses, dtype=pl.String))
        return self._find(numbers, valid)

    def _find(self, numbers: Numbers, valid: NDArray[np.bool_]) -> GeoColumns:
        is_internal = self._internal.find(numbers) & valid
        is_public = valid & ~is_internal
        documented = self._documentation.find(numbers)
        country = np.where(
            documented > 0,
            self._documentation_country[documented],
            self._country_of_file[self._country_table.find(numbers)],
        )
        asn = np.where(
            documented > 0,
            self._documentation_asn[documented],
            self._asn_of_file[self._asn_table.find(numbers)],
        )
        country[~is_public] = 0
        asn[~is_public] = 0
        lat, lon, radius_km = self.centres(country)
        asked = np.flatnonzero(is_public & (documented == 0))
        if self._networks is not None:
            known = self._networks.networks(numbers[asked])
            asn[asked] = np.where(known > 0, known, asn[asked])
        if self._cities is not None:
            places = self._cities.places(numbers[asked])
            stated = np.array([self._index.get(code, 0) for code in places.country], dtype=np.uint16)
            country[asked] = np.where(stated > 0, stated, country[asked])
            lat, lon, radius_km = self.centres(country)
            placed = ~np.isnan(places.lat)
            at = asked[placed]
            lat[at], lon[at], radius_km[at] = places.lat[placed], places.lon[placed], places.radius_km[placed]
        return GeoColumns(country, asn, lat, lon, radius_km, is_internal, self._relay.find(numbers) & is_public, valid)

    def centres(self, country_index: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Latitude, longitude (degrees) and radius (km) of each country, shape (3, n); NaN for index 0."""
        return self._centres[:, country_index]

    def network_name(self, asn: int) -> str:
        """The name of an autonomous system that `lookup` gave; "" for others."""
        for network in NETWORKS:
            if network.asn == asn:
                return network.as_name
        (places,) = np.nonzero(self._asn_of_file == asn)
        return str(self._network_names[int(places[0])]) if asn and len(places) else ""
