"""Looking for open doors: many ports of one host, and one port of many hosts (T1046)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.addresses import attack_hosting
from livesec.simulate.flows import flow_rows
from livesec.simulate.randomness import IntArray, chance
from livesec.simulate.services import APPLICATIONS, GATEWAY, SERVERS
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Sweep:
    """How many ports of one host and how many hosts at one port, and the gap between two knocks."""

    ports: int
    port_gap_s: float
    hosts: int
    host_gap_s: float
    from_outside: bool


SWEEP: Final = {
    Strength.WEAK: Sweep(ports=11, port_gap_s=500.0, hosts=14, host_gap_s=800.0, from_outside=False),
    Strength.MEDIUM: Sweep(ports=180, port_gap_s=2.0, hosts=60, host_gap_s=4.0, from_outside=True),
    Strength.STRONG: Sweep(ports=2_000, port_gap_s=0.1, hosts=250, host_gap_s=0.25, from_outside=True),
}
_FIRST_PORTS: Final[IntArray] = np.array(
    [22, 80, 443, 445, 3389, 21, 23, 25, 53, 110, 139, 143, 1433, 3306, 5432, 5900, 8080]
)
_SHARE_PORT: Final = 445


def _ports(count: int, random: np.random.Generator) -> IntArray:
    """The favourites first, then others in no order; none twice."""
    others = random.permutation(np.setdiff1d(np.arange(1, 10_000), _FIRST_PORTS))
    return np.concatenate([_FIRST_PORTS, others])[:count]


def _hosts(count: int) -> pl.Series:
    """Servers that exist, then addresses around them that mostly do not."""
    rest = (f"10.10.{2 + number // 250}.{1 + number % 250}" for number in range(count))
    return pl.Series([*SERVERS, *rest][:count])


def _knocks(
    times: IntArray, source: str, target: str | pl.Series, port: int | IntArray, random: np.random.Generator
) -> pl.DataFrame:
    """Rows of a few bytes, one in eight answered."""
    answered = chance(random, 0.125, len(times))
    return flow_rows(times, source, target, port, "TCP", np.full(len(times), 60.0), np.where(answered, 60.0, 0.0))


def build(setting: Setting) -> list[Stage]:
    """Stages vertical (one source, one target) and horizontal (one source, one port, many targets)."""
    sweep, insider = SWEEP[setting.strength], setting.someone_at_work()
    if sweep.from_outside:
        outside, target = attack_hosting().draw_one(setting.random)[0], GATEWAY
    else:
        outside, target = insider.workstation, APPLICATIONS[5]
    knocks = setting.times(sweep.ports, sweep.port_gap_s)
    sweeps = setting.times(sweep.hosts, sweep.host_gap_s, after_us=int(knocks[-1]))
    ports = _ports(sweep.ports, setting.random)
    return [
        Stage(
            "vertical",
            LogType.NETWORK,
            _knocks(knocks, outside, target, ports, setting.random),
            src_ip=outside,
            dst_ip=target,
        ),
        Stage(
            "horizontal",
            LogType.NETWORK,
            _knocks(sweeps, insider.workstation, _hosts(sweep.hosts), _SHARE_PORT, setting.random),
            src_ip=insider.workstation,
        ),
    ]


CAMPAIGN: Final = Campaign(
    name="scan",
    about="many ports of one host from outside, then one port of many hosts from a workstation",
    hours={Strength.WEAK: 5.0, Strength.MEDIUM: 0.4, Strength.STRONG: 0.2},
    build=build,
)
