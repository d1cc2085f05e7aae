"""The network that a login came from, as one number."""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.hashing import Keys, text_keys
from livesec.core.rows import Rows


def nearby(address: str) -> str:
    """An IPv4 address's /24, an IPv6 address's /48 (one site), other text unchanged.

    >>> nearby("192.0.2.77"), nearby("2001:db8:1:2::9"), nearby("::ffff:192.0.2.1"), nearby("a host")
    ('192.0.2.0/24', '2001:db8:1::/48', '192.0.2.0/24', 'a host')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    bits = 24 if isinstance(parsed, ipaddress.IPv4Address) else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False))


def neighbourhood_keys(column: pl.Series) -> Keys:
    """A key for the `nearby` network of each address in `column` (String); 0 where it is null."""
    networks = column.str.replace(r"^(\d+\.\d+\.\d+)\.\d+$", "${1}.0/24")
    long = column.filter(column.str.contains(":", literal=True)).unique()
    return text_keys(networks.replace(long, pl.Series([nearby(address) for address in long], dtype=pl.String)))


def network_keys(rows: Rows, at: NDArray[np.int64]) -> Keys:
    """A key for the source network of each row at positions `at` (n,); 0 where unknown.

    It is the autonomous system, else the neighbourhood.
    """
    systems = rows.key("asn")[at]
    if systems.all():
        return systems
    return np.where(systems != 0, systems, neighbourhood_keys(rows.column("src_ip").gather(at)))
