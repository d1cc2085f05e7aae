"""A few common passwords tried on many accounts, below each account's limit (T1110.003)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.addresses import AddressPool, attack_hosting
from livesec.simulate.agents import ATTACK_AGENTS
from livesec.simulate.frames import login_rows
from livesec.simulate.rhythm import MINUTE_US
from livesec.simulate.stage import Campaign, Setting, Stage, Strength


@dataclass(frozen=True, slots=True)
class Spray:
    """How many accounts, how many passwords for each, from how many addresses, how fast."""

    accounts: int
    rounds: int
    sources: int
    gap_s: float
    succeeds: bool


SPRAY: Final = {
    Strength.WEAK: Spray(accounts=9, rounds=1, sources=1, gap_s=1_900.0, succeeds=False),
    Strength.MEDIUM: Spray(accounts=30, rounds=2, sources=1, gap_s=28.0, succeeds=False),
    Strength.STRONG: Spray(accounts=50, rounds=3, sources=3, gap_s=5.0, succeeds=True),
}


def build(setting: Setting) -> list[Stage]:
    """A stage spraying per source address, and success where one password fits."""
    spray, people = SPRAY[setting.strength], setting.world.people
    hosting = setting.strength is not Strength.WEAK
    pool = attack_hosting() if hosting else AddressPool.of("residential", "DE", "GB", "FR")
    agent = str(setting.random.choice(ATTACK_AGENTS)) if hosting else people.laptop_agents[0]
    accounts = min(spray.accounts, len(people))
    targets = setting.random.choice(len(people), accounts, replace=False)
    order = np.tile(targets, spray.rounds)
    times = setting.times(len(order), spray.gap_s)
    stages: list[Stage] = []
    for number in range(spray.sources):
        source, country = pool.draw_one(setting.random)
        mine = np.arange(len(order)) % spray.sources == number
        names: pl.Series = people.usernames.gather(order[mine])
        attempts = login_rows(times[mine], names, source, country, False, agent)
        stages.append(Stage("spraying", LogType.LOGIN, attempts, src_ip=source))
        if spray.succeeds and number == 0:
            free = [name for name in names.to_list() if name not in setting.taken]
            victim = free[0] if free else names[0]
            moment = setting.times(1, 30.0, after_us=int(times[-1]) + MINUTE_US)
            success = login_rows(moment, victim, source, country, True, agent)
            stages.append(Stage("success", LogType.LOGIN, success, user=victim, src_ip=source))
    return stages


CAMPAIGN: Final = Campaign(
    name="password_spray",
    about="one to three common passwords tried on many users from few addresses",
    hours={Strength.WEAK: 6.0, Strength.MEDIUM: 0.75, Strength.STRONG: 0.4},
    build=build,
)
