"""Which texts are IP addresses, and how an address is spelt."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import kernel
from livesec.core.text_views import arrow_text

_ZERO, _NINE, _POINT = b"09."
_NUMBERS, _MOST_DIGITS, _LARGEST = 4, 3, 255
_MAPPED: Final = bytes(10) + b"\xff\xff"
"""What an IPv4 address written as IPv6 starts with."""


def is_ip(texts: pl.Series) -> pl.Series:
    """Where `texts` (String) are IPv4 or IPv6 addresses, also with a zone; False where they are null.

    >>> is_ip(pl.Series(["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "example.org", "1.2.3", None])).to_list()
    [True, True, True, False, False, False]
    """
    others = texts.gather(_not_ipv4(texts)).unique().drop_nulls()
    known = texts.is_not_null()
    no_ip = [text for text in others.to_list() if _spelt(text) is None]
    return known & ~texts.is_in(no_ip).fill_null(False) if no_ip else known


def canonical_ip(texts: pl.Series) -> pl.Series:
    """Addresses each in one spelling, null for what is none: IPv6 shortened as RFC 5952 says, IPv4 in IPv6 as IPv4.

    >>> texts = pl.Series(["192.0.2.1", "2001:0DB8:0000:0000:0000:0000:0000:0001", "::ffff:192.0.2.1", "gateway", None])
    >>> canonical_ip(texts).to_list()
    ['192.0.2.1', '2001:db8::1', '192.0.2.1', None, None]
    """
    places = _not_ipv4(texts)
    if len(places) == 0:
        return texts
    others = texts.gather(places)
    distinct = others.unique().drop_nulls()
    spelt = pl.Series([_spelt(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.clone().scatter(places, others.replace(distinct, spelt)) if len(distinct) else texts


def _not_ipv4(texts: pl.Series) -> NDArray[np.int64]:
    """Where `texts` are no IPv4 addresses."""
    data, bounds = arrow_text(texts)
    found = np.empty(len(texts), dtype=np.bool_)
    _mark_ipv4(data, bounds, found)
    return np.flatnonzero(~found)


@kernel
def _mark_ipv4(data: NDArray[np.uint8], bounds: NDArray[np.int64], out: NDArray[np.bool_]) -> None:
    """Which texts are four numbers of 0 to 255 with points between them, without needless zeros."""
    for row in range(len(out)):
        at, end = bounds[row], bounds[row + 1]
        numbers = 0
        while numbers < _NUMBERS:
            first, value = at, 0
            while at < end and at < first + _MOST_DIGITS and _ZERO <= data[at] <= _NINE:
                value = value * 10 + int(data[at]) - _ZERO
                at += 1
            if at == first or value > _LARGEST or (data[first] == _ZERO and at > first + 1):
                break
            numbers += 1
            if numbers < _NUMBERS:
                if at == end or data[at] != _POINT:
                    break
                at += 1
        out[row] = numbers == _NUMBERS and at == end


def _spelt(text: str) -> str | None:
    """By the C library, ten times as fast as `ipaddress`, which alone knows zones."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return _with_zone(text) if "%" in text else None
    if packed.startswith(_MAPPED):
        return socket.inet_ntop(socket.AF_INET, packed[len(_MAPPED) :])
    return socket.inet_ntop(socket.AF_INET6, packed)


def _with_zone(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None
