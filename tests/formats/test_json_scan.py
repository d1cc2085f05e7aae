"""The compiled scan of JSON against Python's own reader."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.formats.json_scan import MAX_DEPTH, objects_in, scanned

PATHS = {"a": ("a",), "c": ("b", "c"), "e": ("b", "d", "e"), "dotted": ("f.g",), "unicode": ("ü\n",)}
KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f.g", "ü\n", "aa", ""])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)  # with halves of surrogate pairs
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=5), max_leaves=12
)


def reference(line: str) -> dict[str, Any] | None:
    """The line's object with numbers as they are written, None where it is none."""
    try:
        read = json.loads(line, parse_int=Number, parse_float=Number, parse_constant=refuse)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


class Number(str):
    """A number as it is written."""

    __slots__ = ()


def read(value: Any) -> Any:
    """`value` with numbers as they are written."""
    return json.loads(json.dumps(value), parse_int=Number, parse_float=Number)


def refuse(constant: str) -> None:
    raise ValueError(constant)


def at(read: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        read = read.get(key) if isinstance(read, dict) else None
    return read


def same(text: str | None, value: Any) -> bool:
    if text is None or value is None:
        return text is None and value is None
    if isinstance(value, Number):
        return text == value
    if isinstance(value, str):
        return text == value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return bool(json.loads(text, parse_int=Number, parse_float=Number) == value)


def agree(lines: list[str]) -> None:
    found = scanned(pl.Series(lines, dtype=pl.String), PATHS)
    for place, line in enumerate(lines):
        read = reference(line)
        assert found.whole[place] == (read is not None), line
        for name, path in PATHS.items():
            if read is not None:
                assert same(found.fields[name][place], at(read, path)), (line, name)


@settings(deadline=None, max_examples=examples(400))
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=6), st.booleans(), st.sampled_from([None, 1]))
def test_whole_objects_give_what_python_reads(objects: list[Any], ascii_only: bool, indent: int | None) -> None:
    # Half of a surrogate pair cannot stand in a text as it is: UTF-8 has no such character.
    lines = [json.dumps(item, ensure_ascii=True, indent=indent) for item in objects]
    if not ascii_only:
        lines += [json.dumps(item, ensure_ascii=False).encode("utf-8", "replace").decode() for item in objects]
    agree(lines)


@settings(deadline=None, max_examples=examples(600))
@given(
    st.dictionaries(KEYS, VALUES, max_size=4).map(json.dumps),
    st.integers(0, 200),
    st.integers(0, 3),
    st.text('{}[]",:\\u09eE+-.tfn \t\x00\x1f\x7f', max_size=4),
)
def test_damaged_objects_are_refused_as_python_refuses_them(line: str, place: int, cut: int, put: str) -> None:
    agree([line[:place] + put + line[place + cut :], line])


@pytest.mark.parametrize(
    "line",
    [
        '{"a": 01}', "{\x00}", '{"a": 1.}', '{"a": .5}', '{"a": +1}', '{"a": 1e}', '{"a": -}', '{"a": tru}',
        '{"a": "\\x"}', '{"a": "\\u12"}', '{"a": "\t"}', '{"a" "b"}', '{"a": 1,}', '{"a": [1,]}', "{,}", "[{}]",
        '{"a": 1} x', "{} {}", '{"a"}', '{1: 2}', '{"a": }', "", "   ", '{"a": [}]}', '{"a": "b', '{"a": "b\\',
    ],
)  # fmt: skip
def test_no_broken_line_is_whole(line: str) -> None:
    agree([line, '{"a": "next"}'])


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    agree(['{"a": 1, "\\u0061": "x"}', '{"b": {"c": 1, "d": {"e": 2}}, "b": {"d": 3}}', '{"a": [1], "a": null}'])


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(VALUES, max_size=4) | st.dictionaries(KEYS, VALUES, max_size=4), st.booleans())
def test_a_line_that_is_a_list_is_whole_where_it_is_wanted(value: Any, cut: bool) -> None:
    line = " " + json.dumps(value)[: -1 if cut else None]
    found = scanned(pl.Series([line]), {"list": (), **PATHS})
    assert found.whole.tolist() == [not cut]
    assert found.fields["list"][0] == (line[1:] if isinstance(value, list) and not cut else None)
    assert scanned(pl.Series([line]), PATHS).whole.tolist() == [isinstance(value, dict) and not cut]
    assert same(found.fields["a"][0], None if cut else at(read(value), PATHS["a"]))


def test_depth_is_bounded() -> None:
    inside = MAX_DEPTH - 1
    lines = ['{"a": ' + "[" * depth + "]" * depth + "}" for depth in (inside, inside + 1, 100_000)]
    assert scanned(pl.Series(lines), PATHS).whole.tolist() == [True, False, False]


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.lists(VALUES, max_size=4), max_size=4), st.sampled_from([None, 2]))
def test_objects_in_lists(lists: list[list[Any]], indent: int | None) -> None:
    found = objects_in(pl.Series([json.dumps(item, indent=indent) for item in lists], dtype=pl.String))
    wanted = [(place, value) for place, item in enumerate(lists) for value in item if isinstance(value, dict)]
    read = zip(found.parents.tolist(), map(json.loads, found.texts), strict=True)
    assert list(read) == [(place, json.loads(json.dumps(value))) for place, value in wanted]


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(st.text('{}[]",:\\a \u00e9', max_size=20), max_size=4))
def test_objects_in_what_is_no_list_come_to_an_end(texts: list[str]) -> None:
    found = objects_in(pl.Series(texts, dtype=pl.String))
    for parent, text in zip(found.parents.tolist(), found.texts, strict=True):
        assert text[0] + text[-1] == "{}"
        assert text in texts[parent]
