"""Distances on the globe."""

from __future__ import annotations

import math
from typing import Final

from livesec.core.jit import kernel

EARTH_RADIUS_KM: Final = 6371.0088  # mean radius (IUGG)


@kernel
def haversine_km(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance in km, 0 to 20,015, between two places in degrees; NaN where one is unknown.

    Off by up to 0.6 %, as the Earth is no sphere. Callable from other kernels.

    >>> round(haversine_km(52.5, 13.4, 40.7, -74.0))  # Berlin to New York
    6386
    """
    half_lat = math.sin(math.radians(lat2 - lat1) / 2.0)
    half_lon = math.sin(math.radians(lon2 - lon1) / 2.0)
    chord = half_lat * half_lat + math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * half_lon * half_lon
    # Rounding can push antipodes past 1. Compared this way round a NaN stays one.
    return 2.0 * EARTH_RADIUS_KM * math.asin(1.0 if chord > 1.0 else math.sqrt(chord))
