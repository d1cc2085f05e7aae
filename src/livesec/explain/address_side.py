"""Whether an address is inside or outside, as texts say it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Final

_PUBLIC_HERE: Final = tuple(
    ip_network(cidr)  # private to Python; the demo and examples use them as the public internet
    for cidr in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32")
)


def is_internal(address: str) -> bool | None:
    """Whether `address` is one that no public host can have; None where it is no address.

    >>> [is_internal(text) for text in ("10.0.0.1", "192.0.2.1", "8.8.8.8", "fe80::1", "gateway")]
    [True, False, False, True, None]
    """
    try:
        read = ip_address(address)
    except ValueError:
        return None
    return read.is_private and not any(read in network for network in _PUBLIC_HERE)
