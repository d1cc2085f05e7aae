"""log_age: counted from the first row ever, however rows are cut, and after a restart."""

from __future__ import annotations

import polars as pl
import pytest

from livesec.core.errors import StateVersionError
from livesec.core.rows import Rows, make_rows
from livesec.core.schema import LogType
from livesec.enrich.log_age import LogAge


def rows_at(*times_us: int) -> Rows:
    return make_rows(LogType.NETWORK, pl.DataFrame({"stream_time_us": times_us}))


def ages(rows: Rows) -> list[int]:
    ages: list[int] = rows.integers("log_age_us").tolist()
    return ages


def test_counts_from_the_first_row_and_never_below_0() -> None:
    lookup = LogAge()
    assert ages(lookup.step(lookup.initial(), rows_at(100, 130, 70))) == [0, 30, 0]


def test_goes_on_over_batches_and_restarts() -> None:
    lookup = LogAge()
    state = lookup.initial()
    restored = lookup.from_bytes(lookup.to_bytes(state))
    assert ages(lookup.step(restored, rows_at(100))) == [0]
    restored = lookup.from_bytes(lookup.to_bytes(restored))
    assert ages(lookup.step(restored, rows_at(130, 150))) == [30, 50]


def test_times_before_1970_are_kept() -> None:
    lookup = LogAge()
    state = lookup.initial()
    lookup.step(state, rows_at(-5))
    assert ages(lookup.step(lookup.from_bytes(lookup.to_bytes(state)), rows_at(5))) == [10]


@pytest.mark.parametrize("blob", [b"", b"log_age 2 7", b"log_age 1 x", b"log_age 1 -"])
def test_a_state_of_another_version_is_refused(blob: bytes) -> None:
    with pytest.raises(StateVersionError, match="log_age"):
        LogAge().from_bytes(blob)
