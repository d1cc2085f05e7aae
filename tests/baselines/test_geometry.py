"""Great-circle distances against hand values, symmetry and a scalar twin by another formula."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.baselines.geometry import EARTH_RADIUS_KM, haversine_km

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def distance_by_vectors(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """The angle between the two places seen from the centre, from cross and dot product."""
    a, b = (
        (
            math.cos(math.radians(lat)) * math.cos(math.radians(lon)),
            math.cos(math.radians(lat)) * math.sin(math.radians(lon)),
            math.sin(math.radians(lat)),
        )
        for lat, lon in ((lat1, lon1), (lat2, lon2))
    )
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_RADIUS_KM * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(a, b, strict=True)))


@pytest.mark.parametrize(
    ("places", "km"),
    [
        ((0.0, 0.0, 0.0, 0.0), 0.0),
        ((0.0, 0.0, 0.0, 90.0), EARTH_RADIUS_KM * math.pi / 2),
        ((0.0, 0.0, 0.0, 180.0), EARTH_RADIUS_KM * math.pi),
        ((90.0, 0.0, -90.0, 77.0), EARTH_RADIUS_KM * math.pi),
        ((10.0, 179.5, 10.0, -179.5), 109.5),  # one degree across the date line: 111.2 km x cos 10
        ((48.86, 2.35, 35.68, 139.69), 9712.0),  # Paris to Tokyo
    ],
)
def test_known_distances(places: tuple[float, float, float, float], km: float) -> None:
    assert haversine_km(*places) == pytest.approx(km, rel=1e-4)


@settings(deadline=None)
@given(latitudes, longitudes, latitudes, longitudes)
def test_agrees_with_the_vector_formula(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    distance = haversine_km(lat1, lon1, lat2, lon2)
    # Near antipodes the haversine loses half its digits: half a kilometre is far below any error radius.
    assert distance == pytest.approx(distance_by_vectors(lat1, lon1, lat2, lon2), rel=1e-9, abs=0.5)
    assert distance == haversine_km(lat2, lon2, lat1, lon1)
    assert 0 <= distance <= EARTH_RADIUS_KM * math.pi


def test_unknown_places_have_no_distance() -> None:
    assert math.isnan(haversine_km(math.nan, 0.0, 0.0, 0.0))
    assert math.isnan(haversine_km(0.0, 0.0, 0.0, math.nan))
