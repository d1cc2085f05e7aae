"""Zeek's logs beside each other: each line is taken by the format of its log, whatever the others take before."""

from __future__ import annotations

from typing import Any

import pytest
from tests.formats.fixture import ExpectedLine, read_fixture

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.protocols import Format
from livesec.core.schema import LogType
from livesec.formats import known_formats, zeek_ssh
from livesec.formats.stream_parser import Sniffed, StreamParser, sniff
from livesec.formats.zeek_logs import TELLING, ZeekLog

LOGS = sorted(form.name for form in known_formats() if isinstance(form, ZeekLog))
ALL = [*LOGS, "zeek_other"]
STREAM = StreamInfo(1, "0" * 16, "zeek", 1_772_409_600_000_000)


def taken_by(formats: tuple[Format[Any], ...], lines: list[ExpectedLine]) -> list[str]:
    """The one of `formats` that took each line, "" for none; line by line, saved and restored in between."""
    parser = StreamParser(STREAM, formats)
    found = []
    for expected in lines:
        parsed = parser.parse(batch_of_bytes(STREAM, expected.line + b"\n"))
        found.append(next(iter(parsed.formats), ""))
        parser = StreamParser.from_bytes(parser.to_bytes(), STREAM, formats)
    return found


def test_each_log_has_one_format() -> None:
    formats = [form for form in known_formats() if isinstance(form, ZeekLog)]
    assert sorted(form.log for form in formats) == sorted(TELLING)
    assert all(form.name == f"zeek_{form.log}" for form in formats)


@pytest.mark.parametrize("name", ALL)
def test_a_fixture_is_taken_by_its_format_among_all(name: str) -> None:
    for section in read_fixture(name):
        for expected, taker in zip(section.lines, taken_by(known_formats(), section.lines), strict=True):
            if expected.disposition == "other":
                assert taker != name, f"{name}.log:{expected.number}"
            else:
                assert taker == name, f"{name}.log:{expected.number}: taken by {taker!r}"


def test_logs_in_one_stream_give_what_they_give_apart_however_they_are_cut() -> None:
    sections = [section for name in ALL for section in read_fixture(name)]
    lines = [expected for section in [*sections, *reversed(sections)] for expected in section.lines]
    formats = tuple(form for form in known_formats() if form.name in ALL)
    parts = taken_by(formats, lines)
    data = b"".join(expected.line + b"\n" for expected in lines)
    whole = StreamParser(STREAM, formats).parse(batch_of_bytes(STREAM, data))
    assert whole.formats == {name: parts.count(name) for name in {*parts} - {""}}
    assert set(whole.formats) >= set(ALL)


def test_a_log_that_is_not_read_is_known_and_of_no_type() -> None:
    line = b'{"_path":"http","ts":1772409600.25,"uid":"C1"}\n'
    assert sniff(batch_of_bytes(STREAM, line), known_formats()) == Sniffed("zeek_other", None, 1.0)


def test_headers_without_end_are_read() -> None:
    heads = (f"#path\tssh\n#fields\tts\tid.orig_h\tx{at}\n1772409600.5\t192.0.2.1\ty\n" for at in range(3_000))
    parsed = StreamParser(STREAM, (zeek_ssh.FORMAT,)).parse(batch_of_bytes(STREAM, "".join(heads).encode()))
    assert parsed.rows[LogType.LOGIN].height == 3_000
