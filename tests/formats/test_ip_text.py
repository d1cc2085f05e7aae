"""Addresses, told in a compiled pass, against an expression and Python's own reader."""

from __future__ import annotations

import ipaddress
import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.ip_text import canonical_ip, is_ip

BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
NUMBERS = st.sampled_from(
    ["0", "00", "01", "7", "99", "100", "249", "255", "256", "260", "1000", "", "-1", "x", "\0", "é"]
)
TEXTS = st.lists(
    st.none()
    | st.text(max_size=8)
    | st.lists(NUMBERS, max_size=5).map(".".join)
    | st.sampled_from(
        ["::", "2001:DB8::0001", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.1 ", "192.0.2.1%1", "1.2.3.4:5"]
    ),
    max_size=12,
)


def spelt(text: str | None) -> str | None:
    """`text` in one spelling, None where it is no address."""
    if text is None or re.fullmatch(rf"{BYTE}(?:\.{BYTE}){{3}}", text):
        return text
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    mapped = None if address.scope_id else address.ipv4_mapped
    return str(mapped or address)


@settings(deadline=None, max_examples=examples(300))
@given(TEXTS)
def test_addresses_are_spelt_as_python_spells_them(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)
    wanted = [spelt(text) for text in texts]
    assert canonical_ip(column).to_list() == wanted
    assert is_ip(column).to_list() == [address is not None for address in wanted]
