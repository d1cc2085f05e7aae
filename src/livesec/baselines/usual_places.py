"""The few countries where each key is usually seen, and how far a new one is from all of them.

A place is a country with the coordinates it had last. Its weight counts the clock hours in which the key was
seen there; from a weight of 1 the place is usual. Per row, scored before it is learned:

    n         clock hours seen at usual places, r the number of usual places there ever were
    distance  to the nearest usual place, at least: max(0, haversine - both radii)
    strange   the country is not usual, distance > min_km, n >= min_hours
    p         (r + k) / (n + r + k): how often this key turns up in a country of which it has not yet made a habit;
              k counts the clock hours in which it was seen in this one before

A row that is not strange teaches 1 at once, a strange one 1/16: sixteen hours there make it usual. A strange
place is reported at its 1st, 4th, 16th... hour; it starts over when it was not seen for `quiet_s`.
Weights are kept in sixteenths, so all that is learned is integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from livesec.baselines.geometry import haversine_km
from livesec.baselines.growth import GROWTH
from livesec.baselines.sightings import Sightings
from livesec.core.jit import inner_kernel, kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

KEPT_PLACES: Final = 8
USUAL: Final = 16  # weight of a usual place, in sixteenths of an hour seen
_MOST: Final = 1 << 30  # weights stop here
_HOUR_US: Final = 3_600_000_000

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,
        "hours": np.int64,  # clock hours seen at usual places: n
        "usual": np.int32,  # places that ever became usual: r
        "kept": np.int32,  # places in use
        "country": (np.int32, KEPT_PLACES),
        "lat": (np.float64, KEPT_PLACES),
        "lon": (np.float64, KEPT_PLACES),
        "radius_km": (np.float64, KEPT_PLACES),
        "weight": (np.int32, KEPT_PLACES),
        "hour": (np.int64, KEPT_PLACES),  # last clock hour counted
        "seen_us": (np.int64, KEPT_PLACES),
        "sightings": (np.int32, KEPT_PLACES),  # hours while strange
        "report_at": (np.int32, KEPT_PLACES),  # sightings of the next report
    }
)


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    hours: NDArray[np.int64]
    usual: NDArray[np.int32]
    kept: NDArray[np.int32]
    country: NDArray[np.int32]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    weight: NDArray[np.int32]
    hour: NDArray[np.int64]
    seen_us: NDArray[np.int64]
    sightings: NDArray[np.int32]
    report_at: NDArray[np.int32]


class _Limits(NamedTuple):
    min_km: float
    min_hours: int
    quiet_us: int
    idle_us: int


class _Out(NamedTuple):
    at: NDArray[np.int64]
    nearest: NDArray[np.int32]
    """Country of the nearest usual place."""
    numbers: NDArray[np.int64]
    """(n, 3): hours, usual places, hours seen at the strange place."""
    distance_km: NDArray[np.float64]


@inner_kernel
def _place_of(keyed: _Keyed, slot: int, country: int) -> int:
    for place in range(keyed.kept[slot]):
        if keyed.country[slot, place] == country:
            return place
    return -1


@inner_kernel
def _room_for(keyed: _Keyed, slot: int, country: int, time_us: int) -> int:
    """A place for a new country: a free one, else the one with the least weight, least recently seen."""
    place = int(keyed.kept[slot])
    if place < keyed.country.shape[1]:
        keyed.kept[slot] += 1
    else:
        place = 0
        for other in range(1, keyed.country.shape[1]):
            lighter = keyed.weight[slot, other] < keyed.weight[slot, place]
            equal = keyed.weight[slot, other] == keyed.weight[slot, place]
            if lighter or (equal and keyed.seen_us[slot, other] < keyed.seen_us[slot, place]):
                place = other
    keyed.country[slot, place] = country
    keyed.weight[slot, place] = 0
    keyed.hour[slot, place] = np.iinfo(np.int64).min
    keyed.seen_us[slot, place] = time_us
    keyed.sightings[slot, place] = 0
    keyed.report_at[slot, place] = 1
    return place


@inner_kernel
def _nearest_usual(keyed: _Keyed, slot: int, seen: Sightings, row: int) -> tuple[int, float]:
    """(place, least distance in km) of the nearest usual place; (-1, 0) where there is none."""
    nearest = -1
    nearest_km = 0.0
    for place in range(keyed.kept[slot]):
        if keyed.weight[slot, place] < USUAL:
            continue
        distance_km = haversine_km(keyed.lat[slot, place], keyed.lon[slot, place], seen.lat[row], seen.lon[row])
        least_km = max(0.0, distance_km - keyed.radius_km[slot, place] - seen.radius_km[row])
        if nearest < 0 or least_km < nearest_km:
            nearest = place
            nearest_km = least_km
    return nearest, nearest_km


@inner_kernel
def _learn(keyed: _Keyed, slot: int, place: int, sixteenths: int) -> None:
    before = keyed.weight[slot, place]
    keyed.weight[slot, place] = min(_MOST, before + sixteenths)
    if before < USUAL <= keyed.weight[slot, place]:
        keyed.usual[slot] += 1
    if keyed.weight[slot, place] >= USUAL:
        keyed.hours[slot] += 1


@kernel
def _visit(index: Index, keyed: _Keyed, seen: Sightings, limits: _Limits, out: _Out) -> int:
    reports = 0
    for row in range(len(seen.keys)):
        slot, fresh = touch(index, seen.keys[row])
        time_us = seen.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.idle_us:
            keyed.last_us[slot] = time_us
            keyed.hours[slot] = 0
            keyed.usual[slot] = 0
            keyed.kept[slot] = 0
        now_us = max(keyed.last_us[slot], time_us)
        keyed.last_us[slot] = now_us
        hour = now_us // _HOUR_US
        country = seen.countries[row]
        place = _place_of(keyed, slot, country)
        usual = place >= 0 and keyed.weight[slot, place] >= USUAL
        strange = False
        nearest_country = np.int32(0)
        distance_km = 0.0
        if not usual:
            nearest, distance_km = _nearest_usual(keyed, slot, seen, row)
            if nearest >= 0:
                nearest_country = keyed.country[slot, nearest]
                strange = keyed.hours[slot] >= limits.min_hours and distance_km > limits.min_km
        if place < 0:
            place = _room_for(keyed, slot, country, now_us)
        if not usual and now_us - keyed.seen_us[slot, place] >= limits.quiet_us:
            keyed.sightings[slot, place] = 0
            keyed.report_at[slot, place] = 1
        if hour != keyed.hour[slot, place]:
            keyed.hour[slot, place] = hour
            if strange:
                keyed.sightings[slot, place] += 1
                if keyed.sightings[slot, place] >= keyed.report_at[slot, place]:
                    keyed.report_at[slot, place] = GROWTH * keyed.sightings[slot, place]
                    out.at[reports] = row
                    out.nearest[reports] = nearest_country
                    out.numbers[reports, 0] = keyed.hours[slot]
                    out.numbers[reports, 1] = keyed.usual[slot]
                    out.numbers[reports, 2] = keyed.sightings[slot, place]
                    out.distance_km[reports] = distance_km
                    reports += 1
                _learn(keyed, slot, place, 1)
            else:
                _learn(keyed, slot, place, USUAL)
        keyed.seen_us[slot, place] = now_us
        keyed.lat[slot, place] = seen.lat[row]
        keyed.lon[slot, place] = seen.lon[row]
        keyed.radius_km[slot, place] = seen.radius_km[row]
    return reports


@dataclass(frozen=True, slots=True)
class Visits:
    """Strange places that were reported; all (n,). `at`: positions in the rows given."""

    at: NDArray[np.int64]
    nearest: NDArray[np.int32]
    """Country of the nearest usual place."""
    distance_km: NDArray[np.float64]
    """At least so far from it."""
    hours: NDArray[np.int64]
    """Clock hours seen at usual places before."""
    usual: NDArray[np.int64]
    """Usual places before, at least 1."""
    sightings: NDArray[np.int64]
    """Clock hours seen at this place, with this one."""

    @property
    def p(self) -> NDArray[np.float64]:
        """How often a key with this history turns up in such a country, in (0, 1)."""
        seen = self.usual + self.sightings - 1
        return np.asarray(seen / (self.hours + seen))


def visits(
    state: KeyedState, seen: Sightings, *, min_km: float, min_hours: int, quiet_s: float, idle_s: float
) -> Visits:
    """Score and learn each sighting in row order. A key without rows for `idle_s` is treated as never seen."""
    n = len(seen.keys)
    state.reserve(seen.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        hours=state["hours"].view(np.int64),
        usual=state["usual"].view(np.int32),
        kept=state["kept"].view(np.int32),
        country=state["country"].view(np.int32),
        lat=state["lat"].view(np.float64),
        lon=state["lon"].view(np.float64),
        radius_km=state["radius_km"].view(np.float64),
        weight=state["weight"].view(np.int32),
        hour=state["hour"].view(np.int64),
        seen_us=state["seen_us"].view(np.int64),
        sightings=state["sightings"].view(np.int32),
        report_at=state["report_at"].view(np.int32),
    )
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        nearest=np.empty(n, dtype=np.int32),
        numbers=np.empty((n, 3), dtype=np.int64),
        distance_km=np.empty(n, dtype=np.float64),
    )
    limits = _Limits(float(min_km), int(min_hours), int(quiet_s * 1e6), int(idle_s * 1e6))
    found = _visit(state.index, keyed, seen, limits, out)
    numbers = out.numbers[:found]
    return Visits(
        out.at[:found],
        out.nearest[:found],
        out.distance_km[:found],
        numbers[:, 0],
        numbers[:, 1],
        numbers[:, 2],
    )
