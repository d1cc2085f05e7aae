"""How fast each key must have travelled from its last row, and whether it is known where it turned up.

    least(a, b) = max(0, haversine - both radii)                 the least distance that both errors allow, km
    hours       = max(1 s, |event time - event time before|)     late lines count by what they say
    too fast    = least(here, before) >= min_km and least / hours > max_kmh
    known       = a place seen within `known_s` lies less than min_km from here, at least
    p           = r / (n + r): how often a key seen in n clock hours at r places turns up at a new one

A row that is too fast and not at a known place is reported, and learned: who goes to and fro between two
places, because an account is shared or a VPN comes out elsewhere, is reported once. A key with little history
has a large p, and so has one that is somewhere else every day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.geometry import haversine_km
from livesec.baselines.sightings import Sightings
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_PLACES: Final = 8
FARTHEST_KM: Final = 20_020.0  # half way round the globe, rounded up
_HOUR_US: Final = 3_600_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,  # stream time of the last row
        "event_us": np.int64,  # time that it stated
        "address": np.int64,  # of its line
        "at": np.int32,  # its place
        "hour": np.int64,  # last clock hour counted
        "hours": np.int64,  # clock hours seen: n
        "places": np.int64,  # places that were ever new: r
        "kept": np.int32,  # places in use
        "lat": (np.float64, KEPT_PLACES),
        "lon": (np.float64, KEPT_PLACES),
        "radius_km": (np.float64, KEPT_PLACES),
        "country": (np.int32, KEPT_PLACES),
        "seen_us": (np.int64, KEPT_PLACES),
    }
)


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    event_us: NDArray[np.int64]
    address: NDArray[np.int64]
    at: NDArray[np.int32]
    hour: NDArray[np.int64]
    hours: NDArray[np.int64]
    places: NDArray[np.int64]
    kept: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    country: NDArray[np.int32]
    seen_us: NDArray[np.int64]


class _Limits(NamedTuple):
    max_kmh: float
    min_km: float
    known_us: int
    idle_us: int
    known_too: bool


class _Out(NamedTuple):
    at: NDArray[np.int64]
    distances: NDArray[np.float64]
    """(n, 3): distance, least distance, hours."""
    history: NDArray[np.int64]
    """(n, 4): clock hours, places, country before, line address before."""


@inner_kernel
def _distance_km(keyed: _Keyed, slot: int, place: int, seen: Sightings, row: int) -> float:
    return haversine_km(keyed.lat[slot, place], keyed.lon[slot, place], seen.lat[row], seen.lon[row])


@inner_kernel
def _known_place(keyed: _Keyed, slot: int, seen: Sightings, row: int, now_us: int, limits: _Limits) -> int:
    """The nearest place that is near enough to be here and was seen lately, or -1."""
    known = -1
    nearest_km = limits.min_km
    for place in range(keyed.kept[slot]):
        if now_us - keyed.seen_us[slot, place] >= limits.known_us:
            continue
        radii_km = keyed.radius_km[slot, place] + seen.radius_km[row]
        least_km = max(0.0, _distance_km(keyed, slot, place, seen, row) - radii_km)
        if least_km < nearest_km:
            known = place
            nearest_km = least_km
    return known


@inner_kernel
def _room(keyed: _Keyed, slot: int) -> int:
    """A free place, else the least recently seen."""
    if keyed.kept[slot] < keyed.lat.shape[1]:
        keyed.kept[slot] += 1
        return int(keyed.kept[slot]) - 1
    oldest = 0
    for place in range(1, keyed.lat.shape[1]):
        if keyed.seen_us[slot, place] < keyed.seen_us[slot, oldest]:
            oldest = place
    return oldest


@kernel
def _travel(index: Index, keyed: _Keyed, seen: Sightings, limits: _Limits, out: _Out) -> int:
    reports = 0
    for row in range(len(seen.keys)):
        slot, fresh = touch(index, seen.keys[row])
        time_us = seen.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.idle_us:
            keyed.last_us[slot] = time_us
            keyed.hours[slot] = 0
            keyed.places[slot] = 0
            keyed.kept[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        place = _known_place(keyed, slot, seen, row, now_us, limits)
        if keyed.kept[slot] > 0 and (place < 0 or limits.known_too):
            before = keyed.at[slot]
            distance_km = _distance_km(keyed, slot, before, seen, row)
            least_km = max(0.0, distance_km - keyed.radius_km[slot, before] - seen.radius_km[row])
            hours = max(1_000_000, abs(seen.events_us[row] - keyed.event_us[slot])) / 3.6e9
            if least_km >= limits.min_km and least_km > limits.max_kmh * hours:
                out.at[reports] = row
                out.distances[reports, 0] = distance_km
                out.distances[reports, 1] = least_km
                out.distances[reports, 2] = hours
                out.history[reports, 0] = keyed.hours[slot]
                out.history[reports, 1] = keyed.places[slot]
                out.history[reports, 2] = keyed.country[slot, before]
                out.history[reports, 3] = keyed.address[slot]
                reports += 1
        if keyed.hours[slot] == 0 or now_us // _HOUR_US != keyed.hour[slot]:
            keyed.hour[slot] = now_us // _HOUR_US
            keyed.hours[slot] += 1
        if place < 0:
            place = _room(keyed, slot)
            keyed.places[slot] += 1
        keyed.lat[slot, place] = seen.lat[row]
        keyed.lon[slot, place] = seen.lon[row]
        keyed.radius_km[slot, place] = seen.radius_km[row]
        keyed.country[slot, place] = seen.countries[row]
        keyed.seen_us[slot, place] = now_us
        keyed.at[slot] = place
        keyed.event_us[slot] = seen.events_us[row]
        keyed.address[slot] = seen.addresses[row]
    return reports


@dataclass(frozen=True, slots=True)
class Journeys:
    """What was reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    distance_km: NDArray[np.float64]
    least_km: NDArray[np.float64]
    hours: NDArray[np.float64]
    """Between the row and the one before."""
    seen_hours: NDArray[np.int64]
    """Clock hours in which the key was seen before."""
    places: NDArray[np.int64]
    """Places where it was seen before, at least 1."""
    from_country: NDArray[np.int64]
    """Country number of the row before."""
    from_address: NDArray[np.int64]
    """Line address of the row before."""

    @property
    def p(self) -> NDArray[np.float64]:
        """How often a key with this history turns up at a new place, in (0, 1)."""
        return self.places / (self.seen_hours + self.places)


def idle_s(*, max_kmh: float, forget_s: float) -> float:
    """After so long without a row `journeys` treats a key as never seen; everywhere is within reach by then."""
    return max(forget_s, FARTHEST_KM / max_kmh * 3600 if max_kmh > 0 else 0.0)


def journeys(
    state: KeyedState,
    seen: Sightings,
    *,
    max_kmh: float,
    min_km: float,
    known_s: float,
    forget_s: float,
    known_too: bool = False,
) -> Journeys:
    """Rows that are too far from the key's row before, in row order. `known_too` reports known places as well.

    `max_kmh` 0 asks for the distance alone. A key without rows for `idle_s` is treated as never seen.
    """
    n = len(seen.keys)
    state.reserve(seen.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        event_us=state["event_us"].view(np.int64),
        address=state["address"].view(np.int64),
        at=state["at"].view(np.int32),
        hour=state["hour"].view(np.int64),
        hours=state["hours"].view(np.int64),
        places=state["places"].view(np.int64),
        kept=state["kept"].view(np.int32),
        lat=state["lat"].view(np.float64),
        lon=state["lon"].view(np.float64),
        radius_km=state["radius_km"].view(np.float64),
        country=state["country"].view(np.int32),
        seen_us=state["seen_us"].view(np.int64),
    )
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        distances=np.empty((n, 3), dtype=np.float64),
        history=np.empty((n, 4), dtype=np.int64),
    )
    limits = _Limits(
        max_kmh=float(max_kmh),
        min_km=float(min_km),
        known_us=int(known_s * 1e6),
        idle_us=int(idle_s(max_kmh=max_kmh, forget_s=forget_s) * 1e6),
        known_too=known_too,
    )
    found = _travel(state.index, keyed, seen, limits, out)
    distances, history = out.distances[:found], out.history[:found]
    return Journeys(
        at=out.at[:found],
        distance_km=distances[:, 0],
        least_km=distances[:, 1],
        hours=distances[:, 2],
        seen_hours=history[:, 0],
        places=history[:, 1],
        from_country=history[:, 2],
        from_address=history[:, 3],
    )
