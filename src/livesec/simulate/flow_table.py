"""Who talks to whom on the demo network: one row per habit, with its rhythm and its volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.simulate import services as net
from livesec.simulate.addresses import internet_sites
from livesec.simulate.people import MARKETING, ROLES, People
from livesec.simulate.randomness import FloatArray, IntArray, generator

OWNER, OFFICE_HOURS, FLAT, NIGHT = range(4)
"""Rhythms: the owner's working day; Europe's office hours; all day; 00:30 to 03:30 UTC."""

NO_OWNER: Final = -1
_FAVOURITE_SITES: Final = 12
_POPULAR_SITES: Final = 160
_QUIC_SHARE: Final = 0.2  # of favourite sites, reached over UDP

_ENGINEERING, _SALES = ROLES.index("engineering"), ROLES.index("sales")


@dataclass(frozen=True, slots=True)
class Habit:
    """One flow that recurs: bytes are medians per connection, spreads are of their logarithm."""

    source: str
    target: str
    port: int
    protocol: str
    rows_per_day: float
    bytes_out: float
    bytes_in: float
    spread: float = 0.8
    more_connections: float = 0.5
    """Mean of the connections that a row reports beyond the first."""
    rhythm: int = OWNER
    owner: int = NO_OWNER


@dataclass(frozen=True)
class FlowTable:
    """The habits as arrays, one element each."""

    source: pl.Series
    target: pl.Series
    protocol: pl.Series
    port: IntArray
    rows_per_day: FloatArray
    bytes_out: FloatArray
    bytes_in: FloatArray
    spread: FloatArray
    more_connections: FloatArray
    rhythm: IntArray
    owner: IntArray


# What a workstation does with servers in a day: target, port, protocol, rows, bytes out, bytes in, further
# connections.
_DESK_HABITS: Final = (
    (net.DNS, 53, "UDP", 46.0, 70.0, 180.0, 4.0),
    (net.DIRECTORY, 88, "TCP", 8.0, 1_600.0, 1_500.0, 0.3),
    (net.DIRECTORY, 389, "TCP", 6.0, 900.0, 4_000.0, 0.3),
    (net.MAIL_STORE, 993, "TCP", 24.0, 3_000.0, 45_000.0, 0.4),
    (net.INTRANET, 443, "TCP", 16.0, 5_000.0, 90_000.0, 2.0),
    (net.PRINTERS[0], 9100, "TCP", 1.5, 900_000.0, 2_000.0, 0.0),
)
_SERVER_HABITS: Final = (
    Habit(net.INTRANET, net.DATABASES[0], 5432, "TCP", 260, 6e3, 4e4, rhythm=OFFICE_HOURS, more_connections=3),
    Habit(net.WEB, net.APPLICATIONS[0], 8080, "TCP", 420, 3e3, 3e4, rhythm=FLAT, more_connections=6),
    Habit(net.MAIL, net.MAIL_STORE, 25, "TCP", 220, 7e4, 1e3, 1.4, rhythm=OFFICE_HOURS),
    Habit(net.BUILD, net.GIT, 22, "TCP", 150, 4e3, 6e5, 1.2, rhythm=OFFICE_HOURS),
    Habit(net.BUILD, net.BUILD_NODES[0], 8443, "TCP", 120, 9e5, 2e5, 1.0, rhythm=OFFICE_HOURS),
    Habit(net.BUILD, net.BUILD_NODES[1], 4444, "TCP", 5, 4e4, 9e4, rhythm=NIGHT),  # the browser test grid's own port
    Habit(net.TRANSFER, net.DATABASES[1], 5432, "TCP", 190, 2e4, 3e5, rhythm=FLAT),
    Habit(net.FILES[0], net.FILES[1], 445, "TCP", 90, 2e6, 1e4, 1.3, rhythm=NIGHT),
    Habit(net.MONITOR, net.GATEWAY, 443, "TCP", 48, 9e2, 4e3, 0.2, rhythm=FLAT),
)


def _desk(user: int, people: People, sites: list[str], random: np.random.Generator) -> list[Habit]:
    """Everything one workstation does: servers, shares, favourite sites, and the tools of its department."""
    here = str(people.workstations[user])
    scale = random.lognormal(0.0, 0.25)
    role = int(people.role[user])

    def habit(target: str, port: int, protocol: str, per_day: float, out: float, received: float, more: float) -> Habit:
        bytes_scale = random.lognormal(0.0, 0.3)
        return Habit(
            here, target, port, protocol, per_day * scale, out * bytes_scale, received * bytes_scale, 0.9,
            more, OWNER, user,
        )  # fmt: skip

    habits = [habit(*row) for row in _DESK_HABITS]
    habits.append(habit(net.FILES[user % 2], 445, "TCP", 22, 6e4, 4e5, 0.8))
    habits.append(habit(net.APPLICATIONS[role], 443, "TCP", 26, 4e3, 6e4, 1.5))
    popularity = 1.0 / np.arange(1, _POPULAR_SITES + 1)
    favourites = random.choice(_POPULAR_SITES, _FAVOURITE_SITES, replace=False, p=popularity / popularity.sum())
    for rank, site in enumerate(favourites.tolist()):
        protocol = "UDP" if random.random() < _QUIC_SHARE else "TCP"
        habits.append(habit(sites[site], 443, protocol, 26.0 / (rank + 1), 6e3, 1.1e5, 2.5))
    if role == _ENGINEERING:
        habits.append(habit(net.GIT, 22, "TCP", 9, 2e4, 3e5, 0.2))
        habits.append(habit(net.APPLICATIONS[20 + user % 4], 22, "TCP", 4, 2e4, 5e4, 0.0))
    if role == _SALES:
        habits.append(habit(sites[3], 3478, "UDP", 3, 4e7, 6e7, 0.0))  # video calls: as much out as in
    if role == MARKETING:
        habits.append(habit(sites[7], 21, "TCP", 1.2, 9e7, 4e3, 0.0))  # clips to an agency: large, external, ordinary
    return habits


def build_flow_table(seed: int, people: People) -> FlowTable:
    """The same table for the same seed and people."""
    random = generator(seed, "flows", len(people))
    sites = internet_sites().draw(_POPULAR_SITES, random)[0].to_list()
    habits = list(_SERVER_HABITS)
    for user in range(len(people)):
        habits.extend(_desk(user, people, sites, random))
    return FlowTable(
        source=pl.Series([h.source for h in habits]),
        target=pl.Series([h.target for h in habits]),
        protocol=pl.Series([h.protocol for h in habits]),
        port=np.array([h.port for h in habits], dtype=np.int64),
        rows_per_day=np.array([h.rows_per_day for h in habits]),
        bytes_out=np.array([h.bytes_out for h in habits]),
        bytes_in=np.array([h.bytes_in for h in habits]),
        spread=np.array([h.spread for h in habits]),
        more_connections=np.array([h.more_connections for h in habits]),
        rhythm=np.array([h.rhythm for h in habits], dtype=np.int64),
        owner=np.array([h.owner for h in habits], dtype=np.int64),
    )
