"""Traffic that runs by the clock: heartbeats, backups, updates, and the organisation's own port scanner.

These are the honest twins of attacks: a heartbeat is as regular as a beacon, a backup as large as an
exfiltration, an authorised scan touches as many ports as a hostile one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.core.documentation_networks import networks_of
from livesec.core.schema import LogType
from livesec.simulate import services as net
from livesec.simulate.addresses import address_in
from livesec.simulate.dayplan import DayPlan
from livesec.simulate.frames import rows
from livesec.simulate.randomness import FloatArray, IntArray, chance, hashed_uniform
from livesec.simulate.rhythm import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SATURDAY,
    SECOND_US,
    SUNDAY,
    TUESDAY,
    periodic_times,
    weekday_of,
)

_SCANNED_PORTS: Final[IntArray] = np.array(
    [21, 22, 23, 25, 80, 88, 135, 389, 443, 445, 1433, 3306, 3389, 5432, 8080, 9100]
)
_MIRROR: Final = address_in(networks_of("DE", "hosting")[1].cidr, 80)
_UPDATES: Final = address_in(networks_of("US", "hosting")[2].cidr, 17)
_OFFSITE: Final = address_in(networks_of("NL", "hosting")[1].cidr, 200)
_TELEMETRY: Final = tuple(address_in(networks_of(iso, "hosting")[0].cidr, 33) for iso in ("US", "GB", "FR", "SG"))
_CLOCK: Final = address_in(networks_of("DE", "business")[1].cidr, 123)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A message at a fixed period."""

    source: str
    target: str
    port: int
    protocol: str
    period_s: float
    jitter_s: float
    bytes_out: float
    bytes_in: float


_HEARTBEATS: Final = (
    *(
        Heartbeat(net.MONITOR, host, 9100, "TCP", 900, 2, 300, 18_000)
        for host in net.SERVERS[:16]
        if host != net.MONITOR
    ),
    *(Heartbeat(host, _CLOCK, 123, "UDP", 1024, 8, 76, 76) for host in (net.DNS, net.DIRECTORY)),
    Heartbeat(net.BUILD, _TELEMETRY[0], 443, "TCP", 300, 4, 900, 400),
    Heartbeat(net.WEB, _TELEMETRY[1], 443, "TCP", 600, 15, 2_200, 600),
    Heartbeat(net.GATEWAY, _TELEMETRY[2], 8443, "TCP", 1800, 1, 512, 256),
    Heartbeat(net.TRANSFER, _TELEMETRY[3], 443, "TCP", 3600, 30, 60_000, 2_000),
)


def _flow(
    times: IntArray, source: str | pl.Series, target: str | pl.Series, port: int | IntArray, sent: FloatArray,
    received: FloatArray, protocol: str = "TCP",
) -> pl.DataFrame:  # fmt: skip
    return rows(
        LogType.NETWORK,
        times,
        source_ip=source,
        dest_ip=target,
        port=port,
        protocol=protocol,
        bytes_sent=sent.astype(np.int64),
        bytes_received=received.astype(np.int64),
        connections=1,
    )


def housekeeping_of_day(plan: DayPlan, random: np.random.Generator) -> list[pl.DataFrame]:
    """Frames of network rows, as many at any rate."""
    frames = [*_heartbeats(plan.day, random), *_backups(plan.day, random), _desk_agents(plan, random)]
    if weekday_of(plan.day) == SUNDAY:
        frames.append(_authorised_scan(plan.day, random))
    frames.append(_updates(plan, random))
    return frames


def _heartbeats(day: int, random: np.random.Generator) -> list[pl.DataFrame]:
    frames: list[pl.DataFrame] = []
    for number, beat in enumerate(_HEARTBEATS):
        times = periodic_times(day, beat.period_s, beat.jitter_s, 61.0 * number, random)
        noise = random.normal(1.0, 0.04, size=(2, len(times)))
        sent, received = beat.bytes_out * noise[0], beat.bytes_in * noise[1]
        frames.append(_flow(times, beat.source, beat.target, beat.port, sent, received, beat.protocol))
    return frames


def _desk_agents(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """The management agent of each workstation reports every twenty minutes while it is on."""
    users = np.flatnonzero(plan.present)
    beats = 27
    who = np.repeat(users, beats)
    step = np.tile(np.arange(beats), len(users))
    times = plan.start_us[who] + (step * 20 * MINUTE_US) + random.integers(-5 * SECOND_US, 5 * SECOND_US, len(who))
    on = times < plan.end_us[who]
    who, times = who[on], times[on]
    sent = random.normal(1_400, 90, len(who))
    sources = plan.world.people.workstations.gather(who)
    return _flow(times, sources, net.INTRANET, 8530, np.maximum(sent, 900), np.full(len(who), 700.0))


def _backups(day: int, random: np.random.Generator) -> list[pl.DataFrame]:
    """Every night each data server to the backup host; on Saturdays the week to a provider abroad."""
    sources = (*net.FILES, *net.DATABASES, net.GIT, net.MAIL_STORE)
    order = np.arange(len(sources))
    jitter = random.integers(4 * MINUTE_US, size=len(sources))
    times = day * DAY_US + HOUR_US + order * 25 * MINUTE_US + jitter
    usual = 2e9 + 6e9 * hashed_uniform(0, "backup bytes", order)
    sent = usual * random.normal(1.0, 0.03, len(sources))
    frames = [_flow(times, pl.Series(sources), net.BACKUP, 8000, sent, sent * 2e-4)]
    if weekday_of(day) == SATURDAY:
        pieces = np.arange(24)
        times = day * DAY_US + 4 * HOUR_US + pieces * 5 * MINUTE_US
        sent = np.full(len(pieces), 1.5e9) * random.normal(1.0, 0.01, len(pieces))
        frames.append(_flow(times, net.BACKUP, _OFFSITE, 443, sent, sent * 1e-4))
    return frames


def _updates(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """Software updates: large downloads by everyone on Tuesdays, by a few on other days."""
    share = 0.9 if weekday_of(plan.day) == TUESDAY else 0.06
    users = np.flatnonzero(plan.present & chance(random, share, len(plan.present)))
    times = plan.start_us[users] + random.integers(5 * HOUR_US, size=len(users))
    received = random.lognormal(np.log(2.5e8), 0.6, len(users))
    target = pl.Series([_UPDATES, _MIRROR]).gather(random.integers(2, size=len(users)))
    return _flow(times, plan.world.people.workstations.gather(users), target, 443, received * 0.004, received)


def _authorised_scan(day: int, random: np.random.Generator) -> pl.DataFrame:
    """The security team's weekly look at its own servers, Sundays at three."""
    servers = pl.Series(net.SERVERS)
    pairs = np.arange(len(servers) * len(_SCANNED_PORTS))
    server, port = np.divmod(pairs, len(_SCANNED_PORTS))
    gaps = random.integers(SECOND_US // 4, 2 * SECOND_US, size=len(pairs))
    times = day * DAY_US + 3 * HOUR_US + np.cumsum(gaps)
    answered = chance(random, 0.25, len(pairs))
    sent = np.full(len(pairs), 60.0)
    received = np.where(answered, 800.0, 0.0)
    return _flow(times, net.SCANNER, servers.gather(server), _SCANNED_PORTS[port], sent, received)
