"""A demo organisation with ordinary life and labelled attacks, for demos, tests and measurements.

>>> from livesec.simulate import CampaignOrder, Strength, World, simulate
>>> loud_scan = CampaignOrder("scan", Strength.STRONG)
>>> logs = simulate(World(seed=1), 1_760_000_000_000_000, days=1, campaigns=[loud_scan])
>>> logs.labels["stage"].to_list()
['vertical', 'horizontal']
"""

from __future__ import annotations

from livesec.simulate.campaigns import CAMPAIGNS
from livesec.simulate.folder import DemoFolder, write_logs
from livesec.simulate.schedule import DEFAULT_ORDERS, CampaignOrder, every_order
from livesec.simulate.stage import Strength
from livesec.simulate.timeline import SimulatedLogs, simulate
from livesec.simulate.world import World

__all__ = [
    "CAMPAIGNS",
    "DEFAULT_ORDERS",
    "CampaignOrder",
    "DemoFolder",
    "SimulatedLogs",
    "Strength",
    "World",
    "every_order",
    "simulate",
    "write_logs",
]
