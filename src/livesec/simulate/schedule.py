"""When which campaign runs: late in a history, so that detectors have seen the ordinary before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from livesec.core.errors import UsageError
from livesec.simulate.campaigns import CAMPAIGNS
from livesec.simulate.frames import in_window
from livesec.simulate.randomness import generator
from livesec.simulate.rhythm import HOUR_US, MINUTE_US
from livesec.simulate.stage import Setting, Stage, Strength
from livesec.simulate.world import World

QUIET_SHARE: Final = 0.4  # of the window, before the first campaign
_LAST_START_US: Final = 45 * MINUTE_US  # before the end, so that the last one is there to be seen


@dataclass(frozen=True, slots=True)
class CampaignOrder:
    """One campaign to be run; `name` is a key of CAMPAIGNS. Raises UsageError for any other."""

    name: str
    strength: Strength = Strength.MEDIUM

    def __post_init__(self) -> None:
        if self.name not in CAMPAIGNS:
            raise UsageError(f"campaign {self.name!r} does not exist; there are: {', '.join(CAMPAIGNS)}")


@dataclass(frozen=True)
class PlayedCampaign:
    """A campaign with the stages it got in a window."""

    campaign_id: str
    order: CampaignOrder
    stages: Sequence[Stage]


DEFAULT_ORDERS: Final = (
    CampaignOrder("brute_force", Strength.STRONG),
    CampaignOrder("brute_force", Strength.WEAK),
    CampaignOrder("password_spray", Strength.MEDIUM),
    CampaignOrder("impossible_travel", Strength.MEDIUM),
    CampaignOrder("scan", Strength.MEDIUM),
    CampaignOrder("beacon", Strength.MEDIUM),
    CampaignOrder("flood", Strength.MEDIUM),
    CampaignOrder("insider_night", Strength.STRONG),
    CampaignOrder("slow_drip", Strength.MEDIUM),
    CampaignOrder("mass_rename", Strength.STRONG),
    CampaignOrder("scan", Strength.WEAK),
)
"""What `demo batch` plays unless told otherwise."""


def every_order() -> tuple[CampaignOrder, ...]:
    """Every campaign in every strength: what an evaluation wants."""
    return tuple(CampaignOrder(name, strength) for name in CAMPAIGNS for strength in Strength)


def play(
    world: World, order: CampaignOrder, campaign_id: str, at_us: int, taken: frozenset[str] = frozenset()
) -> PlayedCampaign:
    """The stages of one campaign that starts at `at_us`; the same for the same arguments."""
    random = generator(world.seed, "campaign", campaign_id)
    setting = Setting(world, order.strength, at_us, random, taken)
    return PlayedCampaign(campaign_id, order, CAMPAIGNS[order.name].build(setting))


def play_all(world: World, orders: Sequence[CampaignOrder], start_us: int, end_us: int) -> list[PlayedCampaign]:
    """All ordered campaigns in [start, end), each with a user of its own; events outside are cut off."""
    taken: set[str] = set()
    played: list[PlayedCampaign] = []
    for number, (order, at_us) in enumerate(zip(orders, _moments(world, orders, start_us, end_us), strict=True)):
        one = play(world, order, f"{number + 1:02d}-{order.name}-{order.strength}", at_us, frozenset(taken))
        taken.update(stage.user for stage in one.stages if stage.user)
        cut = [replace(stage, rows=in_window(stage.rows, start_us, end_us)) for stage in one.stages]
        played.append(replace(one, stages=cut))
    return played


def _moments(world: World, orders: Sequence[CampaignOrder], start_us: int, end_us: int) -> list[int]:
    """A start for each order: equal slots in random sequence, earlier where it would not end in time."""
    random = generator(world.seed, "schedule", len(orders))
    first = start_us + int(QUIET_SHARE * (end_us - start_us))
    last = max(first, end_us - _LAST_START_US)
    slots = (random.permutation(len(orders)) + random.random(len(orders))) / max(len(orders), 1)
    moments = first + (slots * (last - first)).astype(np.int64)
    latest = [end_us - int(CAMPAIGNS[order.name].hours[order.strength] * HOUR_US) for order in orders]
    return [max(start_us, min(int(moment), end)) for moment, end in zip(moments, latest, strict=True)]
