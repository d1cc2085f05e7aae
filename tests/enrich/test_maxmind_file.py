"""Files in MaxMind's format, made here by a writer of that format, in place of the built-in country data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from livesec.core.errors import SettingsError
from livesec.core.rows import make_rows
from livesec.core.schema import LogType
from livesec.enrich.geo import GeoLookup
from livesec.enrich.geo_table import GeoTable
from livesec.enrich.maxmind_file import DEFAULT_RADIUS_KM

LYON = {
    "city": {"names": {"en": "Lyon"}},
    "country": {"iso_code": "FR"},
    "location": {"latitude": 45.75, "longitude": 4.85, "accuracy_radius": 20},
}
NICE = {"country": {"iso_code": "FR"}, "location": {"latitude": 43.7, "longitude": 7.27}}
ODD = {"country": "FR", "location": {"latitude": 99.0, "longitude": 7.27}}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("maxmind")
    cities = MMDBWriter(6, "GeoLite2-City", ipv4_compatible=True, float_type="f64")
    for network, record in (("8.8.8.0/24", LYON), ("8.8.4.0/24", NICE), ("9.9.9.0/24", ODD), ("2a00:1450::/32", NICE)):
        cities.insert_network(IPSet([network]), record)
    networks = MMDBWriter(6, "GeoLite2-ASN", ipv4_compatible=True)
    record = {"autonomous_system_number": 15169, "autonomous_system_organization": "Example"}
    networks.insert_network(IPSet(["8.8.8.0/24"]), record)
    names = str(folder / "city.mmdb"), str(folder / "asn.mmdb")
    cities.to_db_file(names[0])
    networks.to_db_file(names[1])
    return names


@pytest.fixture(scope="module")
def table(files: tuple[str, str]) -> GeoTable:
    return GeoTable.load(city_file=files[0], asn_file=files[1])


def test_a_city_wins_over_its_country(table: GeoTable) -> None:
    found = table.lookup(["8.8.8.8", "8.8.4.4", "2a00:1450::7", "9.9.9.9", "192.0.2.1", "10.0.0.1", "no"])
    countries = [table.countries[index] for index in found.country_index]
    assert countries[:3] == ["FR", "FR", "FR"]
    assert countries[4:] == ["US", "", ""]  # documentation networks keep their invented places
    np.testing.assert_allclose(found.lat[:3], [45.75, 43.7, 43.7])
    assert found.radius_km[:3].tolist() == [20, DEFAULT_RADIUS_KM, DEFAULT_RADIUS_KM]
    plain = GeoTable.load().lookup(["9.9.9.9"])
    assert (found.lat[3], found.radius_km[3]) == (plain.lat[0], plain.radius_km[0])
    assert found.asn[0] == 15169
    assert found.asn[1] >= 4_200_000_000  # unknown to the file: the stand-in stays


def test_two_cities_of_a_country_are_two_places(table: GeoTable) -> None:
    lookup = GeoLookup(table)
    state = lookup.initial()
    for addresses in (["8.8.8.8", "8.8.4.4", "8.8.8.9"], ["8.8.4.4", "8.8.8.8", "8.8.8.9"]):
        frame = pl.DataFrame({"src_ip": addresses, "country": ["FR", None, "Germany"]})
        found = lookup.step(state, make_rows(LogType.LOGIN, frame)).frame
        place = {"8.8.8.8": 45.75, "8.8.4.4": 43.7}
        np.testing.assert_allclose(found["lat"].to_numpy()[:2], [place[address] for address in addresses[:2]])
        assert found["country"].to_list() == ["FR", "FR", "DE"]  # a stated country that differs wins, with its centre
        assert found["geo_radius_km"][2] == 500


def test_the_age_of_the_data_is_known(table: GeoTable) -> None:
    today = datetime.now(UTC).date()
    assert f"GeoLite2-City {today}" in table.version
    assert table.version.startswith("geoip2fast GeoLite2 20")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mmdb").write_bytes(b"nothing")
    for name in ("x.mmdb", "missing.mmdb"):
        with pytest.raises(SettingsError, match=f"geo_city_file: .*{name}"):
            GeoTable.load(city_file=str(tmp_path / name))
    with pytest.raises(SettingsError, match="geo_asn_file"):
        GeoTable.load(asn_file=str(tmp_path))
