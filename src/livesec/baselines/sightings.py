"""Where entities were seen: login rows with a place, as kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.country_code import country_numbers
from livesec.core.hashing import Keys
from livesec.core.rows import Rows

PLACE_COLUMNS = ("country", "lat", "lon", "geo_radius_km", "event_time_us")
"""What a row must have to be a sighting."""


class Sightings(NamedTuple):
    """Where each key was seen; all (n,), in row order. Degrees and km, none of them unknown."""

    keys: Keys
    times_us: NDArray[np.int64]
    events_us: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    countries: NDArray[np.int32]
    addresses: NDArray[np.int64]


def located_logins(rows: Rows) -> NDArray[np.bool_]:
    """Successes from outside that do not come through a VPN, relay or hosting network, shape (n,)."""
    elsewhere = (rows.integers("is_internal") == 1) | (rows.integers("is_relay") == 1)
    return np.asarray(rows.is_value("outcome", "success") & ~elsewhere)


def sightings(rows: Rows, keys: Keys, at: NDArray[np.int64]) -> Sightings:
    """The rows at positions `at` (n,), whose PLACE_COLUMNS are known, as sightings of `keys` (all rows')."""
    return Sightings(
        keys=keys[at],
        times_us=rows.time_us[at],
        events_us=rows.integers("event_time_us")[at],
        lat=rows.floats("lat")[at],
        lon=rows.floats("lon")[at],
        radius_km=rows.floats("geo_radius_km")[at],
        countries=country_numbers(rows.column("country").gather(at)),
        addresses=rows.addresses()[at],
    )
