"""Addresses of the demo world, drawn from the documentation networks only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

import numpy as np
import polars as pl

from livesec.core.documentation_networks import NETWORKS, DocumentationNetwork, Kind, networks_of
from livesec.simulate.randomness import IntArray

_OCTETS: Final = pl.Series([str(value) for value in range(256)])
_HOSTS_PER_24: Final = 254


@lru_cache(maxsize=4096)
def _parsed(cidr: str) -> IPv4Network | IPv6Network:
    return ip_network(cidr)


def address_in(cidr: str, number: int) -> str:
    """The host address of a network that `number` picks, never its first or last.

    >>> address_in("198.18.4.0/24", 0), address_in("198.18.4.0/24", 254)
    ('198.18.4.1', '198.18.4.1')
    """
    network = _parsed(cidr)
    if isinstance(network, IPv4Network):
        return str(network[1 + number % (network.num_addresses - 2)])
    subnet, interface = divmod(number, 1 << 40)  # a home of its own /64, then a device in it
    return str(network[((subnet & 0xFFFF) << 64) + 1 + interface])


_COUNTRY_OF_BLOCK: Final = {network.cidr: network.country_name for network in NETWORKS}


def country_of(cidr: str) -> str:
    """The English name of the country that a documentation network is in; KeyError for any other."""
    return _COUNTRY_OF_BLOCK[cidr]


def format_ipv4(values: IntArray) -> pl.Series:
    """Dotted text of each number.

    >>> format_ipv4(np.array([3323068417])).to_list()
    ['198.18.0.1']
    """
    octets = [_OCTETS.gather((values >> shift) & 255).rename(f"octet_{shift}") for shift in (24, 16, 8, 0)]
    return pl.select(pl.concat_str(octets, separator=".").alias("address")).to_series()


class AddressPool:
    """Host addresses of several IPv4 /24 networks, each network equally likely."""

    def __init__(self, networks: Sequence[DocumentationNetwork]) -> None:
        self._bases: IntArray = np.array(
            [int(IPv4Network(network.cidr).network_address) for network in networks], dtype=np.int64
        )
        self._countries = pl.Series([network.country_name for network in networks])

    @classmethod
    def of(cls, kind: Kind, *countries: str) -> AddressPool:
        """The networks of a kind in countries (ISO codes); a country named twice counts double."""
        return cls([network for country in countries for network in networks_of(country, kind)])

    def draw(self, size: int, random: np.random.Generator) -> tuple[pl.Series, pl.Series]:
        """`size` addresses and the English names of their countries."""
        picks = random.integers(len(self._bases), size=size)
        hosts = random.integers(1, _HOSTS_PER_24 + 1, size=size)
        return format_ipv4(self._bases[picks] + hosts), self._countries.gather(picks)

    def draw_one(self, random: np.random.Generator) -> tuple[str, str]:
        """One address and its country's name."""
        addresses, countries = self.draw(1, random)
        return addresses[0], countries[0]


def ipv6_networks(country: str, kind: Kind) -> tuple[DocumentationNetwork, ...]:
    """The IPv6 documentation networks of a country (ISO code) and kind; often none."""
    return tuple(n for n in NETWORKS if ":" in n.cidr and n.country == country and n.kind == kind)


@lru_cache(maxsize=1)
def attack_hosting() -> AddressPool:
    """Rented servers that attacks come from."""
    return AddressPool.of("hosting", "RU", "CN", "NL", "US", "RO", "VN", "BR", "ID", "UA", "IR", "NG")


@lru_cache(maxsize=1)
def internet_sites() -> AddressPool:
    """Where web sites and cloud services live."""
    return AddressPool.of("hosting", "US", "DE", "NL", "FR", "GB", "SG")


@lru_cache(maxsize=1)
def internet_visitors() -> AddressPool:
    """Homes and telephones that visit the organisation's web site."""
    countries = [
        "DE",
        "DE",
        "GB",
        "FR",
        "US",
        "IN",
        "PL",
        "BR",
        "JP",
        "NL",
        "ES",
        "IT",
        "SE",
        "AU",
        "CA",
        "TR",
        "MX",
    ]
    homes = [n for country in countries for n in networks_of(country, "residential")]
    return AddressPool(homes + [n for country in countries for n in networks_of(country, "mobile")])
