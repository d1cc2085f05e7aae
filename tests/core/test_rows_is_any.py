import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.rows import Rows
from livesec.core.schema import LogType

NAMES = st.sampled_from(["root", "ann", "", "é", "RU", *(f"user{number}" for number in range(20))])


@settings(deadline=None)
@given(st.lists(st.none() | NAMES), st.lists(NAMES, max_size=24))
def test_it_tells_what_polars_tells_and_knows_no_null(users: list[str | None], values: list[str]) -> None:
    rows = Rows(LogType.LOGIN, pl.DataFrame({"user": pl.Series(users, dtype=pl.String)}))
    assert rows.is_any("user", values).tolist() == [user in values for user in users]
