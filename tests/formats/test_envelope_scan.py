"""The compiled look at syslog lines against regular expressions."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import time_us

from livesec.core.batch import StreamInfo
from livesec.formats.envelope import EnvelopeState, decode
from livesec.formats.envelope_scan import JSON, RFC3164, RFC3339, RFC5424, STAMP, scan
from livesec.formats.text_spans import joined
from livesec.formats.unwrapping import is_json, unwrap

STREAM = StreamInfo(1, "0" * 16, "syslog", time_us("2026-03-05T00:00:00Z"))
STAMPED = re.compile(r"([A-Z][\x00-\x7f]{13}[\x00-\x1f\x21-\x7f]) (.*)", re.ASCII)
LOOSE = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,6})[0-9]*)? (?P<rest>.*)"
)
SHAPED = re.compile(r"([\x00-\x7f]{15}) (.*)")
TAG = re.compile(r"(?:(?![^ ]*: )(?![^ ]*:\Z)([^ ]*) )?([^ ]*:)(?: (.*))?\Z")
DATA = re.compile(r'(?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: |\Z)\ufeff?')

Read = tuple[Any, ...]
"""kind, stamp, fraction_us, host, program, pid, message."""


def tagged(rest: str) -> Read:
    if found := TAG.match(rest):
        program, bracket, pid = found[2].removesuffix(":").removesuffix("]").partition("[")
        return found[1], program, pid if bracket else None, found[3] or ""
    host, _, message = rest.partition(" ")
    return host, None, None, message


def read_slowly(line: str) -> Read | None:
    line = re.sub(r"^<[0-9]{1,3}>", "", line)
    if line.startswith("{"):
        return (JSON, *[None] * 6)
    if line.startswith("1 "):
        words = line.split(" ", 6)
        if len(words) < 7:
            return None
        host, program, pid = (None if word == "-" else word for word in words[2:5])
        found = DATA.match(words[6])
        return RFC5424, words[1], 0, host, program, pid, words[6][found.end() if found else 0 :]
    if line.startswith(("2", "19")):
        stamp, _, rest = line.partition(" ")
        return RFC3339, stamp, 0, *tagged(rest)
    if plain := STAMPED.fullmatch(line):
        return RFC3164, plain[1], 0, *tagged(plain[2])
    if loose := LOOSE.fullmatch(line):
        stamp = f"{loose['month']} {loose['day']:>2} {loose['clock']}"
        return RFC3164, stamp, int((loose["fraction"] or "").ljust(6, "0")), *tagged(loose["rest"])
    if shaped := SHAPED.fullmatch(line):
        return RFC3164, shaped[1], 0, *tagged(shaped[2])
    return None


def read(lines: list[str]) -> list[Read | None]:
    found = scan(joined(pl.Series(lines, dtype=pl.String)))
    results = list[Read | None]()
    for row, line in enumerate(lines):
        kind, text = int(found.kinds[row]), line.encode()
        places = zip(found.starts[:, row].tolist(), found.ends[:, row].tolist(), strict=True)
        parts: list[Any] = [text[start:end].decode() if start >= 0 else None for start, end in places]
        if kind == RFC3164:
            parts[STAMP] = found.bsd[row].tobytes().decode()
        told = (kind, parts[0], int(found.fraction_us[row]), *parts[1:])
        results.append((JSON, *[None] * 6) if kind == JSON else told if kind else None)
    return results


STAMPS = (
    "Mar  2 00:00:01 |Mar 2 00:00:01 |Mar 12 00:00:01.25 |Mar  2 00:00:01.1234567 |Foo  2 00:00:01 |Mar  2 00:00:0|Mar"
)
WORDS = "2026-03-02T00:00:01Z |19|<13>|<1234>|<>|<|1 |- |web01 |sudo[2]: |sudo: |a[b[3]]: |x]: |0123456789abcde |two"
SIGNS = ':|[|]|[a b="c"]|[a b="]|\\"|\\|"|\ufeff|é| |\t|\0|{'
PIECES = st.sampled_from([piece for pieces in (STAMPS, WORDS, SIGNS) for piece in pieces.split("|")])


@settings(deadline=None, max_examples=examples(400))
@given(st.lists(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=30), max_size=12))
def test_any_lines_as_by_regular_expressions(lines: list[str]) -> None:
    lines = [line.replace("\n", "") for line in lines]
    assert read(lines) == [read_slowly(line) for line in lines]


def test_structured_data_is_taken_off_whole_or_not_at_all() -> None:
    start = "1 - - - - - "
    texts = {
        "- m": "m",
        "-": "",
        "-m": "-m",
        '[a b="]"][c] \ufeffm': "m",
        '[a b="\\"]"] m': "m",
        '[a b="c] m': '[a b="c] m',
        "[a][b m": "[a][b m",
        "[a]m": "[a]m",
        '[a b="\\': '[a b="\\',
        "": "",
    }
    found = read([start + text for text in texts])
    assert [one and one[-1] for one in found] == list(texts.values())


LIKELY = r"^(?:<|1 |Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|(?s:.{10})T)"


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.lists(PIECES | st.sampled_from(["abc", "T", "Txyz sudo: "]), max_size=9).map("".join), max_size=12))
def test_only_lines_that_begin_like_an_envelope_are_read(lines: list[str]) -> None:
    frame = pl.DataFrame({"line_index": range(len(lines)), "line": lines}, {"line_index": pl.UInt32, "line": pl.String})
    found = unwrap(frame, EnvelopeState(), STREAM)
    likely = frame.filter(pl.col("line").str.contains(LIKELY))
    wanted = decode(likely, EnvelopeState(), STREAM)
    assert pl.concat([found.messages, found.timeless]).sort("line_index").rows() == wanted.rows()


@settings(deadline=None, max_examples=examples(100))
@given(st.lists(st.lists(st.sampled_from(["{", "[", " ", "\t", "\x85", "\u2003", "é", "a", "\x1c"]), max_size=4)))
def test_json_is_told_by_its_first_character(lines: list[list[str]]) -> None:
    texts = pl.Series(["".join(line) for line in lines], dtype=pl.String)
    assert is_json(texts).to_list() == texts.str.contains(r"^\s*[\[{]").to_list()
