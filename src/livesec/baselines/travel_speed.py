"""How fast each key must have travelled between one row and the next.

    least = max(0, haversine - radius - previous radius)         the least distance both errors allow, km
    hours = max(1 s, |event time - previous event time|)         late lines count by what they say
    hit   = least >= min_km and least / hours > max_kmh

Within an episode (no hit for `quiet_s` ends it) the first hit is reported, then each time the number of hits has
doubled: someone whose telephone is always elsewhere is a handful of reports.
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
from livesec.core.batch import NO_ADDRESS
from livesec.core.jit import kernel
from livesec.core.state import ColumnSpec, Index, KeyedState, touch

FARTHEST_KM: Final = 20_020.0  # half way round the globe, rounded up

COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType(
    {
        "last_us": np.int64,  # stream time of the last row
        "event_us": np.int64,  # time that the row stated
        "lat": np.float64,
        "lon": np.float64,
        "radius_km": np.float64,
        "country": np.int32,
        "address": np.int64,  # of its line
        "hit_us": np.int64,  # last hit
        "hits": np.int64,  # of the episode
        "report_at": np.int64,  # hits of the next report
    }
)


class _Keyed(NamedTuple):
    """The columns above as the kernel takes them."""

    last_us: NDArray[np.int64]
    event_us: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    radius_km: NDArray[np.float64]
    country: NDArray[np.int32]
    address: NDArray[np.int64]
    hit_us: NDArray[np.int64]
    hits: NDArray[np.int64]
    report_at: NDArray[np.int64]


class _Limits(NamedTuple):
    max_kmh: float
    min_km: float
    quiet_us: int
    idle_us: int
    every_hit: bool


class _Out(NamedTuple):
    at: NDArray[np.int64]
    numbers: NDArray[np.float64]
    """(n, 4): distance, least distance, hours, hits of the episode."""
    country: NDArray[np.int32]
    address: NDArray[np.int64]


@kernel
def _travel(index: Index, keyed: _Keyed, seen: Sightings, limits: _Limits, out: _Out) -> int:
    reports = 0
    for row in range(len(seen.keys)):
        slot, fresh = touch(index, seen.keys[row])
        time_us = seen.times_us[row]
        if fresh or time_us - keyed.last_us[slot] >= limits.idle_us:
            keyed.last_us[slot] = time_us
            keyed.hit_us[slot] = time_us
            keyed.hits[slot] = 0
            keyed.report_at[slot] = 1
        else:
            keyed.last_us[slot] = max(keyed.last_us[slot], time_us)
            distance_km = haversine_km(keyed.lat[slot], keyed.lon[slot], seen.lat[row], seen.lon[row])
            least_km = max(0.0, distance_km - keyed.radius_km[slot] - seen.radius_km[row])
            hours = max(1_000_000, abs(seen.events_us[row] - keyed.event_us[slot])) / 3.6e9
            if least_km >= limits.min_km and least_km > limits.max_kmh * hours:
                if keyed.last_us[slot] - keyed.hit_us[slot] >= limits.quiet_us:
                    keyed.hits[slot] = 0
                    keyed.report_at[slot] = 1
                keyed.hit_us[slot] = keyed.last_us[slot]
                keyed.hits[slot] += 1
                if limits.every_hit or keyed.hits[slot] >= keyed.report_at[slot]:
                    keyed.report_at[slot] = 2 * keyed.hits[slot]
                    out.at[reports] = row
                    out.numbers[reports, 0] = distance_km
                    out.numbers[reports, 1] = least_km
                    out.numbers[reports, 2] = hours
                    out.numbers[reports, 3] = keyed.hits[slot]
                    out.country[reports] = keyed.country[slot]
                    out.address[reports] = keyed.address[slot]
                    reports += 1
        keyed.event_us[slot] = seen.events_us[row]
        keyed.lat[slot] = seen.lat[row]
        keyed.lon[slot] = seen.lon[row]
        keyed.radius_km[slot] = seen.radius_km[row]
        keyed.country[slot] = seen.countries[row]
        keyed.address[slot] = seen.addresses[row]
    return reports


@dataclass(frozen=True, slots=True)
class Journeys:
    """What was reported; all (n,).

    `at`: positions in the rows given. `from_country` and `from_address` (of the line) are those of the row before.
    `hits` counts the episode's.
    """

    at: NDArray[np.int64]
    distance_km: NDArray[np.float64]
    least_km: NDArray[np.float64]
    hours: NDArray[np.float64]
    hits: NDArray[np.int64]
    from_country: NDArray[np.int32]
    from_address: NDArray[np.int64]


def idle_s(*, max_kmh: float, quiet_s: float) -> float:
    """After so long without a row `journeys` treats a key as never seen: everywhere is within reach."""
    return max(quiet_s, FARTHEST_KM / max_kmh * 3600 if max_kmh > 0 else 0.0)


def journeys(
    state: KeyedState,
    seen: Sightings,
    *,
    max_kmh: float,
    min_km: float,
    quiet_s: float,
    every_hit: bool = False,
) -> Journeys:
    """Rows that are too far from the key's row before, in row order. `every_hit` reports them all.

    `max_kmh` 0 asks for the distance alone; then a key is forgotten after `quiet_s` (see `idle_s`).
    """
    n = len(seen.keys)
    state.reserve(seen.keys)
    keyed = _Keyed(
        last_us=state["last_us"].view(np.int64),
        event_us=state["event_us"].view(np.int64),
        lat=state["lat"].view(np.float64),
        lon=state["lon"].view(np.float64),
        radius_km=state["radius_km"].view(np.float64),
        country=state["country"].view(np.int32),
        address=state["address"].view(np.int64),
        hit_us=state["hit_us"].view(np.int64),
        hits=state["hits"].view(np.int64),
        report_at=state["report_at"].view(np.int64),
    )
    out = _Out(
        at=np.empty(n, dtype=np.int64),
        numbers=np.empty((n, 4), dtype=np.float64),
        country=np.empty(n, dtype=np.int32),
        address=np.full(n, NO_ADDRESS, dtype=np.int64),
    )
    limits = _Limits(
        max_kmh=float(max_kmh),
        min_km=float(min_km),
        quiet_us=int(quiet_s * 1e6),
        idle_us=int(idle_s(max_kmh=max_kmh, quiet_s=quiet_s) * 1e6),
        every_hit=every_hit,
    )
    found = _travel(state.index, keyed, seen, limits, out)
    numbers = out.numbers[:found]
    return Journeys(
        at=out.at[:found],
        distance_km=numbers[:, 0],
        least_km=numbers[:, 1],
        hours=numbers[:, 2],
        hits=numbers[:, 3].astype(np.int64),
        from_country=out.country[:found],
        from_address=out.address[:found],
    )
