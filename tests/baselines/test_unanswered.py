"""unanswered: which connections got no answer."""

from __future__ import annotations

import polars as pl
import pytest

from livesec.baselines.unanswered import unanswered
from livesec.core.rows import make_rows
from livesec.core.schema import LogType


@pytest.mark.parametrize(
    ("conn_state", "action", "bytes_in", "expected"),
    [
        ("S0", None, None, True),
        ("REJ", None, 0, True),
        ("RSTOS0", None, None, True),
        ("SF", None, 0, False),  # the state decides
        ("S1", None, 900, False),
        (None, None, 0, True),
        (None, None, 40, False),
        (None, None, None, False),  # unknown is not silence
        (None, "deny", None, True),
        (None, "allow", None, False),
        ("SF", "deny", 40, True),
    ],
)
def test_alone_and_beside_others(
    conn_state: str | None, action: str | None, bytes_in: int | None, *, expected: bool
) -> None:
    alone = pl.DataFrame(
        {"conn_state": [conn_state], "action": [action], "bytes_in": [bytes_in]},
        schema={"conn_state": pl.String, "action": pl.String, "bytes_in": pl.Int64},
    )
    others = pl.DataFrame({"conn_state": ["SF", None], "action": ["allow", None], "bytes_in": [7, None]})
    assert unanswered(make_rows(LogType.NETWORK, alone)).tolist() == [expected]
    assert unanswered(make_rows(LogType.NETWORK, pl.concat([alone, others]))).tolist() == [expected, False, False]
