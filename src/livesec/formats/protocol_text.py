"""Names of protocols, however a log writes them: `TCP`, `6` and `tcp` are one."""

from __future__ import annotations

from typing import Final

import polars as pl

from livesec.formats.ip_protocols import IP_PROTOCOLS
from livesec.formats.typed_fields import Reading, lower_text

_NAMES: Final = {str(number): name for number, name in IP_PROTOCOLS.items()} | {
    "icmpv6": IP_PROTOCOLS[58],
    "icmp6": IP_PROTOCOLS[58],
}


def protocol(texts: pl.Series) -> Reading:
    """Names in lower case, numbers of protocols as names; empty is null.

    >>> protocol(pl.Series(["TCP", "17", "ICMPv6", "253", ""])).values.to_list()
    ['tcp', 'udp', 'ipv6-icmp', '253', None]
    """
    distinct = texts.unique().drop_nulls()
    named = lower_text(distinct).values
    meant = named.replace(_NAMES)
    return Reading(texts.replace_strict(distinct, meant, default=None, return_dtype=pl.String))
