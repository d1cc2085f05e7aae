"""Internal and relay networks, at their edges."""

from __future__ import annotations

import polars as pl
import pytest

from livesec.core.documentation_networks import NETWORKS
from livesec.core.errors import SettingsError
from livesec.enrich.address_class import internal_table, relay_table
from livesec.enrich.address_numbers import address_numbers


def is_internal(*addresses: str) -> list[bool]:
    numbers, valid = address_numbers(pl.Series(addresses))
    assert valid.all()
    return [bool(found) for found in internal_table().find(numbers)]


@pytest.mark.parametrize(
    ("before", "first", "last", "after"),
    [
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("fbff:ffff::", "fc00::", "fdff:ffff:ffff:ffff:ffff::", "fe00::"),
    ],
)
def test_edges_of_private_networks(before: str, first: str, last: str, after: str) -> None:
    assert is_internal(before, first, last, after) == [False, True, True, False]


def test_other_reserved_addresses_are_internal() -> None:
    reserved = (
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "ff02::1",
        "::ffff:10.0.0.1",
    )
    assert all(is_internal(*reserved))


def test_public_and_documentation_addresses_are_not() -> None:
    assert not any(is_internal("8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002::1"))
    assert not any(is_internal(*(network.cidr.partition("/")[0] for network in NETWORKS)))
    assert not any(is_internal("2001:db8:ffff::1"))


def test_relay_networks_come_from_the_settings() -> None:
    numbers, _ = address_numbers(pl.Series(["192.0.2.5", "192.0.3.5", "2001:db8:5::9", "2001:db8:6::9"]))
    relays = relay_table([" 192.0.2.0/24", "2001:db8:5::/48"])
    assert relays.find(numbers).tolist() == [True, False, True, False]
    assert not relay_table([]).find(numbers).any()


def test_a_broken_relay_network_is_named() -> None:
    with pytest.raises(SettingsError, match=r"relay_networks: 192\.0\.2\.1/24 has host bits set; expected one such"):
        relay_table(["192.0.2.1/24"])
