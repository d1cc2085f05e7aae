"""Times of ISO 8601, compiled, against Python's own reader."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.iso_time import UNREADABLE, iso_readings
from livesec.formats.text_times import _loose_clock_us, clock_text_us, iso_us

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STAMPS = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["2026-03-02", "2024-02-29", "2023-02-29", "1969-12-31", "2026-13-01", "2026-00-10", "2026-3-2"]),
    st.sampled_from(["T", " ", "t", "x", ""]),
    st.sampled_from(["00:00:00", "23:59:59", "24:00:00", "12:60:00", "01:02:03", "1:02:03", "01-02-03"]),
    st.sampled_from(["", ".5", ",25", ".123456", ".1234567", "."]),
    st.sampled_from(["", "Z", "z", "+01:00", "-0530", "+24:00", "+01:60", " ", "+1:00", "+01x00"]),
)

EDGES = [
    "2026-03-02 01:02:60.5",
    "2026-03-02 01:02:61",
    " 2026-03-02 01:02:3",
    "2199-12-31 23:59:59.9",
    "1970-01-01 00:00:00",
]


def by_python(text: str) -> int | None:
    """Us since 1970 UTC (of the clock where no zone is named), as datetime reads it."""
    try:
        read = datetime.fromisoformat(text.replace(",", ".").replace("t", "T").replace("z", "Z"))
    except ValueError:
        return None
    return ((read if read.tzinfo else read.replace(tzinfo=UTC)) - EPOCH) // timedelta(microseconds=1)


@settings(deadline=None, max_examples=examples(400))
@given(st.lists(STAMPS | st.text(max_size=30), max_size=20))
def test_what_is_read_is_what_python_reads(texts: list[str]) -> None:
    found = iso_readings(pl.Series(texts, dtype=pl.String))
    for text, time_us, has_zone in zip(texts, found.time_us.tolist(), found.has_zone.tolist(), strict=True):
        if time_us != UNREADABLE:
            assert time_us == by_python(text), text
            assert has_zone == (text[-1] in "Zz" or "+" in text or "-" in text[10:]), text


def test_usual_forms_are_read() -> None:
    forms = ["2026-03-02 10:00:00", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00.000+01:00", "2026-03-02t10:00:00,0z"]
    found = iso_readings(pl.Series(forms))
    assert set(found.time_us.tolist()) == {by_python("2026-03-02T10:00:00Z")}
    assert found.has_zone.tolist() == [False, True, True, True]
    assert (iso_readings(pl.Series(forms), strict=True).time_us == UNREADABLE).tolist() == [True, False, False, True]


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(STAMPS | st.none(), min_size=1, max_size=20), st.sampled_from(["UTC", "Europe/Paris"]))
def test_a_time_depends_on_its_own_text_alone(texts: list[str | None], zone: str) -> None:
    together = iso_us(pl.Series(texts, dtype=pl.String), zone).to_list()
    assert together == [iso_us(pl.Series([text], dtype=pl.String), zone).item() for text in texts]


@settings(deadline=None, max_examples=examples(300))
@given(
    st.lists(STAMPS | st.text(max_size=30) | st.sampled_from(EDGES) | st.none(), max_size=20),
    st.sampled_from("-/"),
    st.sampled_from(["UTC", "Europe/Paris"]),
)
def test_clocks_are_read_as_strptime_reads_them(texts: list[str | None], dash: str, zone: str) -> None:
    column = pl.Series(texts, dtype=pl.String)
    column = column.str.replace_all("-", dash, literal=True) if dash != "-" else column
    assert clock_text_us(column, dash, zone).to_list() == _loose_clock_us(column, dash, zone).to_list()
