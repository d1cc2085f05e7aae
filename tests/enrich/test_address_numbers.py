"""The compiled parser against the standard library's."""

from __future__ import annotations

import ipaddress

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.rows import network_64
from livesec.enrich.address_numbers import IPV4_END, address_numbers, network_span


def number_by_library(text: str) -> int | None:
    """The readable twin; None where the text is no address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0] if ":" in text else text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return int(address)
    if address.ipv4_mapped is not None:
        return int(address.ipv4_mapped)
    return max(int(address) >> 64, IPV4_END)


def number_of(text: str) -> int | None:
    numbers, valid = address_numbers(pl.Series([text], dtype=pl.String))
    return int(numbers[0]) if valid[0] else None


ipv6_like = st.text(alphabet="0123456789abcdefABCDEF:.%g", max_size=45)
ipv4_like = st.text(alphabet="0123456789.", max_size=17)
dotted = st.lists(st.integers(0, 300), min_size=3, max_size=5).map(lambda parts: ".".join(map(str, parts)))
grouped = st.lists(st.sampled_from(["", "0", "1", "ffff", "12345", "a:b", "1.2.3.4"]), max_size=10).map(":".join)
any_text = st.one_of(
    st.ip_addresses().map(str), st.ip_addresses(v=6).map(lambda address: address.exploded), dotted, grouped
)


@settings(deadline=None, max_examples=examples(400))
@given(st.one_of(any_text, ipv6_like, ipv4_like, st.text(max_size=12)))
@example("::")
@example("::1")
@example("1::")
@example("1:2:3:4:5:6:7::")
@example("::2:3:4:5:6:7:8")
@example("1:2:3:4:5:6:7:8::")
@example("::ffff:192.0.2.1")
@example("::ffff:c000:201")
@example("64:ff9b::192.0.2.33")
@example("1:2:3:4:5:6:7:1.2.3.4")
@example("fe80::1%eth0")
@example("192.0.2.1%eth0")
@example("01.2.3.4")
@example("1.2.3.4 ")
@example(":1")
@example("1:")
@example(":::")
@example("\u0661.\u0662.\u0663.\u0664")  # Arabic-Indic digits
def test_agrees_with_ipaddress(text: str) -> None:
    assert number_of(text) == number_by_library(text)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), any_text), max_size=6))
def test_each_row_stands_alone(texts: list[str | None]) -> None:
    numbers, valid = address_numbers(pl.Series(texts, dtype=pl.String))
    alone = [None if text is None else number_of(text) for text in texts]
    assert [int(number) if ok else None for number, ok in zip(numbers, valid, strict=True)] == alone


@settings(deadline=None)
@given(st.ip_addresses(v=6).map(str))
def test_an_address_and_its_entity_have_one_number(address: str) -> None:
    entity = network_64(address)
    assert number_of(address) == number_of(entity.partition("/")[0])


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.0.0.0/8", 10 << 24, (11 << 24) - 1),
        ("192.0.2.7/32", 0xC0000207, 0xC0000207),
        ("2001:db8:4::/48", 0x20010DB800040000, 0x20010DB80004FFFF),
        ("2001:db8::8/125", 0x20010DB800000000, 0x20010DB800000000),
        ("::ffff:192.0.2.0/120", 0xC0000200, 0xC00002FF),
        ("::1/128", IPV4_END, IPV4_END),
        ("::/0", IPV4_END, (1 << 64) - 1),
    ],
)
def test_network_spans(cidr: str, first: int, last: int) -> None:
    assert network_span(cidr) == (first, last)


@pytest.mark.parametrize("cidr", ["192.0.2.1/24", "192.0.2.0/33", "home", ""])
def test_what_is_no_network_is_refused(cidr: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        network_span(cidr)
