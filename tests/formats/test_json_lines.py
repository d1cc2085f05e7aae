"""Fields of JSON lines: a value is its own line's, whatever stands in the lines around it."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.json_lines import json_fields

WANTED = {"a": ("a",), "c": ("b", "c"), "e": ("b", "d", "e"), "f.g": ("f.g",), "ip": ("source", "ip")}
WHOLE = [
    '{"a": 1, "b": {"c": "x", "d": {"e": true}}, "f.g": 1.5, "source": {"ip": "192.0.2.1"}}',
    '{"a": "n", "a": "m"}',
    '{"b": 3}',
    '{"b": [1, 2], "source": null}',
    "{}",
    '{"a": {"x": [1, {"y": "z"}]}}',
    '{"a": "\\u00e9\\n\\"{}[]"}',
    '{"a": 99999999999999999999, "b": {"c": -0.0}}',
    ' {"a": "padded"} ',
]
BROKEN = [
    '{"a": 1',
    "}",
    '{"a": 1}}',
    '{"a": 1}{"a": 2}',
    '{"a" 1}',
    '{"a": 1},{"a": 2}',
    "",
    "[]",
    "{",
    '{"a":"}',
    "x",
]


def frame(lines: list[str]) -> pl.DataFrame:
    return pl.DataFrame({"line_index": range(len(lines)), "line": lines}, {"line_index": pl.UInt32, "line": pl.String})


def alone(line: str) -> list[tuple[object, ...]]:
    return [row[1:] for row in json_fields(frame([line]), WANTED).fields.rows()]


def test_values_are_text_by_their_path() -> None:
    assert alone(WHOLE[0]) == [("1", "x", "true", "1.5", "192.0.2.1")]
    assert alone(WHOLE[2]) == [(None, None, None, None, None)]
    assert json.loads(str(alone(WHOLE[5])[0][0])) == {"x": [1, {"y": "z"}]}
    assert alone(WHOLE[6])[0][0] == 'é\n"{}[]'
    assert [len(alone(line)) for line in BROKEN] == [0] * len(BROKEN)


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.sampled_from(WHOLE + BROKEN) | st.text(max_size=12), max_size=30))
def test_a_line_gives_what_it_gives_alone(lines: list[str]) -> None:
    lines = [line.replace("\n", " ") for line in lines]
    found = json_fields(frame(lines), WANTED)
    assert sorted([*found.fields["line_index"], *found.failed["line_index"]]) == list(range(len(lines)))
    assert [row[1:] for row in found.fields.rows()] == [row for line in lines for row in alone(line)]
