"""Cities and autonomous systems from files in MaxMind's format, which users bring (GeoLite2, DB-IP, IPinfo and others).

Each distinct address is looked up once; IPv6 by the first address of its /64, as entities are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import maxminddb
import numpy as np
from numpy.typing import NDArray

from livesec.core.errors import SettingsError
from livesec.enrich.address_numbers import IPV4_END, Numbers

DEFAULT_RADIUS_KM: Final = 50.0
"""Error of a place whose record states none: an assumption, the size of a metropolitan area."""
_MAX_RADIUS_KM: Final = 20_100.0  # half around the Earth
_MAX_ASN: Final = (1 << 32) - 1


@dataclass(frozen=True)
class Places:
    """What a city file says of n addresses; each array has shape (n,)."""

    country: list[str]
    """ISO code; "" where it says nothing."""
    lat: NDArray[np.float32]
    """Degrees; NaN where the file has no place."""
    lon: NDArray[np.float32]
    radius_km: NDArray[np.float32]


class MaxMindFile:
    """An open file. Damage in it that shows only at a look-up counts as "nothing known"."""

    def __init__(self, path: str, setting: str) -> None:
        """Open `path`, which `setting` names. Raises SettingsError where it is no file of this format."""
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise SettingsError(f"{setting}: {path}: {what}; expected a file in MaxMind's format (.mmdb)") from error
        metadata = self._reader.metadata()
        self.version = f"{metadata.database_type} {datetime.fromtimestamp(metadata.build_epoch, UTC).date()}"
        """Kind and date of the data."""
        self._only_ipv4 = metadata.ip_version == 4  # noqa: PLR2004  # IPv4

    def _record(self, number: int) -> Mapping[str, object]:
        address = IPv4Address(number) if number < IPV4_END else IPv6Address(number << 64)
        if self._only_ipv4 and isinstance(address, IPv6Address):
            return {}
        try:
            record = self._reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return {}
        return record if isinstance(record, dict) else {}

    def places(self, numbers: Numbers) -> Places:
        """Country and place of each address number (see address_numbers)."""
        country: list[str] = []
        places = np.full((3, len(numbers)), np.nan, dtype=np.float32)
        for row, number in enumerate(numbers.tolist()):
            record = self._record(number)
            country.append(_text(_part(record, "country"), "iso_code"))
            location = _part(record, "location")
            lat, lon = _number(location, "latitude"), _number(location, "longitude")
            if lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180:  # noqa: PLR2004  # degrees
                radius = _number(location, "accuracy_radius") or DEFAULT_RADIUS_KM
                places[:, row] = lat, lon, min(max(radius, 1.0), _MAX_RADIUS_KM)
        return Places(country, *places)

    def networks(self, numbers: Numbers) -> NDArray[np.uint32]:
        """Number of the autonomous system of each address number, 0 where it is not known."""
        asn = np.zeros(len(numbers), dtype=np.uint32)
        for row, number in enumerate(numbers.tolist()):
            known = _number(self._record(number), "autonomous_system_number")
            if known is not None and 0 < known <= _MAX_ASN:
                asn[row] = int(known)
        return asn


def _part(record: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: Mapping[str, object], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _number(record: Mapping[str, object], name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
