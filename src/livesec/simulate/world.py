"""The demo world: one organisation, fixed by a seed and a number of users."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

from livesec.core.errors import UsageError
from livesec.simulate.files import FileCatalogue, build_files
from livesec.simulate.flow_table import FlowTable, build_flow_table
from livesec.simulate.people import People, build_people

MIN_USERS: Final = 10  # fewer leave no bystanders beside the victims of the campaigns
MAX_USERS: Final = 20_000  # desks in the address plan of people.py


@dataclass(frozen=True)
class World:
    """Everything about the organisation that does not change from day to day.

    Equal seeds and numbers of users give equal worlds. Raises UsageError outside the limits above.
    """

    seed: int
    users: int = 60

    def __post_init__(self) -> None:
        if not MIN_USERS <= self.users <= MAX_USERS:
            raise UsageError(f"users: {self.users} is outside {MIN_USERS} to {MAX_USERS}; give another number")
        if self.seed < 0:
            raise UsageError(f"seed: {self.seed} is negative; give 0 or more")

    @cached_property
    def people(self) -> People:
        """The users."""
        return build_people(self.seed, self.users)

    @cached_property
    def files(self) -> FileCatalogue:
        """The files they work on."""
        return build_files(self.seed)

    @cached_property
    def flows(self) -> FlowTable:
        """Who talks to whom on the network, and how much."""
        return build_flow_table(self.seed, self.people)
