"""The countries of the demo world: where people live, travel and attack from.

Offsets are standard time of the largest city, without daylight saving; positions are that city's, rounded.
They decide working hours and flight times only. A country's addresses and name come from
core/documentation_networks.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.documentation_networks import networks_of
from livesec.simulate.randomness import FloatArray

EARTH_RADIUS_KM: Final = 6371.0
CRUISE_KM_PER_H: Final = 800.0  # block speed of an airliner, below every detector's limit of 900
AIRPORT_H: Final = 4.0  # to the airport, waiting, and into town


@dataclass(frozen=True, slots=True)
class Place:
    """A country as the demo world sees it; `locale` is the Faker locale for names, where people live."""

    iso: str
    utc_offset_h: float
    lat: float
    lon: float
    locale: str = ""

    @property
    def name(self) -> str:
        """The English name that the logs carry, such as United States."""
        return networks_of(self.iso)[0].country_name


PLACES: Final[tuple[Place, ...]] = (
    Place("DE", 1, 52.5, 13.4, "de_DE"),
    Place("GB", 0, 51.5, -0.1, "en_GB"),
    Place("US", -5, 40.7, -74.0, "en_US"),
    Place("IN", 5.5, 19.1, 72.9, "en_IN"),
    Place("FR", 1, 48.9, 2.4, "fr_FR"),
    Place("PL", 1, 52.2, 21.0, "pl_PL"),
    Place("BR", -3, -23.6, -46.6, "pt_BR"),
    Place("JP", 9, 35.7, 139.7, "ja_JP"),
    Place("AU", 10, -33.9, 151.2, "en_AU"),
    Place("NL", 1, 52.4, 4.9),
    Place("ES", 1, 40.4, -3.7),
    Place("IT", 1, 41.9, 12.5),
    Place("SE", 1, 59.3, 18.1),
    Place("AT", 1, 48.2, 16.4),
    Place("CA", -5, 43.7, -79.4),
    Place("SG", 8, 1.4, 103.8),
    Place("AE", 4, 25.2, 55.3),
    Place("KR", 9, 37.6, 127.0),
    Place("RU", 3, 55.8, 37.6),
    Place("CN", 8, 31.2, 121.5),
    Place("VN", 7, 10.8, 106.7),
    Place("ID", 7, -6.2, 106.8),
    Place("NG", 1, 6.5, 3.4),
    Place("RO", 2, 44.4, 26.1),
    Place("UA", 2, 50.5, 30.5),
    Place("IR", 3.5, 35.7, 51.4),
    Place("KP", 9, 39.0, 125.8),
    Place("ZA", 2, -26.2, 28.0),
)

PLACE_OF: Final[dict[str, int]] = {place.iso: number for number, place in enumerate(PLACES)}
"""ISO code to index in PLACES."""

PLACE_NAMES: Final[tuple[str, ...]] = tuple(place.name for place in PLACES)
UTC_OFFSET_H: Final[FloatArray] = np.array([place.utc_offset_h for place in PLACES])

_TRIP_ISOS: Final = ("DE", "GB", "US", "IN", "FR", "JP", "NL", "ES", "IT", "SE", "CA", "SG", "AE", "KR")
TRIP_TARGETS: Final = tuple(PLACE_OF[iso] for iso in _TRIP_ISOS)
"""Where business trips go, unless that is home."""


def _distances_km() -> FloatArray:
    lat = np.radians([place.lat for place in PLACES])
    lon = np.radians([place.lon for place in PLACES])
    half_lat = np.sin((lat[:, None] - lat[None, :]) / 2) ** 2
    half_lon = np.sin((lon[:, None] - lon[None, :]) / 2) ** 2
    haversine = half_lat + np.cos(lat)[:, None] * np.cos(lat)[None, :] * half_lon
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(haversine, 0, 1))))


DISTANCE_KM: Final[FloatArray] = _distances_km()
"""Great circle between each pair of PLACES, shape (n, n)."""

TRAVEL_H: Final[FloatArray] = np.where(DISTANCE_KM > 1, DISTANCE_KM / CRUISE_KM_PER_H + AIRPORT_H, 0.0)
"""Hours from the last login in one place to the first one in the other, for an honest traveller."""
