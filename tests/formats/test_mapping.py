"""Mapping files: the documented examples do what they say, wrong files say where, and the formats' contract holds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import run_format

from livesec.core.batch import StreamInfo, batch_of_bytes
from livesec.core.errors import MappingError, SettingsError
from livesec.core.schema import LOG_TYPES, LogType
from livesec.formats import known_formats
from livesec.formats.column_readers import readable_columns
from livesec.formats.mapped_format import MappedFormat, mapped_format
from livesec.formats.stream_parser import StreamParser
from livesec.pipeline.assembly import all_formats

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
STREAM = StreamInfo(1, "00", "own.log", int(datetime(2026, 3, 5, tzinfo=UTC).timestamp()) * 1_000_000)
QUIET = settings(deadline=None, max_examples=examples(40))

VPN = [
    b"when;account;peer;result;client",
    b"02.03.2026 10:00:00;ann;192.0.2.1;OK;-",
    b'02.03.2026 10:00:07;root;203.0.113.9;BAD_PASSWORD;"a;b"',
    b"02.03.2026 10:00:08;root;gate;NEWS;-",
    b"yesterday;root;203.0.113.9;OK;-",
    b"02.03.2026 10:00:08;root;203.0.113.9;OK",
    b"02.03.2026 10:00:08;r\xff\x1b[2J;203.0.113.9;LOCKED;-",
    b"Mar  2 00:00:01 web sshd[1]: Failed password for root from 192.0.2.1 port 4242 ssh2",
]
PROXY = [
    b'{"ts":1772445600000,"from":{"ip":"192.0.2.1","port":50000},"to":{"ip":"198.51.100.7","port":443},'
    b'"sent":1200,"got":34000,"verdict":"pass"}',
    b'{"ts":1772445600000,"from":{"ip":"192.0.2.1"},"to":{"ip":"198.51.100.7"},"verdict":"perhaps"}',
    b'{"ts":"x","from":{"ip":"192.0.2.1"},"verdict":"pass"}',
    b'{"ts":1772445600000,"from":{"ip":"192.0.2.1"},"verdict":"pa',
    b'{"verdict":"pass"}',
    b'{"ts":1772445600000,"from":{"ip":"192.0.2.1"}}',
]
BACKUP = [
    b"Mar  2 10:00:00 nas1 backup-agent[77]: user ann put /srv/plan.pdf (2048 bytes) from 192.0.2.1: done",
    b"Mar  2 10:00:01 nas1 backup-agent[77]: user ann put /x (1 bytes) from 203.0.113.9: done (7 bytes) "
    b"from 192.0.2.1: denied",
    b"Mar  2 10:00:02 nas1 backup-agent[77]: started",
    b"Mar  2 10:00:02 nas1 cron[77]: user ann put /srv/plan.pdf (2048 bytes) from 192.0.2.1: done",
]
HEADED = [
    b"ts|who|ok",
    b"1772445600|ann|1",
    b"1772445601|bob|0",
    b"ok|more|who|ts",
    b'1|x|a"b|1772445602.5',
    b"nothing here",
]
HEADED_FILE = """kind = "delimited"
log_type = "login"
delimiter = "|"
header = true
[fields]
event_time = { from = "ts", layout = "epoch" }
user = "who"
outcome = { from = "ok", words = { success = ["1"], failure = ["0"] } }
"""


def written(folder: Path, text: str, name: str = "own") -> str:
    path = folder / f"{name}.format.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def example(name: str) -> MappedFormat:
    return mapped_format(str(EXAMPLES / f"{name}.format.toml"))


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[MappedFormat, list[bytes]]]:
    folder = tmp_path_factory.mktemp("mapping")
    headed = mapped_format(written(folder, HEADED_FILE, "headed"))
    held = mapped_format(written(folder, HEADED_FILE.replace("[fields]", 'filter = "|bob|"\n[fields]'), "held"))
    spaced = mapped_format(written(folder, HEADED_FILE.replace('"|"', '" - "'), "spaced"))
    return [
        (example("vpn-gateway"), VPN),
        (example("proxy"), PROXY),
        (example("backup-agent"), BACKUP),
        (headed, HEADED),
        (held, HEADED),
        (spaced, [line.replace(b"|", b" - ") for line in HEADED]),
    ]


def test_the_delimited_example() -> None:
    outcome = run_format(example("vpn-gateway"), STREAM, VPN)
    rows = outcome.rows[LogType.LOGIN]
    assert rows[0] == {
        "line_index": 1,
        "event_time_us": 1772442000000000,  # 10:00 in Berlin is 09:00 UTC
        "user": "ann",
        "src_ip": "192.0.2.1",
        "outcome": "success",
        "reason": "OK",
        "service": "vpn-gateway",
        "count": 1,
    }
    assert (rows[1]["outcome"], rows[1]["client"]) == ("failure", "a;b")
    assert (rows[2]["outcome"], rows[2].get("src_ip")) == ("attempt", None)
    assert rows[3]["user"] == "r\ufffd\x1b[2J"
    assert outcome.dispositions == dict.fromkeys((0, 1, 2, 3, 6), "consumed")  # others are left to other formats


def test_the_json_example() -> None:
    outcome = run_format(example("proxy"), STREAM, PROXY)
    (row,) = outcome.rows[LogType.NETWORK]
    assert row == {
        "line_index": 0,
        "event_time_us": 1772445600000000,
        "src_ip": "192.0.2.1",
        "src_port": 50000,
        "dst_ip": "198.51.100.7",
        "dst_port": 443,
        "bytes_out": 1200,
        "bytes_in": 34000,
        "protocol": "tcp",
        "action": "allow",
        "connections": 1,
    }
    assert outcome.reasons[1] == "verdict: a word that stands for no action"
    assert outcome.reasons[2] == "ts: no time of the layout epoch_ms"
    assert "broken JSON" in outcome.reasons[3]
    assert outcome.reasons[4].startswith("ts: no such key")
    assert 5 not in outcome.dispositions  # without the literal


def test_the_regex_example_takes_the_time_of_the_envelope() -> None:
    outcome = run_format(example("backup-agent"), STREAM, BACKUP)
    first, forged = outcome.rows[LogType.FILE_TRANSFER]
    assert first == {
        "line_index": 0,
        "event_time_us": 1772445600000000,
        "host": "nas1",
        "user": "ann",
        "path": "/srv/plan.pdf",
        "bytes": 2048,
        "src_ip": "192.0.2.1",
        "action": "upload",
        "outcome": "success",
        "service": "backup-agent",
    }
    assert (forged["src_ip"], forged["outcome"]) == ("192.0.2.1", "failure")
    assert set(outcome.dispositions) == {0, 1}


def test_a_header_line_says_where_the_fields_are_until_the_next(cases: list[tuple[MappedFormat, list[bytes]]]) -> None:
    outcome = run_format(cases[3][0], STREAM, HEADED)
    rows = [(row["user"], row["outcome"]) for row in outcome.rows[LogType.LOGIN]]
    assert rows == [("ann", "success"), ("bob", "failure"), ('a"b', "success")]
    assert set(outcome.dispositions) == {0, 1, 2, 3, 4}


def test_header_lines_need_not_hold_the_literal(cases: list[tuple[MappedFormat, list[bytes]]]) -> None:
    outcome = run_format(cases[4][0], STREAM, HEADED)
    assert [row["user"] for row in outcome.rows[LogType.LOGIN]] == ["bob"]
    assert set(outcome.dispositions) == {0, 2, 3}


def test_a_delimiter_may_have_several_characters(cases: list[tuple[MappedFormat, list[bytes]]]) -> None:
    form, lines = cases[5]
    assert [row["user"] for row in run_format(form, STREAM, lines).rows[LogType.LOGIN]] == ["ann", "bob", 'a"b']


def test_to_look_at_a_file_every_line_that_does_not_fit_says_why() -> None:
    form = mapped_format(str(EXAMPLES / "vpn-gateway.format.toml"), claims_all=True)
    reasons = run_format(form, STREAM, VPN).reasons
    assert reasons[4] == "when: no time of the layout %d.%m.%Y %H:%M:%S"
    assert reasons[5] == "4 fields where the header names 5"
    assert 7 in reasons or 7 in run_format(form, STREAM, VPN).dispositions


def test_the_manual_shows_the_examples_as_they_are_and_names_every_column() -> None:
    manual = (EXAMPLES.parent / "mapping.md").read_text()
    for block in re.findall(r"```toml\n(.*?)```", manual, re.DOTALL):
        assert any(block in path.read_text() for path in EXAMPLES.glob("*.format.toml"))
    for log_type in LOG_TYPES:
        for column in readable_columns(log_type):
            assert re.search(rf"[| ]{column}[ ,]", manual), f"{column} is not in docs/mapping.md"


@QUIET
@given(data=st.data())
def test_any_cut_and_any_damage_give_the_same_and_never_raise(
    cases: list[tuple[MappedFormat, list[bytes]]], data: st.DataObject
) -> None:
    form, samples = data.draw(st.sampled_from(cases))
    piece = st.one_of(st.sampled_from(samples), st.binary(max_size=20), st.just(b"A" * 5000))
    lines: list[bytes] = []
    for line in data.draw(st.lists(st.sampled_from(samples), min_size=1, max_size=20)):
        at = data.draw(st.integers(0, len(line)))
        lines.append((line[:at] + data.draw(piece) if data.draw(st.booleans()) else line).replace(b"\n", b""))
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=6))
    assert run_format(form, STREAM, lines, cuts, restore=True) == run_format(form, STREAM, lines)


def test_a_users_mapping_is_asked_first() -> None:
    formats = all_formats([str(EXAMPLES / "*.format.toml")])
    assert [form.name for form in formats[:3]] == ["backup-agent", "proxy", "vpn-gateway"]


def test_a_mapping_may_not_take_a_formats_name(tmp_path: Path) -> None:
    path = written(tmp_path, HEADED_FILE, "openssh")
    with pytest.raises(MappingError, match="format openssh already"):
        all_formats([path])


def test_a_mapping_file_that_is_not_there() -> None:
    with pytest.raises(SettingsError, match="no such file"):
        all_formats(["/nowhere/x.format.toml"])


def test_a_line_that_looks_like_syslog_is_the_mappings_and_json_may_be_in_syslog(tmp_path: Path) -> None:
    own = mapped_format(written(tmp_path, HEAD + PATTERN + FIELDS + OUTCOME))
    parser = StreamParser(STREAM, [*known_formats(), own, example("proxy")])
    lines = [b"2026-03-02T10:00:00Z ann ok", b"Mar  2 10:00:00 gate proxy[7]: " + PROXY[0]]
    parsed = parser.parse(batch_of_bytes(STREAM, b"".join(line + b"\n" for line in lines)))
    assert dict(parsed.formats) == {"own": 1, "proxy": 1}
    assert (parsed.rows[LogType.LOGIN]["user"].to_list(), parsed.rejects.height) == (["ann"], 0)


HEAD = 'kind = "regex"\nlog_type = "login"\n'
PATTERN = "pattern = '(?P<when>[^ ]+) (?P<who>[^ ]+) (?P<end>ok|bad)'\n"
FIELDS = '[fields]\nevent_time = "when"\nuser = "who"\n'
OUTCOME = 'outcome = {from = "end", words = {success = ["ok"], failure = ["bad"]}}\n'


def test_the_text_that_the_wrong_ones_differ_from_is_right(tmp_path: Path) -> None:
    form = mapped_format(written(tmp_path, HEAD + PATTERN + FIELDS + OUTCOME))
    (row,) = run_format(form, STREAM, [b"2026-03-02T10:00:00Z ann ok"]).rows[LogType.LOGIN]
    assert (row["user"], row["outcome"], row["event_time_us"]) == ("ann", "success", 1772445600000000)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("kind = ", 1, "not valid TOML"),
        (HEAD + 'patern = "x"\n', 3, "patern: unknown key; did you mean pattern?"),
        ('kind = "regexp"\n', 1, "'regexp' is none of delimited, json, regex; did you mean regex?"),
        ('kind = "x"\n', 1, "'x' is none of delimited, json, regex"),
        ('log_type = "login"\n', 1, "kind is missing"),
        ('kind = "json"\nlog_type = "logins"\n', 2, "did you mean login?"),
        ('kind = "json"\nlog_type = "login"\ndelimiter = ","\n', 3, "belongs to another kind"),
        (HEAD + PATTERN + FIELDS + 'usr = "who"\n' + OUTCOME, 7, "fields.usr: unknown column of login; did you mean"),
        (HEAD + PATTERN + '[fields]\nuser = "who"\n' + OUTCOME, 4, "event_time is missing"),
        (HEAD + PATTERN + FIELDS, 4, "outcome is missing"),
        (HEAD + "pattern = '(?P<when>[^ ]+'\n" + FIELDS + OUTCOME, 3, "not a regular expression"),
        (HEAD + "pattern = '(?=x)(?P<when>.*)'\n" + FIELDS + OUTCOME, 3, "no look-around"),
        (HEAD + "pattern = '.*'\n" + FIELDS + OUTCOME, 3, "no named group"),
        (HEAD + PATTERN + FIELDS.replace("who", "whom") + OUTCOME, 6, "no group is named 'whom'; did you mean who?"),
        (HEAD + PATTERN + FIELDS + OUTCOME.replace("success", "sucess"), 7, "sucess: unknown word for outcome; did"),
        (HEAD + PATTERN + FIELDS + OUTCOME.replace('["bad"]', "[]"), 7, "no word of the log stands for it"),
        (HEAD + PATTERN + FIELDS + OUTCOME.replace('"bad"', '"ok"'), 7, "stands for success already"),
        (HEAD + PATTERN + FIELDS + "outcome = {value = 'won'}\n", 7, "'won' is none of success, failure, attempt"),
        (HEAD + PATTERN + FIELDS + OUTCOME + "src_port = {value = 'x'}\n", 8, "does not fit the column's type"),
        (HEAD + PATTERN + FIELDS + OUTCOME + "src_port = {value = 99999999999}\n", 8, "does not fit the column's type"),
        (HEAD + PATTERN + FIELDS.replace('"when"', '{from = "when", layout = "isoo"}') + OUTCOME, 5, "mean iso?"),
        (HEAD + PATTERN + FIELDS.replace('"when"', '{from = "when", layout = "%H:%M"}') + OUTCOME, 5, "gives no date"),
        (HEAD + PATTERN + FIELDS.replace('"when"', '{from = "when", zone = "Berlin"}') + OUTCOME, 5, "no IANA"),
        (HEAD + PATTERN + FIELDS + OUTCOME + '[fields.client]\nfrm = "who"\n', 9, "unknown key; did you mean from?"),
        ('kind = "delimited"\nlog_type = "login"\n' + FIELDS + OUTCOME, 1, "columns = [...] or header = true"),
        ('kind = "delimited"\nlog_type = "login"\ncolumns = ["when"]\n' + FIELDS + OUTCOME, 6, "no field in columns"),
        (
            'kind = "json"\nlog_type = "login"\n[fields]\nevent_time = "a.t"\nuser = "a"\n' + OUTCOME,
            5,
            "is an object that another column looks into",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where_and_what(text: str, line: int, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(MappingError) as error:
        mapped_format(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert said in str(error.value)


def test_a_file_needs_its_name(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(HEADED_FILE)
    with pytest.raises(MappingError, match=r"named NAME\.format\.toml"):
        mapped_format(str(tmp_path / "own.toml"))


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("%d/%b/%Y:%H:%M:%S %z", "02/Mar/2026:11:00:00 +0100"),
        ("%Y%m%d %H:%M:%S.%f", "20260302 10:00:00.000000"),
        ("%m/%d/%Y %I:%M:%S %p", "03/02/2026 10:00:00 AM"),
    ],
)
def test_layouts_of_times(layout: str, text: str, tmp_path: Path) -> None:
    fields = FIELDS.replace('"when"', f'{{from = "when", layout = "{layout}"}}')
    form = mapped_format(written(tmp_path, HEAD + PATTERN.replace("[^ ]+", ".+", 1) + fields + OUTCOME))
    outcome: Any = run_format(form, STREAM, [f"{text} ann ok".encode()])
    assert [row["event_time_us"] for row in outcome.rows[LogType.LOGIN]] == [1772445600000000]
