"""Requests from many addresses at once that keep the public web site from serving others (T1498)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from livesec.core.schema import LogType
from livesec.simulate.addresses import attack_hosting, internet_visitors
from livesec.simulate.flows import flow_rows
from livesec.simulate.rhythm import SECOND_US
from livesec.simulate.services import WEB
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Wave:
    """Sources, rows of each, mean connections of a row, bytes of a connection, and the length."""

    sources: int
    rows_each: int
    connections: float
    connection_bytes: float
    seconds: int


WAVE: Final = {
    Strength.WEAK: Wave(sources=25, rows_each=3, connections=5.0, connection_bytes=2_500.0, seconds=900),
    Strength.MEDIUM: Wave(sources=100, rows_each=12, connections=150.0, connection_bytes=4_000.0, seconds=600),
    Strength.STRONG: Wave(sources=300, rows_each=15, connections=900.0, connection_bytes=9_000.0, seconds=600),
}


def build(setting: Setting) -> list[Stage]:
    """One stage flooding; its entity is the target, the sources are too many to name."""
    wave, random = WAVE[setting.strength], setting.random
    pool = internet_visitors() if setting.strength is Strength.WEAK else attack_hosting()
    addresses, _ = pool.draw(wave.sources, random)
    size = wave.sources * wave.rows_each
    times = np.sort(setting.at_us + random.integers(wave.seconds * SECOND_US, size=size))
    connections = 1 + random.poisson(wave.connections, size)
    sent = connections * wave.connection_bytes * random.lognormal(0.0, 0.2, size)
    received = connections * 300.0 * random.lognormal(0.0, 0.2, size)
    source = addresses.gather(random.integers(wave.sources, size=size))
    requests = flow_rows(times, source, WEB, 443, "TCP", sent, received, connections)
    return [Stage("flooding", LogType.NETWORK, requests, dst_ip=WEB)]


CAMPAIGN: Final = Campaign(
    name="flood",
    about="requests from many addresses at once against the public web server",
    hours={Strength.WEAK: 0.3, Strength.MEDIUM: 0.2, Strength.STRONG: 0.2},
    build=build,
)
