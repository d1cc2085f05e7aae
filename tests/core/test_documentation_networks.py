"""The invented networks: complete, inside reserved ranges, and fixed."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Network, collapse_addresses, ip_network
from itertools import pairwise

import pytest

from livesec.core.documentation_networks import (
    DEMO_NETWORKS,
    FIXTURE_NETWORKS,
    KINDS,
    NETWORKS,
    networks_of,
)

RESERVED = [
    ip_network(cidr) for cidr in ("198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]


def test_demo_blocks_tile_the_benchmark_range() -> None:
    blocks = [IPv4Network(network.cidr) for network in DEMO_NETWORKS]
    assert len(blocks) == 512
    assert {block.prefixlen for block in blocks} == {24}
    assert list(collapse_addresses(blocks)) == [IPv4Network("198.18.0.0/15")]


def test_no_two_blocks_overlap_and_all_are_reserved() -> None:
    parsed = [ip_network(network.cidr) for network in NETWORKS]
    for version in (4, 6):
        spans = sorted(
            (int(net.network_address), int(net.broadcast_address)) for net in parsed if net.version == version
        )
        assert all(last < following for (_, last), (following, _) in pairwise(spans))
    for net in parsed:
        homes = [home for home in RESERVED if home.version == net.version]
        assert any(int(h.network_address) <= int(net.network_address) <= int(h.broadcast_address) for h in homes)


def test_each_country_has_every_kind() -> None:
    kinds = Counter((network.country, network.kind) for network in DEMO_NETWORKS)
    countries = {network.country for network in DEMO_NETWORKS}
    assert len(countries) == 46
    assert all(kinds[country, kind] >= 1 for country in countries for kind in KINDS)
    assert kinds["US", "residential"] == 16
    assert kinds["KP", "hosting"] == 1


def test_as_numbers_are_reserved_and_mean_one_organisation() -> None:
    owner: dict[int, tuple[str, str, str]] = {}
    for network in NETWORKS:
        assert 64496 <= network.asn <= 64511 or 64512 <= network.asn <= 65534 or 65536 <= network.asn <= 65551
        assert owner.setdefault(network.asn, (network.as_name, network.country, network.kind)) == (
            network.as_name,
            network.country,
            network.kind,
        )


# Fixtures and labels in other files count on these places.
@pytest.mark.parametrize(
    ("cidr", "country", "kind", "asn"),
    [
        ("198.18.0.0/24", "US", "residential", 64512),
        ("192.0.2.0/26", "US", "residential", 64496),
        ("192.0.2.128/26", "DE", "residential", 64498),
        ("198.51.100.0/26", "RU", "hosting", 64500),
        ("203.0.113.0/26", "JP", "business", 64504),
        ("203.0.113.64/26", "AU", "mobile", 64505),
        ("2001:db8::/48", "US", "residential", 65536),
        ("2001:db8:4::/48", "RU", "hosting", 65540),
    ],
)
def test_known_blocks_stay_where_they_are(cidr: str, country: str, kind: str, asn: int) -> None:
    (network,) = [network for network in NETWORKS if network.cidr == cidr]
    assert (network.country, network.kind, network.asn) == (country, kind, asn)


def test_fixture_blocks_are_twelve_quarters_and_eight_ipv6_blocks() -> None:
    prefixes = Counter(network.cidr.partition("/")[2] for network in FIXTURE_NETWORKS)
    assert prefixes == {"26": 12, "48": 8}


def test_networks_of_takes_code_or_name_in_any_case() -> None:
    assert networks_of("de") == networks_of("Germany") == networks_of(" GERMANY ")
    assert {network.kind for network in networks_of("Germany", "mobile")} == {"mobile"}
    assert len(networks_of("Germany")) == 32


def test_an_unknown_country_is_named_with_the_choices() -> None:
    with pytest.raises(ValueError, match="no documentation network in 'Atlantis'; there are some in: Argentina"):
        networks_of("Atlantis")
