"""Addresses as numbers, so that a network is a span of them and a lookup a binary search.

One uint64 stands for an address: its 32 bits for IPv4, the upper 64 bits for IPv6. The lower half of an IPv6
address is dropped: entities are kept by /64 (core/rows.py), and geography does not get finer. IPv4-mapped
IPv6 addresses become IPv4. The only IPv6 addresses that could be mistaken for IPv4, those of ::/32, are all
reserved and share 2^32.
"""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text

Numbers = NDArray[np.uint64]

IPV4_END: Final = 1 << 32  # numbers below it are IPv4
_INVALID: Final = -1

_DOT, _COLON, _PERCENT, _ZERO, _NINE = ord("."), ord(":"), ord("%"), ord("0"), ord("9")
_IPV4_PARTS, _OCTET_DIGITS, _OCTET_MAX = 4, 3, 255
_GROUPS, _GROUP_DIGITS, _HEX_BASE = 8, 4, 16
_MAPPED_PREFIX = np.uint64(0xFFFF)

# Value of a byte as a hexadecimal digit, 255 where it is none.
_HEX = np.full(256, 255, dtype=np.uint8)
for _digit in "0123456789abcdefABCDEF":
    _HEX[ord(_digit)] = int(_digit, _HEX_BASE)


@inner_kernel
def _parse_ipv4(text: NDArray[np.uint8], at: int, end: int) -> int:
    """The 32 bits of the dotted quad in text[at:end], without leading zeros, or -1."""
    number, octet, digits, parts = 0, 0, 0, 1
    for place in range(at, end):
        byte = int(text[place])
        if byte == _DOT:
            if digits == 0 or parts == _IPV4_PARTS:
                return _INVALID
            number, octet, digits, parts = number * 256 + octet, 0, 0, parts + 1
            continue
        if byte < _ZERO or byte > _NINE or digits == _OCTET_DIGITS or (digits > 0 and octet == 0):
            return _INVALID
        octet, digits = octet * 10 + (byte - _ZERO), digits + 1
        if octet > _OCTET_MAX:
            return _INVALID
    if parts != _IPV4_PARTS or digits == 0:
        return _INVALID
    return number * 256 + octet


@inner_kernel
def _read_group(text: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """(value, end) of the up to four hexadecimal digits at `at`; an end of `at` where there are none."""
    group, stop = 0, min(end, at + _GROUP_DIGITS)
    while at < stop and _HEX[text[at]] < _HEX_BASE:
        group, at = group * _HEX_BASE + int(_HEX[text[at]]), at + 1
    return group, at


@inner_kernel
def _push(upper: np.uint64, lower: np.uint64, group: int) -> tuple[np.uint64, np.uint64]:
    """The 128-bit number (upper, lower) shifted left by a group of 16 bits, `group` put at its end."""
    return (upper << np.uint64(16)) | (lower >> np.uint64(48)), (lower << np.uint64(16)) | np.uint64(group)


@inner_kernel
def _number_of(upper: np.uint64, lower: np.uint64) -> np.uint64:
    if upper == np.uint64(0) and lower >> np.uint64(32) == _MAPPED_PREFIX:
        return np.uint64(lower & np.uint64(IPV4_END - 1))
    return np.uint64(max(upper, np.uint64(IPV4_END)))


@inner_kernel
def _parse_ipv6(text: NDArray[np.uint8], at: int, end: int) -> tuple[bool, np.uint64]:
    """(valid, number) of the IPv6 address in text[at:end], which holds no zone."""
    bad = (False, np.uint64(0))
    upper, lower = np.uint64(0), np.uint64(0)  # groups so far, right-aligned; after "::" only those behind it
    head_upper, head_lower = np.uint64(0), np.uint64(0)  # groups before "::"
    groups, head_groups = 0, -1  # all so far; those before "::", -1 as long as there was none
    if at + 1 < end and text[at] == _COLON and text[at + 1] == _COLON:
        head_groups, at = 0, at + 2
    while at < end:
        group, after = _read_group(text, at, end)
        if after == at or groups == _GROUPS:
            return bad
        if after < end and text[after] == _DOT:
            quad = _parse_ipv4(text, at, end)
            if quad < 0 or groups > _GROUPS - 2:
                return bad
            upper, lower = _push(upper, lower, quad >> 16)
            upper, lower = _push(upper, lower, quad & 0xFFFF)
            groups += 2
            break
        upper, lower = _push(upper, lower, group)
        groups, at = groups + 1, after
        if at == end:
            break
        if text[at] != _COLON or at + 1 == end:
            return bad
        at += 1
        if text[at] == _COLON:
            if head_groups >= 0:
                return bad
            head_groups, head_upper, head_lower = groups, upper, lower
            upper, lower, at = np.uint64(0), np.uint64(0), at + 1
    if (groups != _GROUPS) if head_groups < 0 else (groups >= _GROUPS):
        return bad
    for _ in range(_GROUPS - head_groups if head_groups > 0 else 0):
        head_upper, head_lower = _push(head_upper, head_lower, 0)
    return True, _number_of(upper | head_upper, lower | head_lower)


@kernel
def _parse_all(text: NDArray[np.uint8], bounds: NDArray[np.int64], numbers: Numbers, valid: NDArray[np.bool_]) -> None:
    for row in range(len(numbers)):
        start, end = bounds[row], bounds[row + 1]
        quad = _parse_ipv4(text, start, end)
        if quad >= 0:
            valid[row], numbers[row] = True, np.uint64(quad)
        else:
            zone = start
            while zone < end and text[zone] != _PERCENT:
                zone += 1
            valid[row], numbers[row] = _parse_ipv6(text, start, zone)


def address_numbers(addresses: pl.Series) -> tuple[Numbers, NDArray[np.bool_]]:
    """(numbers, valid), each of shape (n,), of a String column; where the text is no address, valid is False.

    Accepts what `ipaddress.ip_address` accepts, in any case of the digits, with any zone (fe80::1%eth0).

    >>> numbers, valid = address_numbers(pl.Series(["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "root"]))
    >>> [hex(number) for number in numbers], valid.tolist()
    (['0xc0000201', '0x20010db800000000', '0xc0000201', '0x0'], [True, True, True, False])
    """
    text, bounds = arrow_text(addresses)
    numbers, valid = np.zeros(len(addresses), dtype=np.uint64), np.zeros(len(addresses), dtype=np.bool_)
    _parse_all(text, bounds, numbers, valid)
    return numbers, valid


def network_span(cidr: str) -> tuple[int, int]:
    """First and last number of a network; one smaller than an IPv6 /64 gives the whole /64.

    Raises ValueError where `cidr` is no network or has bits set beyond its length.

    >>> network_span("192.0.2.0/24") == (0xC0000200, 0xC00002FF)
    True
    >>> network_span("2001:db8::/32") == (0x20010DB8_00000000, 0x20010DB8_FFFFFFFF)
    True
    """
    network = ip_network(cidr)
    first, last = int(network.network_address), int(network.broadcast_address)
    if isinstance(network, IPv4Network):
        return first, last
    mapped = 0xFFFF << 32
    if mapped <= first and last < mapped + IPV4_END:
        return first - mapped, last - mapped
    return max(first >> 64, IPV4_END), max(last >> 64, IPV4_END)
