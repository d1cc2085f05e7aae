"""Makes an engine from settings: what the daemon, replay and evaluation share."""

from __future__ import annotations

from functools import lru_cache

from livesec.core.settings import Settings
from livesec.enrich.account_names import AccountNames
from livesec.enrich.geo import GeoLookup
from livesec.enrich.geo_table import GeoTable
from livesec.enrich.log_age import LogAge
from livesec.pipeline.assembly import assemble
from livesec.pipeline.engine import Engine
from livesec.pipeline.evidence import FetchLine


def make_engine(settings: Settings, fetch_line: FetchLine) -> Engine:
    """An engine with every part that the settings want. Raises SettingsError, ContractError."""
    parts = assemble(settings)
    table = _geo_table(
        tuple(sorted(settings.country_centroids.items())),
        settings.relay_networks,
        settings.geo_city_file,
        settings.geo_asn_file,
    )
    geo = GeoLookup(table)
    names = () if settings.seed_mode else (AccountNames(),)  # the seed took names as they were written
    return Engine(settings, parts, (*names, LogAge(), geo), fetch_line)


@lru_cache(maxsize=1)
def _geo_table(
    centroids: tuple[tuple[str, tuple[float, float, float]], ...],
    relays: tuple[str, ...],
    city_file: str | None,
    asn_file: str | None,
) -> GeoTable:
    """Read once, though a daemon makes an engine to try its settings and another to go on from saved state."""
    return GeoTable.load(centroids=dict(centroids), relay_networks=relays, city_file=city_file, asn_file=asn_file)
