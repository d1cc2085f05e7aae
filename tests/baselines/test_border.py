"""border: sides of connections, known and unknown."""

from __future__ import annotations

import polars as pl

from livesec.baselines.border import inside, inwards, outwards
from livesec.core.rows import make_rows
from livesec.core.schema import LogType


def test_sides() -> None:
    rows = make_rows(
        LogType.NETWORK,
        pl.DataFrame(
            {
                "is_internal": [True, True, False, False, None, True, False, None],
                "dst_is_internal": [False, True, True, False, False, None, False, True],
                "direction": [None, None, None, "outbound", None, "outbound", "inbound", "inbound"],
            }
        ),
    )
    assert outwards(rows).tolist() == [True, False, False, True, False, False, False, False]
    assert inwards(rows).tolist() == [False, False, True, False, False, False, True, False]
    assert inside(rows).tolist() == [False, True, False, False, False, False, False, False]
