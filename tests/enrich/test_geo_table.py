"""The lookup: precedence, nulls, and equality with geoip2fast's own answers."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl
import pytest

from livesec.core.documentation_networks import NETWORKS
from livesec.core.errors import LiveSecError, SettingsError
from livesec.enrich.country_centroids import COUNTRIES
from livesec.enrich.geo_table import GeoTable
from livesec.enrich.geoip2fast_file import BUNDLED_FILE, bundled_path, read_geo_file


def row(table: GeoTable, address: str) -> tuple[str, int, bool, bool]:
    """(country, asn, is_internal, is_relay) of an address."""
    geo = table.lookup([address])
    return (
        table.countries[geo.country_index[0]],
        int(geo.asn[0]),
        bool(geo.is_internal[0]),
        bool(geo.is_relay[0]),
    )


def test_documentation_networks_have_their_invented_places(table: GeoTable) -> None:
    assert row(table, "192.0.2.1") == ("US", 64496, False, False)
    assert row(table, "192.0.2.191") == ("DE", 64498, False, False)
    assert row(table, "203.0.113.64") == ("AU", 64505, False, False)
    assert row(table, "198.18.0.200") == ("US", 64512, False, False)
    assert row(table, "2001:db8:1:2::3") == ("DE", 65537, False, False)
    assert row(table, "::ffff:192.0.2.1") == ("US", 64496, False, False)
    assert row(table, "2001:db8:ff::1") == ("", 0, False, False)  # reserved, but no block of ours


def test_every_documentation_network_is_found_at_both_ends(table: GeoTable) -> None:
    blocks = [ipaddress.ip_network(network.cidr) for network in NETWORKS]
    for ends in ([str(block[0]) for block in blocks], [str(block[-1]) for block in blocks]):
        geo = table.lookup(ends)
        assert [table.countries[index] for index in geo.country_index] == [one.country for one in NETWORKS]
        assert geo.asn.tolist() == [one.asn for one in NETWORKS]
        assert not geo.is_internal.any()


def test_internal_addresses_have_no_place(table: GeoTable) -> None:
    for address in ("10.1.2.3", "127.0.0.1", "fe80::1%eth0", "fd00::1", "255.255.255.255"):
        assert row(table, address) == ("", 0, True, False)
    geo = table.lookup(["10.1.2.3"])
    assert np.isnan([geo.lat[0], geo.lon[0], geo.radius_km[0]]).all()


def test_relay_networks_are_marked(table: GeoTable) -> None:
    assert row(table, "198.18.2.9") == ("US", 64514, False, True)
    assert row(table, "2001:db8:5::9")[3]


@pytest.mark.parametrize("text", ["", "root", "192.0.2.256", "192.0.2.1:22", "2001:db8::1::2", "\x1b[31m", None])
def test_what_is_no_address_is_unknown(table: GeoTable, text: str | None) -> None:
    geo = table.lookup([text])
    assert (geo.country_index[0], geo.asn[0]) == (0, 0)
    assert math.isnan(geo.lat[0])
    assert not (geo.is_internal[0] or geo.is_relay[0] or geo.is_address[0])


def test_no_address_no_rows(table: GeoTable) -> None:
    assert len(table.lookup([])) == 0


def test_coordinates_are_the_countrys_centre(table: GeoTable) -> None:
    geo = table.lookup(pl.Series(["192.0.2.129"]))
    germany = COUNTRIES["DE"]
    assert (geo.lat[0], geo.lon[0], geo.radius_km[0]) == (
        np.float32(germany.lat),
        np.float32(germany.lon),
        np.float32(germany.radius_km),
    )


def test_the_settings_move_a_country_and_are_checked() -> None:
    table = GeoTable.load({"DE": (48.5, 11.5, 25.0)})
    geo = table.lookup(["192.0.2.129"])
    assert (geo.lat[0], geo.lon[0], geo.radius_km[0]) == (48.5, 11.5, 25.0)
    with pytest.raises(SettingsError, match="country_centroids"):
        GeoTable.load({"DE": (95.0, 0.0, 1.0)})
    with pytest.raises(SettingsError, match="relay_networks"):
        GeoTable.load(relay_networks=["here"])


def test_the_data_tells_its_age(table: GeoTable) -> None:
    assert table.data_date >= date(2024, 6, 18)
    assert table.version == f"geoip2fast GeoLite2 {table.data_date}"


def test_countries_are_the_same_in_every_version(table: GeoTable) -> None:
    assert table.countries == ("", *COUNTRIES)


def test_networks_have_names(table: GeoTable) -> None:
    assert table.network_name(64512) == "Quilvera Broadband US"
    geo = table.lookup(["8.8.8.8", "2001:4860::1"])
    assert table.network_name(int(geo.asn[0])) == "GOOGLE"
    assert geo.asn[0] == geo.asn[1]
    assert geo.asn[0] >= 4_200_000_000  # stands for the name: the data has no numbers
    assert table.network_name(0) == ""
    assert table.network_name(15169) == ""


def test_each_network_name_has_a_number_of_its_own(table: GeoTable) -> None:
    file = read_geo_file(bundled_path())
    again = GeoTable(file, COUNTRIES, ())
    numbers = again._asn_of_file
    assert len(np.unique(numbers)) == len(numbers)
    assert numbers[0] == 0
    assert numbers[1:].min() >= 4_200_000_000
    np.testing.assert_array_equal(numbers, table._asn_of_file)


@pytest.fixture
def library_environment() -> Iterator[None]:
    """Importing geoip2fast sets environment variables; put them back."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def near_edges(starts: np.ndarray, shift: int, random: np.random.Generator, size: int) -> list[int]:
    """Addresses at, just before and somewhere after `size` of the table's edges."""
    picked = [int(start) for start in random.choice(starts, size)]
    return [(start + step) << shift for start in picked for step in (-1, 0, int(random.integers(1, 5000)))]


def differences(table: GeoTable, addresses: list[str], data_file: str) -> list[tuple[str, str, str, str, str]]:
    """(address, our country, theirs, our network, theirs) where the library itself says otherwise."""
    from geoip2fast import GeoIP2Fast  # type: ignore[import-untyped]  # noqa: PLC0415  # sets the environment

    library = GeoIP2Fast(geoip2fast_data_file=str(bundled_path().with_name(data_file)))
    geo = table.lookup(addresses)
    found = []
    for at, address in enumerate(addresses):
        theirs = library.lookup(address)
        is_country = theirs.country_code in COUNTRIES  # not "--" for reserved, nor EU or ASIA
        country = theirs.country_code if is_country else ""
        ours = table.countries[geo.country_index[at]]
        name = table.network_name(int(geo.asn[at]))
        if geo.is_internal[at]:
            assert not is_country, address
        elif (ours, name) != (country, theirs.asn_name):
            found.append((address, ours, country, name, theirs.asn_name))
    return found


def is_documentation(address: str) -> bool:
    return any(ipaddress.ip_address(address) in block for block in DOCUMENTATION_RANGES)


DOCUMENTATION_RANGES = [
    ipaddress.ip_network(cidr)
    for cidr in ("198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


@pytest.mark.usefixtures("library_environment")
def test_equals_the_library_for_ipv4(table: GeoTable) -> None:
    # Its combined file is not used here: with it the library takes an IPv4 address outside all networks for
    # one of the network before.
    random = np.random.default_rng(20240618)
    starts = np.concatenate([table._country_table.starts, table._asn_table.starts])
    numbers = near_edges(starts[(starts > 0) & (starts < 1 << 32)], 0, random, 600)
    numbers += random.integers(0, 1 << 32, 2000).tolist()
    addresses = [str(ipaddress.IPv4Address(number % (1 << 32))) for number in numbers]
    public = [address for address in addresses if not is_documentation(address)]
    assert differences(table, public, "geoip2fast-asn.dat.gz") == []


@pytest.mark.usefixtures("library_environment")
def test_equals_the_library_for_ipv6_by_64(table: GeoTable) -> None:
    random = np.random.default_rng(20240618)
    starts = np.concatenate([table._country_table.starts, table._asn_table.starts])
    numbers = near_edges(starts[starts >= 0x2000 << 48], 64, random, 800)
    addresses = [str(ipaddress.IPv6Address(number)) for number in numbers]
    public = [address for address in addresses if not is_documentation(address)]
    assert differences(table, public, BUNDLED_FILE) == []


def test_missing_data_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livesec.enrich.geoip2fast_file.find_spec", lambda name: None)
    with pytest.raises(LiveSecError, match=r"geoip2fast-asn-ipv6\.dat\.gz is not installed"):
        GeoTable.load()
