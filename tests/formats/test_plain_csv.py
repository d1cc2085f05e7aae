"""The quick way to read CSV lines gives what the careful way gives, or leaves the line to it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.core.batch import NOTHING_PARSED, Parsed, StreamInfo
from livesec.core.schema import LogType
from livesec.formats.csv_log import NETWORK_HEADER, HeaderSeen
from livesec.formats.livesec_network_csv import LivesecNetworkCsv
from livesec.formats.plain_csv import LOWER_TEXT, NUMBER, TEXT, TIME, Plain, read_plain

PLAIN_FIELDS = ("2026-03-02 00:00:01", "192.0.2.1", "198.51.100.7", "443", "TCP", "10", "20", "1")
ODD = (
    *(
        "",
        " ",
        "0",
        "-1",
        "+5",
        "12.0",
        "007",
        "65536",
        "999999999999999999",
        "1000000000000000000",
        "9" * 19,
        "9" * 25,
    ),
    *(
        "::1",
        "::ffff:192.0.2.1",
        "2001:db8::1",
        ":",
        "é",
        "TCP ",
        '"a"',
        '"a,b"',
        '"',
        "a" * 40,
        "a" * 41,
        "\x00",
        "\x01",
    ),
    *(
        "2026-02-29 00:00:00",
        "2024-02-29 23:59:59",
        "2000-02-29 12:00:00",
        "2100-02-29 12:00:00",
        "2026-04-31 00:00:00",
    ),
    *(
        "1970-01-01 00:00:00",
        "1969-12-31 23:59:59",
        "2199-12-31 23:59:59",
        "2200-01-01 00:00:00",
        "2026-13-01 00:00:00",
    ),
    *(
        "2026-03-02 24:00:00",
        "2026-03-02 00:60:00",
        "2026-03-02 00:00:60",
        "2026-03-02T00:00:01",
        "2026-03-02 00:00:01Z",
    ),
    *("2026-03-29 02:30:00", "2026-10-25 02:30:00", "timestamp", "2026-00-10 00:00:00", "2026-03-00 00:00:00"),
)
LINE = st.one_of(
    st.lists(st.sampled_from(ODD), max_size=9).map(",".join),
    st.tuples(*(st.one_of(st.just(usual), st.just(usual), st.sampled_from(ODD)) for usual in PLAIN_FIELDS)).map(
        ",".join
    ),
    st.sampled_from([",".join(NETWORK_HEADER), "port,timestamp,source_ip,dest_ip", "{}", ""]),
)


class Careful(LivesecNetworkCsv):
    """The same log without the quick way."""

    plain = {}  # noqa: RUF012


def parsed(form: LivesecNetworkCsv, lines: list[str], zone: str) -> tuple[HeaderSeen, Parsed]:
    stream = StreamInfo(1, "0" * 16, "network_logs.csv", 0, zone)
    state, _ = form.parse(form.initial(stream), stream, numbered([",".join(NETWORK_HEADER)]))
    return form.parse(state, stream, numbered(lines))


def numbered(lines: list[str]) -> pl.DataFrame:
    index = pl.Series("line_index", range(len(lines)), dtype=pl.UInt32)
    return pl.DataFrame([index, pl.Series("line", lines, dtype=pl.String)])


@settings(deadline=None)
@given(st.lists(LINE, min_size=1, max_size=12), st.sampled_from(["UTC", "Europe/Paris", "America/New_York"]))
def test_it_makes_no_difference(lines: list[str], zone: str) -> None:
    state, quick = parsed(LivesecNetworkCsv(), lines, zone)
    other_state, careful = parsed(Careful(), lines, zone)
    assert state == other_state
    assert quick.consumed.tolist() == careful.consumed.tolist()
    assert quick.rejects.equals(careful.rejects)
    none = NOTHING_PARSED.rejects.clear()
    assert quick.rows.get(LogType.NETWORK, none).equals(careful.rows.get(LogType.NETWORK, none))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", range(len(PLAIN_FIELDS)))
def test_one_odd_field_makes_no_difference(odd: str, place: int) -> None:
    line = ",".join([*PLAIN_FIELDS[:place], odd, *PLAIN_FIELDS[place + 1 :]])
    usual = ",".join(PLAIN_FIELDS)
    _, quick = parsed(LivesecNetworkCsv(), [usual, line, usual], "Europe/Paris")
    _, careful = parsed(Careful(), [usual, line, usual], "Europe/Paris")
    assert quick.rejects.equals(careful.rejects)
    assert quick.rows[LogType.NETWORK].equals(careful.rows[LogType.NETWORK])


def test_days_are_those_of_the_calendar() -> None:
    days = np.arange("1970-01-01", "2200-01-01", 13, dtype="datetime64[D]")
    lines = pl.Series([f"{day} 12:34:56" for day in days])
    found = read_plain(lines, [Plain(TIME)])
    assert found.is_plain.all()
    expected = days.astype("datetime64[us]").astype(np.int64) + ((12 * 60 + 34) * 60 + 56) * 1_000_000
    assert np.array_equal(found.fields[0].to_numpy(), expected)


def test_what_is_plain() -> None:
    lines = pl.Series(["192.0.2.1,TCP,9", ",TCP,9", "192.0.2.1,tcp,10", "192.0.2.1,Ä,9", "192.0.2.1,udp,9,", "a,b,"])
    found = read_plain(lines, [Plain(TEXT), Plain(LOWER_TEXT), Plain(NUMBER, largest=9)])
    assert found.is_plain.tolist() == [True, False, False, False, False, False]
    assert [column.to_list() for column in found.fields] == [["192.0.2.1"], ["tcp"], [9]]
