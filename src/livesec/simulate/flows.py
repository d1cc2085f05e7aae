"""The ordinary network traffic of one day, from the table of habits and from the internet's side."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate import services as net
from livesec.simulate.addresses import attack_hosting, internet_sites, internet_visitors
from livesec.simulate.dayplan import DayPlan
from livesec.simulate.flow_table import FLAT, NIGHT, NO_OWNER, OFFICE_HOURS, OWNER
from livesec.simulate.frames import Value, rows
from livesec.simulate.housekeeping import housekeeping_of_day
from livesec.simulate.randomness import FloatArray, IntArray, chance, generator
from livesec.simulate.rhythm import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    WORKDAY,
    audience_times,
    flat_times,
    is_weekend,
    positions,
)

_LONG_TAIL_PER_USER: Final = 26.0  # rows a working day to sites that nobody visits regularly
_VISITORS_PER_DAY: Final = 1_300.0
_PROBES_PER_DAY: Final = 260.0
_PROBED_PORTS: Final[IntArray] = np.array([22, 23, 80, 443, 445, 3389, 5900, 8080, 8443, 2222, 6379, 5060])
_WEEKEND_FACTOR: Final = 0.15


def flow_rows(
    times_us: IntArray,
    source_ip: Value,
    dest_ip: Value,
    port: Value,
    protocol: Value,
    sent: FloatArray,
    received: FloatArray,
    connections: Value = 1,
) -> pl.DataFrame:
    """Rows of network_logs.csv; bytes are cut to whole numbers."""
    return rows(
        LogType.NETWORK,
        times_us,
        source_ip=source_ip,
        dest_ip=dest_ip,
        port=port,
        protocol=protocol,
        bytes_sent=sent.astype(np.int64),
        bytes_received=received.astype(np.int64),
        connections=connections,
    )


def flows_of_day(plan: DayPlan, rate: float) -> list[pl.DataFrame]:
    """Frames of network rows; `rate` multiplies the number of rows, save of what runs by the clock."""
    random = generator(plan.world.seed, "flows", plan.day)
    return [
        _habits(plan, rate, random),
        _long_tail(plan, rate, random),
        _visitors(plan.day, rate, random),
        _probes(plan.day, rate, random),
        *housekeeping_of_day(plan, random),
    ]


def _habits(plan: DayPlan, rate: float, random: np.random.Generator) -> pl.DataFrame:
    table = plan.world.flows
    owned = table.owner != NO_OWNER
    factor = np.where(owned, plan.activity[np.where(owned, table.owner, 0)], 1.0)
    if is_weekend(plan.day):
        factor = np.where(table.rhythm == OFFICE_HOURS, _WEEKEND_FACTOR, factor)
    habit = np.repeat(np.arange(len(table.port)), random.poisson(table.rows_per_day * factor * rate))
    size = len(habit)
    connections = 1 + random.poisson(table.more_connections[habit])
    scale = connections * np.exp(random.normal(size=size) * table.spread[habit])
    tilt = np.exp(random.normal(0.0, 0.35, size=size))
    return flow_rows(
        _habit_times(plan, habit, random),
        table.source.gather(habit),
        table.target.gather(habit),
        table.port[habit],
        table.protocol.gather(habit),
        40 + table.bytes_out[habit] * scale,
        40 + table.bytes_in[habit] * scale * tilt,
        connections,
    )


def _habit_times(plan: DayPlan, habit: IntArray, random: np.random.Generator) -> IntArray:
    table, size, midnight = plan.world.flows, len(habit), plan.day * DAY_US
    owner, rhythm = table.owner[habit], table.rhythm[habit]
    span = (plan.end_us - plan.start_us)[owner]
    through_work = positions(WORKDAY, size, random)
    evenly = random.random(size)
    return np.select(
        [rhythm == OWNER, rhythm == OFFICE_HOURS, rhythm == NIGHT, rhythm == FLAT],
        [
            plan.start_us[owner] + (through_work * span).astype(np.int64),
            midnight + 6 * HOUR_US + (through_work * 12 * HOUR_US).astype(np.int64),
            midnight + 30 * MINUTE_US + (evenly * 3 * HOUR_US).astype(np.int64),
            midnight + (evenly * DAY_US).astype(np.int64),
        ],
    )


def _long_tail(plan: DayPlan, rate: float, random: np.random.Generator) -> pl.DataFrame:
    """Visits to sites that are new to the user: why a new destination alone means little."""
    users = np.repeat(np.arange(len(plan.present)), random.poisson(_LONG_TAIL_PER_USER * plan.activity * rate))
    span = (plan.end_us - plan.start_us)[users]
    times = plan.start_us[users] + (positions(WORKDAY, len(users), random) * span).astype(np.int64)
    targets, _ = internet_sites().draw(len(users), random)
    port = np.where(chance(random, 0.06, len(users)), 80, 443)
    sent = random.lognormal(np.log(4e3), 1.0, len(users))
    received = random.lognormal(np.log(7e4), 1.5, len(users))
    sources = plan.world.people.workstations.gather(users)
    return flow_rows(times, sources, targets, port, "TCP", sent, received, 1 + random.poisson(1.5, len(users)))


def _visitors(day: int, rate: float, random: np.random.Generator) -> pl.DataFrame:
    """People on the internet who look at the public web site, a few pages each."""
    sources = int(random.poisson(_VISITORS_PER_DAY * rate * (0.6 if is_weekend(day) else 1.0)))
    addresses, _ = internet_visitors().draw(sources, random)
    visitor = np.repeat(np.arange(sources), random.geometric(0.45, size=sources))
    arrivals = audience_times(day, 0.5, sources, random)
    times = arrivals[visitor] + random.integers(10 * MINUTE_US, size=len(visitor))
    sent = random.lognormal(np.log(2_500), 0.7, len(visitor))
    received = random.lognormal(np.log(9e4), 1.0, len(visitor))
    pages = 1 + random.poisson(2.0, len(visitor))
    return flow_rows(times, addresses.gather(visitor), net.WEB, 443, "TCP", sent, received, pages)


def _probes(day: int, rate: float, random: np.random.Generator) -> pl.DataFrame:
    """Strangers who knock at one port, rarely at a second one, and get little or no answer."""
    sources = int(random.poisson(_PROBES_PER_DAY * rate))
    addresses, _ = attack_hosting().draw(sources, random)
    index = np.repeat(np.arange(sources), 1 + chance(random, 0.2, sources))
    targets = pl.Series(net.INTERNET_FACING).gather(random.integers(len(net.INTERNET_FACING), size=len(index)))
    times = flat_times(day, sources, random)[index] + random.integers(MINUTE_US, size=len(index))
    port = random.choice(_PROBED_PORTS, size=len(index))
    sent = random.integers(40, 180, size=len(index)).astype(np.float64)
    answered = chance(random, 0.3, len(index))
    return flow_rows(times, addresses.gather(index), targets, port, "TCP", sent, np.where(answered, 60.0, 0.0))
