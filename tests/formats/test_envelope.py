"""Syslog envelopes beyond what the openssh fixture shows: other programs, mixed forms, broken journal entries."""

from __future__ import annotations

import json
import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import time_us

from livesec.core.batch import StreamInfo
from livesec.formats.envelope import EnvelopeState, decode, has_envelope
from livesec.formats.journald_json import decode_journal
from livesec.formats.unwrapping import unwrap

STREAM = StreamInfo(1, "0" * 16, "syslog", time_us("2026-03-05T00:00:00Z"))


def frame(lines: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"line_index": range(len(lines)), "line": lines}, {"line_index": pl.UInt32, "line": pl.String})


def decoded(lines: list[str]) -> list[tuple[object, ...]]:
    return decode(frame(lines), EnvelopeState(), STREAM).rows()


def entry(**fields: object) -> str:
    return json.dumps(
        {"__REALTIME_TIMESTAMP": "1772409601000000", "SYSLOG_IDENTIFIER": "sudo", "MESSAGE": "m"} | fields
    )


def test_forms_in_any_mixture_keep_their_order() -> None:
    at = time_us("2026-03-02T00:00:01Z")
    assert decoded(
        [
            "2026-03-02T00:00:01Z web01 sudo: one",
            "Mar  2 00:00:01 web01 sudo[2]: two: three",
            entry(_HOSTNAME="web01", _PID="3"),
            "no envelope",
            "<13>1 2026-03-02T00:00:01Z web01 sudo 4 - - four",
            "",
            "Mar  2 00:00:01 web01 kernel: [    0.1] five",
        ]
    ) == [
        (0, at, "web01", "sudo", None, "one"),
        (1, at, "web01", "sudo", 2, "two: three"),
        (2, at, "web01", "sudo", 3, "m"),
        (4, at, "web01", "sudo", 4, "four"),
        (6, at, "web01", "kernel", None, "[    0.1] five"),
    ]


def test_nothing_to_decode() -> None:
    assert decoded([]) == []
    assert decoded(["a", "2026", "<13>", "1 x", "{"]) == []


def test_times_that_no_log_has_are_null() -> None:
    assert [
        row[1] for row in decoded([entry(__REALTIME_TIMESTAMP="9" * 18), entry(__REALTIME_TIMESTAMP="9" * 30)])
    ] == [
        None,
        None,
    ]


def test_one_broken_entry_does_not_spoil_the_others() -> None:
    lines = [entry(MESSAGE=f"m{number}") for number in range(50)]
    lines[17] = lines[17][:-5]
    lines[30] = "{}"
    lines[31] = entry(SYSLOG_IDENTIFIER=["a", "b"])
    lines[40] = entry(MESSAGE=[104, 105, 255])
    lines[41] = entry(MESSAGE=[104, 1000])
    entries = decode_journal(frame(lines))
    assert entries["line_index"].to_list() == [number for number in range(50) if number not in (17, 30, 31)]
    assert entries.filter(pl.col("line_index").is_in([40, 41]))["message"].to_list() == ["hi\ufffd", None]


def rsyslog(**fields: object) -> str:
    return json.dumps({"timereported": "2026-03-02T00:00:01Z", "syslogtag": "sshd[7]:", "msg": " m"} | fields)


def test_records_of_rsyslog_are_read_by_either_template() -> None:
    at = time_us("2026-03-02T00:00:01Z")
    lines = [
        rsyslog(hostname="web01", programname="sshd"),
        entry(_HOSTNAME="web01"),
        json.dumps(
            {
                "@timestamp": "2026-03-02T01:00:01+01:00",
                "host": "web02",
                "severity": "info",
                "facility": "auth",
                "syslogtag": "sudo:",
                "message": "a: b",
            }
        ),
        json.dumps({"timegenerated": "2026-03-02T00:00:01Z", "programname": "su", "hostname": "-", "msg": "x"}),
        rsyslog(timereported="no time"),
    ]
    assert decoded(lines) == [
        (0, at, "web01", "sshd", 7, "m"),
        (1, at, "web01", "sudo", None, "m"),
        (2, at, "web02", "sudo", None, "a: b"),
        (3, at, None, "su", None, "x"),
        (4, None, None, "sshd", 7, "m"),
    ]
    assert has_envelope(pl.Series(lines)).all()
    assert unwrap(frame(lines), EnvelopeState(), STREAM).messages["line_index"].to_list() == [0, 1, 2, 3]


def test_json_without_tag_time_or_message_is_no_record_of_rsyslog() -> None:
    lines = [
        rsyslog()[:-1],
        json.dumps({"@timestamp": "2026-03-02T00:00:01Z", "message": "m"}),
        json.dumps({"syslogtag": "sshd:", "msg": "m"}),
        json.dumps({"syslogtag": "sshd:", "@timestamp": "2026-03-02T00:00:01Z"}),
        json.dumps({"message": "m", "inner": {"syslogtag": "sshd:", "@timestamp": "2026-03-02T00:00:01Z"}}),
        rsyslog(),
    ]
    assert [row[0] for row in decoded(lines)] == [5]


def test_years_do_not_depend_on_cuts() -> None:
    lines = ["Dec 31 23:59:59 h p: a", "Jan  1 00:00:00 h p: b", "Dec 31 23:59:58 h p: c", "Jan  1 00:00:01 h p: d"]
    whole = decode(frame(lines), EnvelopeState(), STREAM)["event_time_us"].to_list()
    state, pieces = EnvelopeState(), list[int]()
    for line in lines:
        pieces += decode(frame([line]), state, STREAM)["event_time_us"].to_list()
        state = EnvelopeState.from_bytes(state.to_bytes())
    assert pieces == whole


WORDS = (
    "Mar  2 00:00:01 |Mar 2 00:00:01 |Mar 12 00:00:01.25 |Foo  2 00:00:01 |2026-03-02T00:00:01Z |<13>|1 | |\t|web01 |"
    "sudo[2]: |sudo: |sudo[+7]: |a[b[3]]: |x]: |:|[|]|]:|é|two"
)
PIECES = st.sampled_from(WORDS.split("|"))
TAG = re.compile(r"(?:(?![^ ]*: )(?![^ ]*:\Z)([^ ]*) )?([^ ]*:)(?: (.*))?\Z", re.DOTALL)


def read_slowly(rest: str) -> tuple[object, ...] | None:
    """host, program, pid and message of what follows a stamp."""
    found = TAG.match(rest)
    if found is None:
        host, _, message = rest.partition(" ")
        return (host, None, None, message) if message else None
    tag = found[2].removesuffix(":").removesuffix("]")
    program, bracket, pid = tag.partition("[")
    number = pl.Series([pid if bracket else None], dtype=pl.String).cast(pl.Int64, strict=False)[0]
    return found[1], program, number, found[3] or ""


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.lists(PIECES, max_size=7).map("".join), max_size=12))
def test_hosts_tags_and_messages_as_read_slowly(rests: list[str]) -> None:
    wanted = [(row, *found) for row, rest in enumerate(rests) if (found := read_slowly(rest)) is not None]
    stamped = decoded(["Mar  2 00:00:01 " + rest for rest in rests])
    assert [(index, *others) for index, _, *others in stamped] == wanted
    assert {time for _, time, *_ in stamped} <= {time_us("2026-03-02T00:00:01Z")}
    iso = decoded(["2026-03-02T00:00:01Z " + rest for rest in rests])
    assert iso == stamped


@settings(deadline=None, max_examples=examples(200))
@given(st.lists(st.lists(PIECES, max_size=9).map("".join), max_size=12))
def test_lines_around_a_line_do_not_matter(lines: list[str]) -> None:
    state = EnvelopeState()
    alone = [(row, *one[1:]) for row, line in enumerate(lines) for one in decode(frame([line]), state, STREAM).rows()]
    assert decoded(lines) == alone


def test_what_has_an_envelope() -> None:
    has = [
        "Mar  2 00:00:01 web01 CRON[9]: x",
        "Mar 2 00:00:01.5 web01 -- MARK --",
        "<30>2026-03-02T00:00:01.5+01:00 web01 systemd[1]: x",
        "<30>1 2026-03-02T00:00:01Z web01 app - - - x",
        entry(),
    ]
    has_not = [
        "2026-03-02 00:00:01,alice,192.0.2.1",
        "Mon Mar  2 00:00:01 2026 [pid 2] CONNECT",
        '{"ts":1521911724.699488,"uid":"C"}',
        "2026-03-02T00:00:01Z",
        "192.0.2.1 - - [02/Mar/2026:00:00:01 +0000] x",
    ]
    assert has_envelope(pl.Series(has + has_not)).to_list() == [True] * len(has) + [False] * len(has_not)
