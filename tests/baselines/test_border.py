"""border: sides of connections, known and unknown."""

from __future__ import annotations

import polars as pl

from livesec.baselines.border import inside, outwards
from livesec.core.rows import make_rows
from livesec.core.schema import LogType


def test_sides() -> None:
    rows = make_rows(
        LogType.NETWORK,
        pl.DataFrame(
            {
                "is_internal": [True, True, False, False, None, True],
                "dst_is_internal": [False, True, True, False, False, None],
                "direction": [None, None, "inbound", "outbound", None, "outbound"],
            }
        ),
    )
    assert outwards(rows).tolist() == [True, False, False, True, False, False]
    assert inside(rows).tolist() == [False, True, False, False, False, False]
