"""The network that a login came from, as one number."""

from __future__ import annotations

import ipaddress

import numpy as np
import polars as pl

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
    distinct = column.unique().drop_nulls()
    networks = pl.Series([nearby(address) for address in distinct], dtype=pl.String)
    keys = text_keys(networks)
    places = column.replace_strict(distinct, pl.Series(np.arange(len(distinct))), default=None, return_dtype=pl.Int64)
    known = places.is_not_null().to_numpy()
    result = np.zeros(len(column), dtype=np.uint64)
    result[known] = keys[places.drop_nulls().to_numpy()]
    return result


def network_keys(rows: Rows) -> Keys:
    """A key for the source network of each row: its autonomous system, else its neighbourhood; 0 where unknown."""
    systems = rows.key("asn")
    if systems.all():
        return systems
    return np.where(systems != 0, systems, neighbourhood_keys(rows.column("src_ip")))
