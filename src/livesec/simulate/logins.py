"""The ordinary logins of one day: people, automation, and the internet's single probes."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from livesec.simulate.addresses import attack_hosting
from livesec.simulate.agents import PROBE_AGENTS
from livesec.simulate.dayplan import AWAY, HOME, MOBILE, OFFICE, RELAY, DayPlan
from livesec.simulate.frames import login_rows
from livesec.simulate.places import PLACE_OF, UTC_OFFSET_H
from livesec.simulate.randomness import IntArray, chance, generator
from livesec.simulate.rhythm import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    WORKDAY,
    flat_times,
    periodic_times,
    positions,
)
from livesec.simulate.services import SERVICE_ACCOUNTS

_PHONE_SHARE: Final = 0.14
_EVENING_SHARE: Final = 0.015  # logins within two hours after the end of work, from home
_FORGOTTEN_PER_USER_DAY: Final = 0.004  # several wrong passwords, then the right one
_STALE_PHONE_PER_USER_DAY: Final = 0.0015  # a telephone that keeps trying an old password
_EXPIRED_PER_SERVICE_DAY: Final = 0.008  # automation that fails until somebody renews its password
_PROBES_PER_DAY: Final = 40.0
_PROBED_NAMES: Final = (
    "root",
    "admin",
    "test",
    "oracle",
    "ubuntu",
    "user",
    "guest",
    "postgres",
    "pi",
    "ftpuser",
)


def logins_of_day(plan: DayPlan, rate: float) -> list[pl.DataFrame]:
    """Frames of login rows, failures before the successes they precede; `rate` multiplies their number."""
    random = generator(plan.world.seed, "logins", plan.day)
    users, times, ways = _attempts(plan, rate, random)
    return [
        _mistypes(plan, users, times, ways, random),
        *_forgotten_passwords(plan, random),
        _people_rows(plan, users, times, ways, success=True),
        _stale_phones(plan, random),
        *_service_logins(plan, rate, random),
        _probes(plan, rate, random),
    ]


def _people_rows(plan: DayPlan, users: IntArray, times: IntArray, ways: IntArray, *, success: bool) -> pl.DataFrame:
    people = plan.world.people
    connection = ways * len(people) + users
    agent = pl.concat([people.laptop_agents, people.phone_agents])
    return login_rows(
        times,
        people.usernames.gather(users),
        plan.addresses.gather(connection),
        plan.countries.gather(connection),
        success,
        agent.gather(users + np.where(ways == MOBILE, len(people), 0)),
    )


def _attempts(plan: DayPlan, rate: float, random: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """User, time and way of each session: one at the start of work, the others through the day."""
    people = plan.world.people
    count = random.poisson(np.maximum(people.logins_per_day - 1, 0) * plan.activity * rate)
    first = np.flatnonzero(plan.present)
    more = np.repeat(np.arange(len(people)), count)
    span = (plan.end_us - plan.start_us)[more]
    offset = (positions(WORKDAY, len(more), random) * span).astype(np.int64)
    evening = chance(random, _EVENING_SHARE, len(more)) & ~plan.away[more] & (span > 5 * HOUR_US)
    offset = np.where(evening, span + random.integers(2 * HOUR_US, size=len(more)), offset)
    night = np.repeat(np.flatnonzero(plan.on_call), 2)
    users = np.concatenate([first, more, night])
    times = np.concatenate(
        [
            plan.start_us[first] + random.integers(8 * MINUTE_US, size=len(first)),
            plan.start_us[more] + offset,
            _on_call_times(plan, night, random),
        ]
    )
    ways = np.where(plan.at_office[users], OFFICE, np.where(plan.away[users], AWAY, HOME))
    at_home = np.concatenate([np.zeros(len(first), bool), evening, np.ones(len(night), bool)])
    ways = np.where(at_home, HOME, ways)
    phone = chance(random, _PHONE_SHARE, len(users)) & ~plan.away[users] & ~at_home
    relay = (ways == HOME) & chance(random, people.relay_share[users], len(users))
    return users, times, np.where(phone, MOBILE, np.where(relay, RELAY, ways))


def _on_call_times(plan: DayPlan, users: IntArray, random: np.random.Generator) -> IntArray:
    """Moments between two and four in the local night."""
    local_us = 2 * HOUR_US + random.integers(2 * HOUR_US, size=len(users))
    return plan.day * DAY_US + local_us - (UTC_OFFSET_H[plan.place[users]] * HOUR_US).astype(np.int64)


def _mistypes(
    plan: DayPlan, users: IntArray, times: IntArray, ways: IntArray, random: np.random.Generator
) -> pl.DataFrame:
    """A wrong password or two shortly before the right one."""
    wrong = chance(random, plan.world.people.mistype_share[users], len(users))
    count = np.where(wrong, 1 + chance(random, 0.2, len(users)), 0)
    index = np.repeat(np.arange(len(users)), count)
    gap = random.integers(3 * SECOND_US, 25 * SECOND_US, size=len(index))
    return _people_rows(plan, users[index], times[index] - gap, ways[index], success=False)


def _forgotten_passwords(plan: DayPlan, random: np.random.Generator) -> list[pl.DataFrame]:
    """Three to six wrong passwords within minutes, then the right one: a guess that is none."""
    chosen = np.flatnonzero(plan.present & chance(random, _FORGOTTEN_PER_USER_DAY, len(plan.present)))
    frames: list[pl.DataFrame] = []
    for user in chosen.tolist():
        tries = int(random.integers(3, 7))
        gaps = random.integers(6 * SECOND_US, 45 * SECOND_US, size=tries + 1)
        times = plan.start_us[user] + random.integers(2 * HOUR_US) + np.cumsum(gaps)
        way = OFFICE if plan.at_office[user] else AWAY if plan.away[user] else HOME
        who, ways = np.full(tries + 1, user), np.full(tries + 1, way)
        frames.append(_people_rows(plan, who[:-1], times[:-1], ways[:-1], success=False))
        frames.append(_people_rows(plan, who[-1:], times[-1:], ways[-1:], success=True))
    return frames


def _stale_phones(plan: DayPlan, random: np.random.Generator) -> pl.DataFrame:
    """A failure about every quarter of an hour from the user's own telephone: slow guessing that is none."""
    chosen = plan.present & ~plan.away & chance(random, _STALE_PHONE_PER_USER_DAY, len(plan.present))
    users = np.repeat(np.flatnonzero(chosen), 9)
    step = np.tile(np.arange(9), int(chosen.sum()))
    jitter = random.integers(-MINUTE_US, MINUTE_US, size=len(users))
    times = plan.start_us[users] + HOUR_US + step * 15 * MINUTE_US + jitter
    return _people_rows(plan, users, times, np.full(len(users), MOBILE), success=False)


def _service_logins(plan: DayPlan, rate: float, random: np.random.Generator) -> list[pl.DataFrame]:
    headquarters = plan.countries[int(np.flatnonzero(plan.world.people.office == PLACE_OF["DE"])[0])]
    frames: list[pl.DataFrame] = []
    for number, account in enumerate(SERVICE_ACCOUNTS):
        period_s = account.period_min * 60 / rate
        times = periodic_times(plan.day, period_s, min(period_s / 20, 20.0), 37.0 * number, random)
        success = ~chance(random, 0.002, len(times))
        if random.random() < _EXPIRED_PER_SERVICE_DAY:
            broken = plan.day * DAY_US + random.integers(20 * HOUR_US)
            success &= (times < broken) | (times > broken + 3 * HOUR_US)
        frames.append(
            login_rows(times, account.username, account.host, headquarters, pl.Series(success), account.agent)
        )
    return frames


def _probes(plan: DayPlan, rate: float, random: np.random.Generator) -> pl.DataFrame:
    """Strangers who try one common name once or twice and go away."""
    sources = int(random.poisson(_PROBES_PER_DAY * rate))
    addresses, countries = attack_hosting().draw(sources, random)
    index = np.repeat(np.arange(sources), 1 + chance(random, 0.25, sources))
    times = flat_times(plan.day, sources, random)[index] + random.integers(4 * SECOND_US, size=len(index))
    names = pl.Series(_PROBED_NAMES).gather(random.integers(len(_PROBED_NAMES), size=sources)[index])
    agents = pl.Series(PROBE_AGENTS).gather(random.integers(len(PROBE_AGENTS), size=sources)[index])
    return login_rows(times, names, addresses.gather(index), countries.gather(index), False, agents)
