"""What the settings change, beyond what the fixtures show."""

from __future__ import annotations

import polars as pl
import pytest
from tests.detectors.fixture import MONDAY_US, AnyDetector, judge, numbered

from livesec.core.errors import SettingsError
from livesec.core.rows import Rows
from livesec.core.schema import LogType
from livesec.core.settings import Settings
from livesec.detectors.login import (
    bf_few,
    bf_paced,
    bf_slow,
    suspicious_geo_location,
    system_account_login,
    unusual_login_time,
)


def _logins(hours: list[float], **columns: str) -> Rows:
    times_us = pl.Series([MONDAY_US + int(hour * 3_600_000_000) for hour in hours])
    frame = pl.DataFrame({"stream_time_us": times_us, "event_time_us": times_us})
    values = {"user": "anna", "src_ip": "192.0.2.1", "outcome": "success"} | columns
    return numbered(frame.with_columns(**{name: pl.lit(value) for name, value in values.items()}), LogType.LOGIN)


def _positions(detector: AnyDetector, rows: Rows) -> list[int]:
    return [position for _, _, position in judge(detector, detector.initial(), rows)]


@pytest.mark.parametrize("name", ["Atlantis", "\x1b[31mRU", ""])
def test_a_country_nobody_knows_stops_the_start(name: str) -> None:
    with pytest.raises(SettingsError, match=r"suspicious_countries: .* is no country") as caught:
        suspicious_geo_location.DETECTOR(suspicious_geo_location.Params(("RU", name)))
    assert "\x1b" not in str(caught.value)


def test_no_country_is_suspicious_unless_listed() -> None:
    detector = suspicious_geo_location.DETECTOR(suspicious_geo_location.Params(Settings().suspicious_countries))
    assert _positions(detector, _logins([0, 1, 2], country="RU")) == []


@pytest.mark.parametrize(("zone", "fired"), [("UTC", []), ("Asia/Tokyo", [0, 1]), ("America/New_York", [2, 3])])
def test_the_configured_hours_are_on_the_clock_of_the_zone(zone: str, fired: list[int]) -> None:
    detector = unusual_login_time.DETECTOR(unusual_login_time.Params(time_zone=zone), seed_mode=True)
    # 17 and 18 h UTC are 2 and 3 h in Tokyo; 7 and 8 h on the next day are 2 and 3 h in New York.
    assert _positions(detector, _logins([17, 18, 31, 32])) == fired


def test_hours_beyond_any_calendar_do_not_stop_it() -> None:
    rows = _logins([0, 1])
    far = Rows(rows.log_type, rows.frame.with_columns(event_time_us=pl.Series([-(2**62), 2**62])))
    detector = unusual_login_time.DETECTOR(unusual_login_time.Params(time_zone="Asia/Tokyo"), seed_mode=True)
    assert len(_positions(detector, far)) <= 2


def test_equal_hours_name_none() -> None:
    detector = unusual_login_time.DETECTOR(unusual_login_time.Params(start_hour=3, end_hour=3), seed_mode=True)
    assert _positions(detector, _logins(list(range(24)))) == []


@pytest.mark.parametrize("attempts", [2, 7])
def test_other_thresholds(attempts: int) -> None:
    failures = _logins([minute / 60 for minute in range(10)], outcome="failure")
    slow = bf_slow.DETECTOR(bf_slow.Params(attempts=attempts))
    assert _positions(slow, failures)[0] == attempts - 1
    few = bf_few.DETECTOR(bf_few.Params(attempts=attempts, sitting_s=0))
    assert _positions(few, failures)[0] == attempts - 1


def test_other_system_accounts() -> None:
    detector = system_account_login.DETECTOR(system_account_login.Params(accounts=("scanner",)))
    assert _positions(detector, _logins([0, 1], user="scanner")) == [0]
    assert _positions(detector, _logins([0, 1], user="postgres")) == []
    none = system_account_login.DETECTOR(system_account_login.Params(accounts=()))
    assert _positions(none, _logins([0, 1], user="postgres")) == []


@pytest.mark.parametrize("attempts", [3, 12])
def test_other_numbers_of_paced_attempts(attempts: int) -> None:
    failures = _logins([hour / 3 for hour in range(14)], outcome="failure")
    assert _positions(bf_paced.DETECTOR(bf_paced.Params(attempts=attempts)), failures)[0] == attempts - 1
