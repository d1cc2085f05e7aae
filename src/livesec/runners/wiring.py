"""Makes an engine from settings: what the daemon, replay and evaluation share."""

from __future__ import annotations

from livesec.core.settings import Settings
from livesec.enrich.geo import GeoLookup
from livesec.enrich.geo_table import GeoTable
from livesec.pipeline.assembly import assemble
from livesec.pipeline.engine import Engine
from livesec.pipeline.evidence import FetchLine


def make_engine(settings: Settings, fetch_line: FetchLine) -> Engine:
    """An engine with every part that the settings want. Raises SettingsError, ContractError."""
    parts = assemble(settings)
    table = GeoTable.load(centroids=settings.country_centroids, relay_networks=settings.relay_networks)
    return Engine(settings, parts, (GeoLookup(table),), fetch_line)
