"""Who works in the demo organisation, where, when and how."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from faker import Faker

from livesec.core.documentation_networks import networks_of
from livesec.simulate.addresses import ipv6_networks
from livesec.simulate.agents import laptop_agent, phone_agent
from livesec.simulate.places import PLACE_OF, PLACES
from livesec.simulate.randomness import BoolArray, FloatArray, IntArray, chance, generator

ROLES: Final = ("engineering", "sales", "finance", "hr", "marketing", "operations", "support")
_ROLE_SHARES: Final = (0.30, 0.18, 0.12, 0.07, 0.13, 0.12, 0.08)
FINANCE, MARKETING = ROLES.index("finance"), ROLES.index("marketing")
OPERATIONS, SUPPORT = ROLES.index("operations"), ROLES.index("support")

_HOME_SHARES: Final = {
    "DE": 0.34, "GB": 0.13, "US": 0.19, "IN": 0.10, "FR": 0.05, "PL": 0.06, "BR": 0.05, "JP": 0.05,
    "AU": 0.03,
}  # fmt: skip
INTERNAL_OFFICES: Final = {"DE": 20, "US": 30, "IN": 40}
"""Offices with a network of their own, 10.<number>.0.0/16; elsewhere people share one branch address."""
_ELSEWHERE_NET: Final = 50
_IPV6_HOME_SHARE: Final = 0.15  # of people in countries that have such a documentation network
_IPV6_MOBILE_SHARE: Final = 0.3
_NIGHT_SHARE: Final = 0.4  # of operations and support
_WEEKEND_SHARE: Final = 0.35  # of support
_TRAVELLER_SHARE: Final = 0.1
_RELAY_SHARE: Final = 0.05
_DESKS_PER_SUBNET: Final = 200

# What the transliteration by Unicode decomposition leaves over.
_LETTERS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ø": "oe", "æ": "ae"})


@dataclass(frozen=True)
class People:
    """One element per user in every array; hours are local time at `home`."""

    usernames: pl.Series
    role: IntArray
    """Index in ROLES."""
    home: IntArray
    """Index in PLACES, where the user lives."""
    office: IntArray
    """Index in PLACES, where the user's office is; another country for the border commuter."""
    start_h: FloatArray
    length_h: FloatArray
    weekend_shift: BoolArray
    """Works Wednesday to Sunday."""
    night_shift: BoolArray
    traveller: BoolArray
    office_share: FloatArray
    logins_per_day: FloatArray
    transfers_per_day: FloatArray
    mistype_share: FloatArray
    relay_share: FloatArray
    """Share of logins from home that come through a private VPN in a neighbouring country."""
    laptop_agents: pl.Series
    phone_agents: pl.Series
    workstations: pl.Series
    """Internal address of each user's computer."""
    home_blocks: tuple[str, ...]
    mobile_blocks: tuple[str, ...]
    relay_blocks: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.role)


def account_name(first: str, last: str) -> str:
    """The user name of a person, in plain letters.

    >>> account_name("Jürgen", "Müller-Weiß")
    'juergen.mueller-weiss'
    """
    parts = (
        unicodedata.normalize("NFKD", part.lower().translate(_LETTERS))
        for part in (first.split(maxsplit=1)[0], last.rsplit(maxsplit=1)[-1])
    )
    return ".".join("".join(c for c in part if c.isascii() and (c.isalpha() or c == "-")) for part in parts)


def _names(homes: IntArray, seed: int) -> tuple[list[str], list[str], list[str]]:
    """User names (unique), laptop agents and phone agents, one per user."""
    fakers: dict[int, Faker] = {}
    usernames: list[str] = []
    laptops: list[str] = []
    phones: list[str] = []
    taken: dict[str, int] = {}
    for home in homes.tolist():
        if home not in fakers:
            fakers[home] = Faker(PLACES[home].locale)
            fakers[home].seed_instance(seed * len(PLACES) + home)
        fake = fakers[home]
        romanised = PLACES[home].locale == "ja_JP"
        first = fake.first_romanized_name() if romanised else fake.first_name()
        name = account_name(first, fake.last_romanized_name() if romanised else fake.last_name())
        taken[name] = taken.get(name, 0) + 1
        usernames.append(name if taken[name] == 1 else f"{name}{taken[name]}")
        laptops.append(laptop_agent(fake))
        phones.append(phone_agent(fake))
    return usernames, laptops, phones


def _workstations(office: IntArray) -> list[str]:
    desks: dict[int, int] = {}
    addresses: list[str] = []
    for place in office.tolist():
        net = INTERNAL_OFFICES.get(PLACES[place].iso, _ELSEWHERE_NET)
        desk = desks.get(net, 0)
        desks[net] = desk + 1
        addresses.append(f"10.{net}.{desk // _DESKS_PER_SUBNET}.{20 + desk % _DESKS_PER_SUBNET}")
    return addresses


def _home_block(iso: str, random: np.random.Generator) -> str:
    with_ipv6 = random.random() < _IPV6_HOME_SHARE
    networks = (ipv6_networks(iso, "residential") if with_ipv6 else ()) or networks_of(iso, "residential")
    return networks[random.integers(len(networks))].cidr


def _mobile_block(iso: str, random: np.random.Generator) -> str:
    with_ipv6 = random.random() < _IPV6_MOBILE_SHARE
    networks = (ipv6_networks(iso, "mobile") if with_ipv6 else ()) or networks_of(iso, "mobile")
    return networks[random.integers(len(networks))].cidr


def build_people(seed: int, users: int) -> People:
    """The same organisation for the same seed and number of users."""
    random = generator(seed, "people", users)
    home = random.choice(
        np.array([PLACE_OF[iso] for iso in _HOME_SHARES]), size=users, p=np.array(list(_HOME_SHARES.values()))
    ).astype(np.int64)
    home[:3] = PLACE_OF["DE"], PLACE_OF["US"], PLACE_OF["PL"]  # whoever is drawn, these homes exist
    office = home.copy()
    office[2] = PLACE_OF["DE"]  # lives across the border: two countries on most working days
    role = random.choice(len(ROLES), size=users, p=_ROLE_SHARES).astype(np.int64)
    night = chance(random, _NIGHT_SHARE, users) & ((role == SUPPORT) | (role == OPERATIONS))
    office_share = random.choice([0.0, 0.4, 0.6, 0.9], size=users, p=[0.15, 0.3, 0.35, 0.2])
    office_share[2] = 0.6
    traveller = chance(random, _TRAVELLER_SHARE, users)
    traveller[:2] = True
    usernames, laptops, phones = _names(home, seed)
    isos = [PLACES[place].iso for place in home.tolist()]
    neighbours = {"DE": "NL", "GB": "NL", "FR": "BE", "PL": "CZ"}
    relays = [networks_of(neighbours.get(iso, iso), "hosting")[0].cidr for iso in isos]
    return People(
        usernames=pl.Series(usernames),
        role=role,
        home=home,
        office=office,
        start_h=np.where(night, 22.0, np.clip(random.normal(8.4, 0.8, users), 6.5, 10.5)),
        length_h=np.clip(random.normal(8.7, 0.6, users), 6.0, 10.5),
        weekend_shift=chance(random, _WEEKEND_SHARE, users) & (role == SUPPORT),
        night_shift=night,
        traveller=traveller,
        office_share=office_share,
        logins_per_day=random.lognormal(np.log(24.0), 0.35, users),
        transfers_per_day=random.lognormal(np.log(46.0), 0.55, users),
        mistype_share=np.clip(random.beta(2, 60, users), 0.004, 0.12),
        relay_share=np.where(chance(random, _RELAY_SHARE, users), 0.25, 0.0),
        laptop_agents=pl.Series(laptops),
        phone_agents=pl.Series(phones),
        workstations=pl.Series(_workstations(office)),
        home_blocks=tuple(_home_block(iso, random) for iso in isos),
        mobile_blocks=tuple(_mobile_block(iso, random) for iso in isos),
        relay_blocks=tuple(relays),
    )
