"""Country centres: complete, plausible, and wide enough for cities at the edges."""

from __future__ import annotations

import math

import pytest

from livesec.baselines.geometry import haversine_km
from livesec.core.country_names import iso_code
from livesec.core.documentation_networks import NETWORKS
from livesec.core.errors import SettingsError
from livesec.enrich.country_centroids import COUNTRIES, with_overrides

# Cities near the border or coast, rounded to a tenth of a degree.
EDGE_CITIES = {
    "US": [(47.6, -122.3), (25.8, -80.2), (44.8, -68.8), (32.7, -117.2), (25.9, -97.5)],
    "RU": [(54.7, 20.5), (43.1, 131.9), (53.0, 158.7), (64.7, 177.5), (68.97, 33.1), (43.0, 47.5)],
    "CA": [(47.6, -52.7), (48.4, -123.4), (60.7, -135.1), (42.3, -83.0), (74.7, -94.9)],
    "CN": [(39.5, 76.0), (48.4, 134.3), (18.3, 109.5), (43.8, 87.6), (50.2, 127.5)],
    "BR": [(-33.7, -53.4), (2.8, -60.7), (-7.1, -34.9), (-7.6, -72.7)],
    "AU": [(-42.9, 147.3), (-31.9, 115.9), (-12.5, 130.8), (-28.6, 153.6), (-16.9, 145.8)],
    "IN": [(8.1, 77.5), (34.1, 74.8), (27.5, 95.0), (23.2, 68.8)],
    "JP": [(43.1, 141.3), (26.2, 127.7), (31.6, 130.6), (43.3, 145.6)],
    "DE": [(54.8, 9.4), (47.6, 10.2), (47.6, 7.6), (51.2, 15.0), (50.8, 6.1)],
    "GB": [(50.1, -5.5), (51.1, 1.3), (57.1, -2.1), (54.6, -5.9), (59.0, -3.0)],
    "FR": [(48.4, -4.5), (43.7, 7.3), (50.9, 1.9), (42.7, 9.4), (43.4, -1.7), (48.6, 7.8)],
    "CL": [(-18.5, -70.3), (-53.2, -70.9), (-54.9, -67.6)],
    "NO": [(58.1, 8.0), (69.6, 18.9), (70.7, 23.7), (69.7, 30.0)],
    "ID": [(5.5, 95.3), (-2.5, 140.7), (-10.2, 123.6)],
    "IT": [(45.1, 7.7), (37.5, 15.1), (39.2, 9.1), (40.4, 18.2)],
    "NG": [(6.5, 3.4), (13.1, 5.2), (11.8, 13.2)],
    "SG": [(1.35, 103.99)],
}


def test_every_country_of_the_standard_is_there_once() -> None:
    assert len(COUNTRIES) == 250  # 249 and Kosovo
    assert list(COUNTRIES) == sorted(COUNTRIES)
    assert len({country.name for country in COUNTRIES.values()}) == 250
    assert all(code.isascii() and code.isupper() and len(code) == 2 for code in COUNTRIES)
    assert {"AQ", "BQ", "CW", "EH", "PS", "SS", "TW", "XK"} <= set(COUNTRIES)


def test_places_are_on_the_globe_and_radii_between_ten_and_4400_km() -> None:
    for country in COUNTRIES.values():
        assert -90 <= country.lat <= 90
        assert -180 <= country.lon <= 180
        assert 10 <= country.radius_km <= 4400
    assert max(COUNTRIES.values(), key=lambda country: country.radius_km).code == "RU"


@pytest.mark.parametrize("code", EDGE_CITIES)
def test_edge_cities_lie_within_the_radius(code: str) -> None:
    country = COUNTRIES[code]
    farthest = max(haversine_km(country.lat, country.lon, lat, lon) for lat, lon in EDGE_CITIES[code])
    assert farthest <= country.radius_km
    assert country.radius_km <= 40 + 1.5 * farthest  # and is not needlessly wide


def test_documentation_networks_name_countries_alike() -> None:
    for network in NETWORKS:
        assert COUNTRIES[network.country].name == network.country_name
        assert iso_code(network.country_name) == network.country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "DE"),
        (" Germany ", "DE"),
        ("UK", "GB"),
        ("Russian Federation", "RU"),
        ("TÜRKIYE", "TR"),
        ("", None),
    ],
)
def test_countries_by_code_or_name(text: str, code: str | None) -> None:
    assert iso_code(text) == code


def test_a_setting_moves_a_country() -> None:
    moved = with_overrides({"germany": (48.1, 11.6, 30)})
    assert (moved["DE"].lat, moved["DE"].lon, moved["DE"].radius_km, moved["DE"].name) == (
        48.1,
        11.6,
        30,
        "Germany",
    )
    assert moved["FR"] == COUNTRIES["FR"]


@pytest.mark.parametrize("place", [(91, 0, 1), (0, 181, 1), (0, 0, -1), (0, math.nan, 1), (0, 0, math.inf)])
def test_a_place_off_the_globe_is_refused(place: tuple[float, float, float]) -> None:
    with pytest.raises(SettingsError, match="country_centroids: DE has"):
        with_overrides({"DE": place})


def test_a_setting_for_no_country_is_refused() -> None:
    with pytest.raises(SettingsError, match="'Atlantis' is no country; use an ISO code such as DE"):
        with_overrides({"Atlantis": (0, 0, 1)})
