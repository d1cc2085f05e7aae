"""The bundled data, read once."""

from __future__ import annotations

import pytest

from livesec.enrich.geo_table import GeoTable


@pytest.fixture(scope="session")
def table() -> GeoTable:
    return GeoTable.load(relay_networks=["198.18.2.0/24", "2001:db8:5::/48"])
