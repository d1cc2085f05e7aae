"""What a campaign is made of: stages with rows and the entity that did them, and the setting it plays in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import polars as pl

from livesec.core.schema import LogType
from livesec.simulate.dayplan import HOME, OFFICE, DayPlan, plan_day
from livesec.simulate.places import UTC_OFFSET_H
from livesec.simulate.randomness import BoolArray, IntArray
from livesec.simulate.rhythm import DAY_US, HOUR_US, SECOND_US
from livesec.simulate.world import World


class Strength(StrEnum):
    """How loud a campaign is: weak hides, medium is clear to an analyst, strong to anybody."""

    WEAK = "weak"
    MEDIUM = "medium"
    STRONG = "strong"


@dataclass(frozen=True)
class Stage:
    """Rows of one log that one entity wrote as one step of a campaign.

    `rows` have the columns of their log type (simulate/frames.py). The entity is whatever of user, src_ip and
    dst_ip is not empty; every row carries it. `labelled` is false for honest rows that a campaign needs
    around it.
    """

    name: str
    log_type: LogType
    rows: pl.DataFrame
    user: str = ""
    src_ip: str = ""
    dst_ip: str = ""
    labelled: bool = True


@dataclass(frozen=True)
class Person:
    """A user as a campaign sees them on one day."""

    number: int
    name: str
    plan: DayPlan
    address: str
    """Where the user connects from on that day."""
    country: str
    agent: str
    workstation: str

    @property
    def role(self) -> int:
        """Index in people.ROLES."""
        return int(self.plan.world.people.role[self.number])


@dataclass(frozen=True)
class Setting:
    """World, strength and moment of one campaign; `taken` are users whom other campaigns already use."""

    world: World
    strength: Strength
    at_us: int
    random: np.random.Generator
    taken: frozenset[str] = field(default_factory=frozenset)

    def someone_at_work(self, offices: BoolArray | None = None) -> Person:
        """A user well inside a working day at `at_us`, not travelling; where nobody is, who comes nearest.

        `offices` says for each of PLACES whether the user's office may be there; anywhere unless given.
        """
        elsewhere = 0 if offices is None else np.where(offices[self.world.people.office], 0, 15 * DAY_US)
        return self._someone(self._outside_us().min(axis=0) + HOUR_US + elsewhere)

    def someone_asleep(self) -> Person:
        """A user in the middle of the local night at `at_us`, hours away from work, not travelling."""
        people = self.world.people
        local_us = (self.at_us + (UTC_OFFSET_H[people.home] * HOUR_US).astype(np.int64)) % DAY_US
        from_two_us = np.abs((local_us - 2 * HOUR_US + DAY_US // 2) % DAY_US - DAY_US // 2)
        works_at_night = np.where(people.night_shift, DAY_US, 0)
        return self._someone(
            np.maximum(3 * HOUR_US - self._outside_us().min(axis=0), from_two_us - 3 * HOUR_US) + works_at_night
        )

    def _plans(self) -> list[DayPlan]:
        today = self.at_us // DAY_US
        return [plan_day(self.world, day) for day in (today - 1, today, today + 1)]

    def _outside_us(self) -> IntArray:
        """How far `at_us` is from the working days of each user: negative inside one; shape (3, users)."""
        return np.stack([_outside_us(plan, self.at_us) for plan in self._plans()])

    def _someone(self, cost: IntArray) -> Person:
        """A random user with a cost of at most 0, else the cheapest; one taken or travelling only at last."""
        plans = self._plans()
        free = ~self.world.people.usernames.is_in(list(self.taken)).to_numpy()
        at_home = np.all([~plan.away for plan in plans], axis=0)
        cost = cost + np.where(free & at_home, 0, 30 * DAY_US)
        fit = np.flatnonzero(cost <= 0)
        number = int(self.random.choice(fit)) if len(fit) else int(np.argmin(cost))
        return self._person(number, plans[int(np.argmin(self._outside_us()[:, number]))])

    def _person(self, number: int, plan: DayPlan) -> Person:
        people = self.world.people
        way = OFFICE if plan.at_office[number] else HOME
        connection = way * len(people) + number
        return Person(
            number=number,
            name=people.usernames[number],
            plan=plan,
            address=plan.addresses[connection],
            country=plan.countries[connection],
            agent=people.laptop_agents[number],
            workstation=people.workstations[number],
        )

    def times(self, count: int, gap_s: float, *, after_us: int | None = None, spread: float = 0.6) -> IntArray:
        """`count` moments after `after_us` (or `at_us`), about `gap_s` apart; spread 0 is a metronome."""
        start = self.at_us if after_us is None else after_us
        gaps = gap_s * np.clip(self.random.normal(1.0, spread, size=count), 0.15, 3.0)
        return start + np.cumsum(gaps * SECOND_US).astype(np.int64)


def _outside_us(plan: DayPlan, at_us: int) -> IntArray:
    """How far `at_us` is from each user's working day: negative inside, a week where there is none."""
    outside = np.maximum(plan.start_us - at_us, at_us - plan.end_us)
    return np.where(plan.present, outside, 7 * DAY_US)


@dataclass(frozen=True)
class Campaign:
    """A kind of attack: `build` gives its stages, `hours` how long it lasts at most, by strength."""

    name: str
    about: str
    hours: Mapping[Strength, float]
    build: Callable[[Setting], list[Stage]]
