"""Which addresses are internal, and which belong to a VPN, relay or hosting network by the settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from livesec.core.errors import SettingsError
from livesec.core.text import shown
from livesec.enrich.address_numbers import network_span
from livesec.enrich.range_table import RangeTable

# IANA special-purpose registries: what no public host can have. The documentation and benchmarking networks
# are not here: the demo and the fixtures use them as the public internet (core/documentation_networks.py).
INTERNAL_NETWORKS: Final = (
    "0.0.0.0/8",  # this host
    "10.0.0.0/8",  # RFC 1918
    "100.64.0.0/10",  # carrier-grade NAT, RFC 6598
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local
    "172.16.0.0/12",  # RFC 1918
    "192.0.0.0/24",  # IETF protocol assignments
    "192.88.99.0/24",  # 6to4 relays, deprecated by RFC 7526
    "192.168.0.0/16",  # RFC 1918
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved and broadcast
    "::/32",  # unspecified, loopback and the deprecated IPv4-compatible addresses
    "64:ff9b:1::/48",  # local translation, RFC 8215
    "100::/64",  # discard, RFC 6666
    "fc00::/7",  # unique local, RFC 4193
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated by RFC 3879
    "ff00::/8",  # multicast
)


def _of_networks(cidrs: Iterable[str]) -> RangeTable[np.bool_]:
    spans = [network_span(cidr) for cidr in cidrs]
    return RangeTable.of_spans(spans, np.ones(len(spans), dtype=np.bool_))


def internal_table() -> RangeTable[np.bool_]:
    """True where an address number is private, reserved or multicast."""
    return _of_networks(INTERNAL_NETWORKS)


def relay_table(cidrs: Iterable[str]) -> RangeTable[np.bool_]:
    """True where an address number lies in one of the networks that the setting `relay_networks` lists.

    Raises SettingsError that names the entry where it is no network.
    """
    networks = [cidr.strip() for cidr in cidrs]
    for cidr in networks:
        try:
            network_span(cidr)
        except ValueError as error:
            raise SettingsError(
                f"relay_networks: {shown(str(error))}; expected one such as 192.0.2.0/24 or 2001:db8::/32"
            ) from error
    return _of_networks(networks)
