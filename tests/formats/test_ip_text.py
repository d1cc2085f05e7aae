"""What is an address, as Python's own module has it."""

from __future__ import annotations

import ipaddress

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.ip_text import canonical_ip, is_ip

PIECES = st.sampled_from([*"0123456789.:af", "25", "192.0.2.1", "::ffff:", "é", "\0", " ", "%eth0"])
TEXTS = st.none() | st.lists(PIECES, max_size=8).map("".join) | st.ip_addresses().map(str)


def read_slowly(text: str | None) -> str | None:
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) and not address.scope_id else None
    return str(mapped or address)


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=12))
def test_addresses_are_told_and_spelt(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    wanted = [read_slowly(text) for text in texts]
    assert is_ip(column).to_list() == [spelt is not None for spelt in wanted]
    spelt = canonical_ip(column).to_list()
    # The C library writes `::1.2.3.4` where Python writes `::102:304`: the same address.
    assert [text and read_slowly(text) for text in spelt] == wanted
    assert column.to_list() == texts
