"""Word patterns match whole words at fixed places only, as regular expressions would."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.formats.text_spans import joined
from livesec.formats.word_patterns import WordPattern, match, pattern_table

PLAIN = WordPattern("Invalid user {user} from {src_ip}")
LONGER = WordPattern("Invalid user {user} from {src_ip} port {src_port}")
OPEN = WordPattern("Invalid user {user} from ...")
GROUPS = [
    ("Invalid user ", [PLAIN, LONGER]),
    ("In", [WordPattern("In {user}"), WordPattern("Inv*")]),
    ("user", [WordPattern("user {a} {user} x ...")]),
    ("of ", [WordPattern("of {user*} from {src_ip+} port {src_port#}"), WordPattern("of {user*} from {a+}")]),
    ("x", [WordPattern("x {src_port#}{user*} x*"), WordPattern("x{user*}"), WordPattern("x{a+} {user*} from ...")]),
]


def matched(groups: list[tuple[str, list[WordPattern]]], texts: list[str]) -> list[tuple[int, int, dict[str, str]]]:
    """(group, pattern, words by name) of each text."""
    table, whole = pattern_table(groups), joined(pl.Series(texts, dtype=pl.String))
    found = match(whole.data, whole.bounds[:-1], whole.bounds[1:], table)
    results = []
    for row, pattern in enumerate(found.pattern.tolist()):
        places = zip(table.names, found.starts[row], found.ends[row], strict=True) if pattern >= 0 else ()
        words = {name: whole.data[start:end].tobytes().decode() for name, start, end in places if start >= 0}
        results.append((int(found.group[row]), pattern, words))
    return results


def users(pattern: WordPattern, texts: list[str]) -> list[str | None]:
    return [words.get("user") for _, _, words in matched([("Invalid user ", [pattern])], texts)]


def test_number_of_words_must_fit() -> None:
    texts = [
        "Invalid user a from 1",
        "Invalid user  from 1",
        "Invalid user a from 1 port 2",
        "Invalid user a from 1 port 2 x",
        "Invalid user a b from 1",
        "Invalid user a form 1",
        "Invalid user a",
    ]
    assert users(PLAIN, texts) == ["a", "", None, None, None, None, None]
    assert users(LONGER, texts) == [None, None, "a", None, None, None, None]
    assert users(OPEN, texts) == ["a", "", "a", "a", None, None, None]


def test_a_wide_name_takes_as_much_as_lets_the_rest_match() -> None:
    wide = WordPattern("Invalid user {user*} from {src_ip+} port {src_port#}")
    texts = [
        "Invalid user a from b from c port 22",
        "Invalid user  from c port 22",
        "Invalid user a from  port 22",
        "Invalid user a from c port 2x",
        "Invalid user a\n from c port 22",
    ]
    assert users(wide, texts) == ["a from b", "", None, None, None]


def test_too_many_names_are_refused() -> None:
    with pytest.raises(ValueError, match="30 names"):
        pattern_table([("", [WordPattern(f"{{n{number}}}") for number in range(30)])])


def test_the_first_group_that_a_text_starts_like_has_it() -> None:
    assert matched(GROUPS, ["Invalid user x", "Inx", "In b", "Inverse b", "other", ""]) == [
        (0, -1, {}),
        (1, -1, {}),
        (1, 2, {"user": "b"}),
        (1, 3, {}),
        (-1, -1, {}),
        (-1, -1, {}),
    ]


def regex_of(pattern: WordPattern) -> str:
    text, end = pattern.text, r"\Z"
    if text.endswith(" ..."):
        text, end = text[:-4], r"(?: |\Z)"
    elif text.endswith("*"):
        text, end = text[:-1], ""
    classes = {"": "[^ ]*", "+": "[^ ]+", "#": "[0-9]+", "*": ".*"}
    names = re.compile(r"\\{(\w+)(?:\\([+#*]))?\\}")
    return names.sub(lambda name: f"(?P<{name[1]}>{classes[name[2] or '']})", re.escape(text)) + end


def expected(text: str) -> tuple[int, int, dict[str, str]]:
    number = 0
    for group, (start, patterns) in enumerate(GROUPS):
        if text.startswith(start):
            for place, pattern in enumerate(patterns):
                if found := re.match(regex_of(pattern), text):
                    return group, number + place, found.groupdict()
            return group, -1, {}
        number += len(patterns)
    return -1, -1, {}


PIECES = st.sampled_from(
    ["Invalid user ", "In ", "of ", "user", " ", " from ", " port ", "x", "é", "\n", "\0", "{", " x", "22"]
)


@settings(deadline=None)
@given(st.lists(st.lists(PIECES, max_size=9).map("".join), max_size=20))
def test_any_text_as_by_regular_expressions(texts: list[str]) -> None:
    assert matched(GROUPS, texts) == [expected(text) for text in texts]
