"""Lines that look like journal entries and are none must neither stop the parser nor touch their neighbours."""

import itertools

import polars as pl
import pytest

from livesec.formats.journald_json import decode_journal

GOOD = '{"__REALTIME_TIMESTAMP":"1772409600000000","SYSLOG_IDENTIFIER":"sshd","_PID":"1","MESSAGE":"hello"}'
BAD = [
    GOOD + "," + GOOD,
    GOOD[:-1],
    GOOD + ',{"a":5',
    '"b":2,"__REALTIME_TIMESTAMP":"1"}',
    '{"__REALTIME_TIMESTAMP":"1","x":[{"a":1}',
    '{"b":1}],"__REALTIME_TIMESTAMP":"1"}',
    "{}},{{}",
    "[" * 5000 + "},{" + "}",
    "",
]


def decoded(lines: list[str]) -> list[tuple[int, str | None]]:
    frame = pl.DataFrame({"line_index": pl.Series(range(len(lines)), dtype=pl.UInt32), "line": lines})
    return [(row["line_index"], row["message"]) for row in decode_journal(frame).to_dicts()]


@pytest.mark.parametrize(("first", "second"), list(itertools.product(BAD, BAD)))
def test_good_entries_between_broken_lines_are_read_and_nothing_else(first: str, second: str) -> None:
    assert decoded([GOOD, first, second, GOOD]) == [(0, "hello"), (3, "hello")]


def test_an_entry_that_quotes_two_objects_is_one_entry() -> None:
    line = GOOD.replace("hello", 'a}, {\\"b')
    assert decoded([line, GOOD]) == [(0, 'a}, {"b'), (1, "hello")]
