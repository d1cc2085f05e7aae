"""Names of IP protocol numbers (IANA, Assigned Internet Protocol Numbers), in lower case."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.typed_fields import Reading, text

IP_PROTOCOLS: Final = {
    0: "hopopt",
    1: "icmp",
    2: "igmp",
    3: "ggp",
    4: "ipip",
    5: "st",
    6: "tcp",
    8: "egp",
    9: "igp",
    17: "udp",
    27: "rdp",
    33: "dccp",
    41: "ipv6",
    43: "ipv6-route",
    44: "ipv6-frag",
    46: "rsvp",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "ipv6-icmp",
    59: "ipv6-nonxt",
    60: "ipv6-opts",
    88: "eigrp",
    89: "ospf",
    94: "ipip",
    97: "etherip",
    98: "encap",
    103: "pim",
    108: "ipcomp",
    112: "vrrp",
    115: "l2tp",
    124: "isis",
    132: "sctp",
    133: "fc",
    136: "udplite",
    137: "mpls-in-ip",
}

_BY_TEXT: Final = {str(number): IP_PROTOCOLS.get(number, str(number)) for number in range(256)}


def protocol_name(texts: pl.Series) -> Reading:
    """Protocol numbers as names, those without one as they stand; empty is null, no number from 0 to 255 is bad.

    >>> protocol_name(pl.Series(["6", "253", "tcp", None])).values.to_list()
    ['tcp', '253', None, None]
    """
    values = texts.replace_strict(_BY_TEXT, default=None, return_dtype=pl.String)
    bad = values.is_null() & text(texts).values.is_not_null()
    return Reading(values, bad if bad.any() else None)
