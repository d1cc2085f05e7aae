"""Addresses that belong to nobody, given invented countries and networks for the demo world and the fixtures.

The demo and the tests need addresses with a country and an autonomous system, and must never name a real
organisation. The ranges used here are reserved and never routed: 198.18.0.0/15 (RFC 2544, benchmarking), the
three TEST-NETs (RFC 5737) and 2001:db8::/32 (RFC 3849). AS numbers come from the documentation ranges (RFC
5398) and the private-use range (RFC 6996); AS names are invented. Which block lies in which country is
invented too, but fixed: labels and fixtures rely on it, so do not reorder the tables below.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final, Literal, get_args

Kind = Literal["residential", "mobile", "hosting", "business"]
"""What a network is used for, which decides who connects from it."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class DocumentationNetwork:
    """A reserved block and its invented place: `country` is ISO 3166-1 alpha-2, `asn` a reserved number."""

    cidr: str
    country: str
    country_name: str
    asn: int
    as_name: str
    kind: Kind


# "code share English name": each share is one /24 of each kind. The shares add up to 128, that is 512 blocks,
# all of 198.18.0.0/15. More blocks for countries with more users or more attacks in public statistics.
_COUNTRY_TABLE: Final = """
US 16 United States, DE 8 Germany, GB 8 United Kingdom, FR 6 France, IN 8 India, RU 6 Russia, CN 8 China,
BR 6 Brazil, JP 4 Japan, NL 4 Netherlands, CA 3 Canada, AU 3 Australia, ES 3 Spain, IT 3 Italy, PL 3 Poland,
KR 2 South Korea, UA 2 Ukraine, SE 2 Sweden, TR 2 Turkey, MX 2 Mexico, ZA 2 South Africa, VN 2 Vietnam,
ID 2 Indonesia, SG 1 Singapore, HK 1 Hong Kong, TW 1 Taiwan, IR 1 Iran, KP 1 North Korea, IL 1 Israel,
AE 1 United Arab Emirates, SA 1 Saudi Arabia, EG 1 Egypt, NG 1 Nigeria, KE 1 Kenya, AR 1 Argentina,
CL 1 Chile, CO 1 Colombia, CH 1 Switzerland, AT 1 Austria, BE 1 Belgium, NO 1 Norway, FI 1 Finland,
DK 1 Denmark, PT 1 Portugal, RO 1 Romania, CZ 1 Czechia
"""

# "country kind" for a /26 each, in address order: 192.0.2.0, 192.0.2.64, ... 203.0.113.192. The first
# TEST-NET is where users live, the second where attacks come from, the third is mixed.
_TEST_NET_TABLE: Final = """
US residential, GB residential, DE residential, FR residential, RU hosting, CN hosting, BR hosting,
NL hosting, JP business, AU mobile, IN residential, ZA mobile
"""

# "country kind" for a /48 each: 2001:db8:0::/48, 2001:db8:1::/48, ...
_IPV6_TABLE: Final = """
US residential, DE residential, GB mobile, FR residential, RU hosting, CN hosting, JP business, AU mobile
"""

_FIRST_PRIVATE_ASN: Final = 64512  # RFC 6996; used for 198.18.0.0/15
_FIRST_DOCUMENTATION_ASN: Final = 64496  # RFC 5398, 16 numbers; used for the TEST-NETs
_FIRST_DOCUMENTATION_ASN_32BIT: Final = 65536  # RFC 5398, 16 numbers; used for 2001:db8::/32
_SHARES_PER_AS: Final = 4  # so a large country has several providers of a kind

_STEM_STARTS: Final = ("Quil", "Bram", "Tess", "Orv", "Lum", "Kest", "Vand", "Mir")
_STEM_ENDS: Final = ("vera", "ola", "ington", "ique", "adon", "ette", "axis")
_KIND_WORDS: Final[dict[Kind, str]] = {
    "residential": "Broadband",
    "mobile": "Mobile",
    "hosting": "Hosting",
    "business": "Networks",
}


def _entries(table: str, fields: int) -> list[list[str]]:
    """Split one of the tables above into entries of `fields` words, the last of which may contain spaces."""
    return [entry.split(maxsplit=fields - 1) for entry in " ".join(table.split()).split(",")]


_COUNTRIES: Final = [(entry[0], int(entry[1]), entry[2]) for entry in _entries(_COUNTRY_TABLE, 3)]
_NAME_BY_CODE: Final = {code: name for code, _, name in _COUNTRIES}
_KIND_BY_NAME: Final[dict[str, Kind]] = {kind: kind for kind in KINDS}


def _as_name(company: int, kind: Kind, code: str) -> str:
    start = _STEM_STARTS[company % len(_STEM_STARTS)]
    end = _STEM_ENDS[company // len(_STEM_STARTS) % len(_STEM_ENDS)]
    return f"{start}{end} {_KIND_WORDS[kind]} {code}"


def _demo_networks() -> tuple[DocumentationNetwork, ...]:
    """Cut 198.18.0.0/15 into 512 /24 blocks: country after country, the kinds taking turns."""
    networks: list[DocumentationNetwork] = []
    first_block = int(IPv4Address("198.18.0.0"))
    companies = 0
    for code, share, name in _COUNTRIES:
        for turn in range(share):
            company = companies + turn // _SHARES_PER_AS
            for position, kind in enumerate(KINDS):
                cidr = f"{IPv4Address(first_block + 256 * len(networks))}/24"
                asn = _FIRST_PRIVATE_ASN + len(KINDS) * company + position
                networks.append(DocumentationNetwork(cidr, code, name, asn, _as_name(company, kind, code), kind))
        companies += -(-share // _SHARES_PER_AS)
    return tuple(networks)


def _fixture_networks() -> tuple[DocumentationNetwork, ...]:
    """Give each quarter of the TEST-NETs and the first /48 blocks of 2001:db8::/32 its own country and AS."""
    quarters = [f"{net}.{64 * number}/26" for net in ("192.0.2", "198.51.100", "203.0.113") for number in range(4)]
    ipv6_entries = _entries(_IPV6_TABLE, 2)
    ipv6_blocks = ["2001:db8::/48"] + [f"2001:db8:{number:x}::/48" for number in range(1, len(ipv6_entries))]
    places = [
        (first_asn + number, cidr, code, _KIND_BY_NAME[kind])
        for first_asn, cidrs, entries in (
            (_FIRST_DOCUMENTATION_ASN, quarters, _entries(_TEST_NET_TABLE, 2)),
            (_FIRST_DOCUMENTATION_ASN_32BIT, ipv6_blocks, ipv6_entries),
        )
        for number, (cidr, (code, kind)) in enumerate(zip(cidrs, entries, strict=True))
    ]
    return tuple(
        DocumentationNetwork(cidr, code, _NAME_BY_CODE[code], asn, _as_name(number, kind, code), kind)
        for number, (asn, cidr, code, kind) in enumerate(places)
    )


DEMO_NETWORKS: Final[tuple[DocumentationNetwork, ...]] = _demo_networks()
"""The 512 /24 blocks of 198.18.0.0/15, in address order."""

FIXTURE_NETWORKS: Final[tuple[DocumentationNetwork, ...]] = _fixture_networks()
"""The TEST-NETs in /26 quarters, then 2001:db8:0::/48 to 2001:db8:7::/48."""

NETWORKS: Final[tuple[DocumentationNetwork, ...]] = DEMO_NETWORKS + FIXTURE_NETWORKS
"""All blocks with a place; they do not overlap."""


def networks_of(country: str, kind: Kind | None = None) -> tuple[DocumentationNetwork, ...]:
    """Return the demo blocks of a country, in address order; every one is an IPv4 /24.

    `country` is an ISO code or an English name, in any case. Each country here has at least one block of each
    kind. Raises ValueError, naming the countries there are, for any other.

    >>> [network.cidr for network in networks_of("North Korea")]
    ['198.19.180.0/24', '198.19.181.0/24', '198.19.182.0/24', '198.19.183.0/24']
    >>> networks_of("us", "hosting")[0].cidr
    '198.18.2.0/24'
    """
    wanted = country.strip().casefold()
    found = [n for n in DEMO_NETWORKS if wanted in (n.country.casefold(), n.country_name.casefold())]
    if not found:
        known = ", ".join(sorted(_NAME_BY_CODE.values()))
        raise ValueError(f"no documentation network in {country!r}; there are some in: {known}")
    return tuple(n for n in found if kind is None or n.kind == kind)
