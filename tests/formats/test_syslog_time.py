"""Times in front of syslog lines against Python's own calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import time_us

from livesec.formats.iso_time import UNREADABLE
from livesec.formats.syslog_time import BSD_CHARACTERS, bsd_us, iso_stamps_us

QUIET = settings(deadline=None, max_examples=examples(150))
REFERENCE_US = time_us("2026-03-05T00:00:00Z")
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30))  # zone added below


def bsd(stamps: list[str], zone: str = "UTC", reference_us: int = REFERENCE_US) -> list[str | None]:
    text = np.frombuffer("".join(stamps).encode(), dtype=np.uint8)
    starts = np.arange(len(stamps)) * BSD_CHARACTERS
    times = bsd_us(text, starts, np.zeros(2, dtype=np.int64), reference_us, zone)
    return [None if time == UNREADABLE else _text(time) for time in times.tolist()]


def _text(moment_us: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment_us)).strftime("%Y-%m-%d %H:%M:%S")


def stamp_of(moment: datetime) -> str:
    return f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}"


def test_first_line_gets_the_latest_year_not_after_the_reference() -> None:
    assert bsd(["Mar  5 23:59:59"]) == ["2026-03-05 23:59:59"]
    assert bsd(["Mar  6 00:00:00"]) == ["2026-03-06 00:00:00"]  # a day of grace for clocks and zones
    assert bsd(["Mar  6 00:00:01"]) == ["2025-03-06 00:00:01"]
    assert bsd(["Feb 29 12:00:00"]) == ["2024-02-29 12:00:00"]


def test_years_follow_the_months() -> None:
    stamps = ["Nov 30 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01"]
    years = [text and text[:4] for text in bsd(stamps)]
    assert years == ["2025", "2025", "2026", "2025", "2026"]


def test_what_is_no_time() -> None:
    assert (
        bsd(["Feb 30 00:00:00", "Foo  1 00:00:00", "Mar  1 24:00:00", "Mar 0x 00:00:00", "Mar  1 00.00.00"])
        == [None] * 5
    )


def test_clock_readings_of_a_zone() -> None:
    assert bsd(["Mar  1 12:00:00"], "Asia/Kathmandu") == ["2026-03-01 06:15:00"]


@QUIET
@given(reference=MOMENTS, age_s=st.integers(0, 363 * 86_400))
def test_any_moment_of_363_days_before_the_reference(reference: datetime, age_s: int) -> None:
    moment = reference.replace(microsecond=0) - timedelta(seconds=age_s)
    if moment.year >= 1970:
        times = bsd([stamp_of(moment)], reference_us=time_us(reference.replace(tzinfo=UTC).isoformat()))
        assert times == [moment.strftime("%Y-%m-%d %H:%M:%S")]


@QUIET
@given(moment=MOMENTS, minutes=st.integers(-840, 840), colon=st.booleans())
def test_any_rfc3339_moment(moment: datetime, minutes: int, colon: bool) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = zoned.isoformat() if colon else zoned.strftime("%Y-%m-%dT%H:%M:%S.%f%z")
    assert iso_stamps_us(pl.Series([text, text]), "Europe/Paris").tolist() == [time_us(zoned.isoformat())] * 2


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T00:00:01.",
        "2026-03-02T00:00:01.5x",
        "2026-03-02T00:00:01,5Z",
        "2026-03-02T00:00:01+1:00",
        "2026-03-02T00:00:01+01 00",
        "2026-03-02 00:00:01",
        "2026-02-29T00:00:01Z",
        "2026-03-02T00:00",
        "",
    ],
)
def test_what_is_no_rfc3339(text: str) -> None:
    assert iso_stamps_us(pl.Series([text]), "UTC").tolist() == [UNREADABLE]


def test_local_iso_time_in_the_stream_zone() -> None:
    stamps = pl.Series(["2026-07-01T12:00:00", "2026-07-01T12:00:00Z"])
    assert iso_stamps_us(stamps, "Europe/Paris").tolist() == [
        time_us("2026-07-01T10:00:00Z"),
        time_us("2026-07-01T12:00:00Z"),
    ]
