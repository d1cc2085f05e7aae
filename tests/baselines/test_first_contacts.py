"""first_contacts: which rows are attempts inside, and what they contacted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from livesec.baselines.first_contacts import attempts_inside, target_keys
from livesec.core.rows import Rows, make_rows
from livesec.core.schema import LogType


def rows_of(**columns: Sequence[object]) -> Rows:
    frame = pl.DataFrame(columns, schema_overrides={"action": pl.String, "conn_state": pl.String})
    return make_rows(LogType.NETWORK, frame)


def test_tcp_inside_with_a_known_outcome() -> None:
    rows = rows_of(
        is_internal=[True] * 7 + [False],
        dst_is_internal=[True] * 6 + [False, True],
        protocol=["tcp", "udp", None, "tcp", "tcp", "tcp", "tcp", "tcp"],
        bytes_in=[0, 0, 900, None, None, None, 0, 0],
        action=[None, None, None, "deny", None, None, None, None],
        conn_state=[None, None, None, None, "S0", None, None, None],
    )
    assert attempts_inside(rows).tolist() == [True, False, True, True, True, False, False, False]


def test_targets_are_hosts_and_ports() -> None:
    rows = rows_of(dst_ip=["10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1"], dst_port=[22, 445, 22, None])
    first, other, again, without = target_keys(rows, np.arange(4)).tolist()
    assert first == again
    assert len({first, other, without, 0}) == 4
