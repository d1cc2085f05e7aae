"""The labelled attacks of the demo world, one module each."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from livesec.simulate.campaigns import (
    beacon,
    brute_force,
    flood,
    impossible_travel,
    insider_night,
    mass_rename,
    password_spray,
    scan,
    slow_drip,
)

_ALL: Final = (
    brute_force.CAMPAIGN,
    password_spray.CAMPAIGN,
    impossible_travel.CAMPAIGN,
    scan.CAMPAIGN,
    beacon.CAMPAIGN,
    flood.CAMPAIGN,
    insider_night.CAMPAIGN,
    slow_drip.CAMPAIGN,
    mass_rename.CAMPAIGN,
)

CAMPAIGNS: Final = MappingProxyType({campaign.name: campaign for campaign in _ALL})
"""Campaigns by name, in the order they are listed."""
