"""Numbers, times and states at their edges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from livesec.core.batch import StreamInfo
from livesec.core.country_names import iso_code
from livesec.core.errors import StateVersionError
from livesec.core.protocols import Format
from livesec.formats import (
    livesec_login_csv,
    livesec_network_csv,
    livesec_transfer_csv,
    vsftpd,
    xferlog,
    zeek_conn,
)
from livesec.formats.text_times import epoch_us, iso_us, month_first_us
from livesec.formats.typed_fields import address, count, ip_address, port, seconds

OWN: list[Format[Any]] = [
    livesec_login_csv.FORMAT,
    livesec_network_csv.FORMAT,
    livesec_transfer_csv.FORMAT,
    vsftpd.FORMAT,
    xferlog.FORMAT,
    zeek_conn.FORMAT,
]


@pytest.mark.parametrize(
    ("text", "value", "bad"),
    [
        ("0", 0, False),
        ("9223372036854775807", 9_223_372_036_854_775_807, False),
        ("9223372036854775808", None, True),
        ("-1", None, True),
        ("1234.0", 1234, False),
        (" 12 ", 12, False),
        ("1.5", None, True),
        ("1e400", None, True),
        ("nan", None, True),
        ("twelve", None, True),
        ("", None, False),
        (None, None, False),
    ],
)
def test_count(text: str | None, value: int | None, bad: bool) -> None:
    read = count(pl.Series([text], dtype=pl.String))
    assert read.values.to_list() == [value]
    assert (read.bad is not None and read.bad.to_list() == [True]) == bad


def test_a_value_does_not_depend_on_its_neighbours() -> None:
    texts = pl.Series(["1", "2.0", "x", "", None, "70000"])
    for reader in (count, port, seconds, address, ip_address):
        together = reader(texts).values.to_list()
        assert together == [reader(texts.slice(place, 1)).values[0] for place in range(len(texts))]


def test_addresses() -> None:
    mapped = ["::ffff:192.0.2.1", "::FFFF:192.0.2.1", "::ffff:c000:201"]
    texts = pl.Series([*mapped, "2001:DB8:0:0::1", "fe80::1%eth0", "gate:way", ""])
    spelt = ["192.0.2.1"] * 3 + ["2001:db8::1", "fe80::1%eth0"]
    assert address(texts).values.to_list() == [*spelt, "gate:way", None]
    assert ip_address(texts).values.to_list() == [*spelt, None, None]


def moment(text: str, zone: str = "UTC") -> str | None:
    time_us = iso_us(pl.Series([text]), zone)[0]
    return None if time_us is None else datetime.fromtimestamp(time_us / 1_000_000, UTC).isoformat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02 00:00:00", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02T00:00:00.5+0530", "2026-03-01T18:30:00.500000+00:00"),
        ("2026-03-02T00:00:00-03:30", "2026-03-02T03:30:00+00:00"),
        ("2026-03-02 00:00:00 UTC", "2026-03-02T00:00:00+00:00"),
        ("2026-03-02 00:00:00,123456789", "2026-03-02T00:00:00.123456+00:00"),
        ("1969-12-31 23:59:59", None),
        ("2200-01-01 00:00:00", None),
        ("2199-12-31 23:59:59", "2199-12-31T23:59:59+00:00"),
        ("0000-00-00 00:00:00", None),
        ("2026-02-29 00:00:00", None),
        ("2026-03-02 00:00:00+99:00", None),
        ("2026-03-02 00:00:00 and so on", None),
        ("2026-03-02", None),
        ("", None),
    ],
)
def test_iso_times(text: str, expected: str | None) -> None:
    assert moment(text) == expected


def test_zone_of_the_stream_counts_only_where_none_is_written() -> None:
    assert moment("2026-07-02 00:00:00", "Europe/Paris") == "2026-07-01T22:00:00+00:00"
    assert moment("2026-07-02 00:00:00Z", "Europe/Paris") == "2026-07-02T00:00:00+00:00"


def test_other_times() -> None:
    assert epoch_us(pl.Series(["1772409600.000001", "1e400", "inf", "-1"])).to_list() == [
        1_772_409_600_000_001,
        None,
        None,
        None,
    ]
    assert month_first_us(pl.Series(["Mar  2 00:00:00 2026", "Foo  2 00:00:00 2026"]), "UTC").to_list() == [
        1_772_409_600_000_000,
        None,
    ]


def test_countries() -> None:
    assert [iso_code(name) for name in ("North Korea", "iran", "Cote d'Ivoire", "US", "usa", "Russian Federation")] == [
        "KP",
        "IR",
        "CI",
        "US",
        "US",
        "RU",
    ]
    assert [iso_code(name) for name in ("", "-", "Unknown", "x" * 1000)] == [None] * 4


@pytest.mark.parametrize("form", OWN, ids=lambda form: form.name)
def test_a_state_of_another_layout_is_refused(form: Format[Any]) -> None:
    stream = StreamInfo(1, "0" * 16, "x", 0)
    assert form.from_bytes(form.to_bytes(form.initial(stream))) == form.initial(stream)
    for blob in (b"{", b'{"version": 99}', b"[]", b"\x80\x04N."):
        with pytest.raises(StateVersionError):
            form.from_bytes(blob)
