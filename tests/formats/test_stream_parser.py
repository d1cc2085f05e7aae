"""A whole stream through all formats: every line accounted for, rows in their places, saved and restored anywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import pieces, read_fixture, time_us

from livesec.core.batch import NOTHING_PARSED, Parsed, RawBatch, StreamInfo, batch_of_bytes
from livesec.core.errors import SettingsError, StateVersionError
from livesec.core.schema import LogType, dtypes
from livesec.formats import known_formats
from livesec.formats.stateless import StatelessFormat
from livesec.formats.stream_parser import ParsedBatch, Sniffed, StreamParser, sniff

STREAM = StreamInfo(7, "0" * 16, "auth.log", time_us("2026-03-05T00:00:00Z"))
FAILED = "Mar  2 00:00:{:02d} web01 sshd[{}]: Failed password for root from 192.0.2.1 port {} ssh2"


def batch(lines: list[str], first_sequence: int = 0, start_offset: int = 0) -> RawBatch:
    data = "".join(line + "\n" for line in lines).encode()
    return batch_of_bytes(STREAM, data, start_offset, first_sequence)


def parse(lines: list[str], first_sequence: int = 0, start_offset: int = 0) -> ParsedBatch:
    return StreamParser(STREAM, known_formats()).parse(batch(lines, first_sequence, start_offset))


def test_rows_know_their_place() -> None:
    parsed = parse([FAILED.format(1, 5, 22), "", FAILED.format(2, 6, 23)], first_sequence=100, start_offset=1000)
    rows = parsed.rows[LogType.LOGIN]
    assert dict(rows.schema) == {name: dtype for name, dtype in dtypes(LogType.LOGIN).items()}
    assert rows["sequence"].to_list() == [100, 102]
    assert rows["line_offset"].to_list() == [1000, 1000 + len(FAILED.format(1, 5, 22)) + 2]
    assert rows["line_length"].to_list() == [len(FAILED.format(1, 5, 22))] * 2
    assert rows["stream_id"].to_list() == [7, 7]
    assert rows["row_in_line"].to_list() == [0, 0]
    assert rows["stream_time_us"].to_list() == [time_us("2026-03-02T00:00:01Z"), time_us("2026-03-02T00:00:02Z")]


def test_every_line_is_accounted_for() -> None:
    parsed = parse(
        [
            FAILED.format(1, 5, 22),
            "Mar  2 00:00:01 web01 ntpd[9]: adjusting local clock",
            "Mar  2 00:00:01 web01 sshd[1]: Server listening on 0.0.0.0 port 22.",
            "   ",
            "what is this",
            FAILED.format(9, 5, 22).replace("Failed", "message repeated 4 times: [ Failed") + "]",
        ]
    )
    assert (parsed.lines, parsed.consumed, parsed.skipped, parsed.rejects.height) == (6, 2, 3, 1)
    assert parsed.rejects.rows() == [(4, "unknown format")]
    assert parsed.events == 5
    assert parsed.formats == {"openssh": 3}


@pytest.mark.parametrize(
    "line",
    [
        "Feb 30 10:00:00 web01 sshd[331]: Failed password for root from 198.51.100.7 port 1 ssh2",
        "sshd[331]: Failed password for root from 198.51.100.7 port 1 ssh2",
        "2026-13-02T00:00:01Z deb sshd[4]: Failed password for root from 198.51.100.7 port 1 ssh2",
        '{"__REALTIME_TIMESTAMP":"soon","_HOSTNAME":"deb","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Failed"}',
        '{"__REALTIME_TIMESTAMP":"1772409605000000","_HOSTNAME":"deb","SYSLOG_IDENTIFIER":"sshd","MESS',
    ],
)
def test_a_message_of_a_known_program_without_a_time_is_a_reject(line: str) -> None:
    parsed = parse([line])
    assert parsed.rejects["reason"].str.contains("without a time").to_list() == [True]


def test_a_line_inside_an_envelope_is_read_as_one_without() -> None:
    inside = '{"ts":1772409600.5,"uid":"C","id.orig_h":"192.0.2.1","id.resp_h":"198.51.100.7","conn_state":"SF"}'
    for head in ("Mar  2 00:00:01 sensor zeek: ", "<13>1 2026-03-02T00:00:01Z sensor zeek - - - "):
        parsed = parse([head + inside, inside, "Mar  2 00:00:01 sensor zeek: other"])
        assert parsed.rows[LogType.NETWORK].select("sequence", "src_ip").rows() == [(0, "192.0.2.1"), (1, "192.0.2.1")]
        assert (parsed.skipped, parsed.rejects.height) == (1, 0)


def test_values_without_a_header_are_told_what_it_would_be() -> None:
    parsed = parse(["2026-03-02 10:00:00,alice,192.0.2.1,DE,True,agent"])
    assert not parsed.rows
    (reason,) = parsed.rejects["reason"]
    assert "timestamp,username,ip_address,country,success,user_agent" in reason


def test_a_cut_line_is_read_as_far_as_it_goes() -> None:
    whole = FAILED.format(1, 5, 22)
    raw = batch([whole + " " + "x" * 50])
    cut = RawBatch(STREAM, whole.encode() + b"\n", raw.starts, raw.kept * 0 + len(whole), raw.offsets, raw.lengths, 0)
    rows = StreamParser(STREAM, known_formats()).parse(cut).rows[LogType.LOGIN]
    assert rows["line_length"].to_list() == [len(whole) + 51]


def test_an_empty_batch() -> None:
    parsed = parse([])
    assert (parsed.lines, parsed.consumed, parsed.skipped, parsed.events, parsed.rows) == (0, 0, 0, 0, {})


def test_rows_of_two_log_types_move_one_clock() -> None:
    lines = [
        "timestamp,username,ip_address,country,success,user_agent",
        "2026-03-02 10:00:00,alice,192.0.2.1,DE,True,agent",
        "2026-03-02 10:30:00,alice,192.0.2.1,DE,True,agent",
        "timestamp,username,filename,file_size,action,destination",
        "2026-03-02 10:15:00,alice,/a,1,upload,local",
    ]
    parsed = parse(lines)
    assert parsed.rows[LogType.FILE_TRANSFER]["stream_time_us"].to_list() == [time_us("2026-03-02T10:30:00Z")]
    assert parsed.events == 3


@cache
def every_fixture() -> list[bytes]:
    return [
        expected.line for form in known_formats() for section in read_fixture(form.name) for expected in section.lines
    ]


@settings(deadline=None, max_examples=examples(25))
@given(data=st.data())
def test_any_cut_with_save_and_restore_gives_the_same(data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(every_fixture()), max_size=60))
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=5))
    formats = known_formats()

    def run(at: list[int], *, restore: bool) -> tuple[dict[LogType, pl.DataFrame], list[tuple[int, str]], int]:
        parser = StreamParser(STREAM, formats)
        frames: dict[LogType, list[pl.DataFrame]] = {}
        rejects, counted, sequence, offset = [], 0, 0, 0
        for piece in pieces(lines, at):
            if restore:
                parser = StreamParser.from_bytes(parser.to_bytes(), STREAM, formats)
            raw = batch_of_bytes(STREAM, b"".join(line + b"\n" for line in piece), offset, sequence)
            parsed = parser.parse(raw)
            assert parsed.lines == parsed.consumed + parsed.skipped + parsed.rejects.height == len(piece)
            for log_type, rows in parsed.rows.items():
                frames.setdefault(log_type, []).append(rows)
            rejects += [(index + sequence, reason) for index, reason in parsed.rejects.rows()]
            counted += parsed.events
            sequence, offset = sequence + len(piece), raw.end_offset
        return {log_type: pl.concat(many) for log_type, many in frames.items()}, rejects, counted

    whole, in_pieces = run([], restore=False), run(cuts, restore=True)
    assert whole[1:] == in_pieces[1:]
    assert set(whole[0]) == set(in_pieces[0])
    for log_type, rows in whole[0].items():
        assert rows.equals(in_pieces[0][log_type])
        assert rows.select("sequence", "row_in_line").is_sorted(["sequence", "row_in_line"])


def test_a_saved_state_of_another_version_says_so() -> None:
    saved = StreamParser(STREAM, known_formats()).to_bytes()
    with pytest.raises(StateVersionError, match=re.escape("auth.log: saved parser")):
        StreamParser.from_bytes(saved.replace(b'{"version": 3', b'{"version": 9'), STREAM, known_formats())
    for size in (0, 3, 20, len(saved) - 1):
        with pytest.raises(StateVersionError):
            StreamParser.from_bytes(saved[:size], STREAM, known_formats())


def test_formats_that_came_or_went_since_the_save_do_not_matter() -> None:
    some = [form for form in known_formats() if form.name in ("openssh", "vsftpd")]
    saved = StreamParser(STREAM, some).to_bytes()
    assert [form.name for form in StreamParser.from_bytes(saved, STREAM, some[:1]).formats] == [some[0].name]
    assert len(StreamParser.from_bytes(saved, STREAM, known_formats()).formats) == len(known_formats())


def test_an_unknown_zone_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="Mars/Base"):
        StreamParser(replace(STREAM, time_zone="Mars/Base"), known_formats())


class Broken(StatelessFormat):
    """Fails on lines with `boom` in them."""

    name, title, log_types, order = "broken", "for a test", (LogType.LOGIN,), 30

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def read(self, stream: StreamInfo, lines: pl.DataFrame) -> Parsed:
        if lines["line"].str.contains("boom").any():
            raise self.error
        return NOTHING_PARSED


@pytest.mark.parametrize("error", [ValueError("odd"), pl.exceptions.PanicException("internal")])
def test_a_format_that_fails_costs_one_batch(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    parser = StreamParser(STREAM, [*known_formats(), Broken(error)])
    parsed = parser.parse(batch([FAILED.format(1, 5, 22), "boom", ""]))
    assert (parsed.lines, parsed.consumed, parsed.skipped) == (3, 1, 0)
    reason = "broken could not read this batch: internal fault"
    assert parsed.rejects.rows() == [(1, reason), (2, reason)]
    assert parsed.formats == {"openssh": 1, "broken": 2}
    assert "auth.log: broken could not read" in caplog.text
    after = parser.parse(batch([FAILED.format(2, 6, 23), ""]))
    assert (after.consumed, after.skipped, after.rejects.height) == (1, 1, 0)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stop_is_no_fault_of_a_format(stop: type[BaseException]) -> None:
    with pytest.raises(stop):
        StreamParser(STREAM, [Broken(stop())]).parse(batch(["boom"]))


def test_sniffing() -> None:
    other = "Mar  2 00:00:01 web01 ntpd[9]: adjusting local clock"
    assert sniff(batch([FAILED.format(1, 5, 22), other, ""]), known_formats()) == Sniffed("openssh", LogType.LOGIN, 1.0)
    assert sniff(batch([FAILED.format(1, 5, 22), "what"]), known_formats()).confidence == 0.5
    assert sniff(batch([other]), known_formats()) == Sniffed(None, None, 0.0)
    assert sniff(batch([]), known_formats()) == Sniffed(None, None, 0.0)
