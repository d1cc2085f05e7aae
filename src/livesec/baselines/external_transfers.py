"""Which file transfers leave the organisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from livesec.core.protocols import param
from livesec.core.rows import Rows


def external_destinations() -> Any:
    """The parameter that names the destinations outside the organisation."""
    return param(
        ("external_drive", "cloud_storage", "email", "ftp_server"),
        "names",
        "livesec seed",
        setting="external_destinations",
    )


def goes_outside(rows: Rows, destinations: Sequence[str]) -> NDArray[np.bool_]:
    """Rows whose destination is one of `destinations` or, where none is told, is outside by the log's own words."""
    outside = rows.is_any_spelt("destination", destinations)
    fetched = rows.is_value("action", "download") & (rows.integers("is_internal", null=1) == 0)
    sent = rows.is_value("direction", "outbound") | fetched
    return np.asarray(outside | (sent & ~rows.known("destination")), dtype=np.bool_)
