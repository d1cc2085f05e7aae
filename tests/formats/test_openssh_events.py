"""sshd's messages taken apart by words give what regular expressions give, message by message."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.formats.fixture import read_fixture

from livesec.formats import openssh_events
from livesec.formats.openssh_events import read_events
from livesec.formats.openssh_messages import MESSAGES, Form, Kind, Messages
from livesec.formats.word_patterns import WordPattern, pattern_table

LINES = [expected.line.decode(errors="replace") for section in read_fixture("openssh") for expected in section.lines]
WRITTEN = sorted({line.split("]: ", 1)[1] for line in LINES if "]: " in line})
WORDS = (
    " |invalid user |user |root| from |192.0.2.1|::ffff:192.0.2.7|2001:db8::1| port |22|+5|99999|:11: Bye| ssh2|"
    ": ED25519 SHA256:x| [preauth]|error: |fatal: |é|\n|"
)
PIECES = st.sampled_from([*WORDS.split("|"), *sorted({messages.start for messages in MESSAGES})])
Outcome = tuple[list[tuple[object, ...]], list[int], list[tuple[int, str]]]


@st.composite
def messages(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return "".join(draw(st.lists(PIECES, max_size=10)))
    text: str = draw(st.sampled_from(WRITTEN))
    start, end = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
    return text if draw(st.booleans()) else text[:start] + draw(PIECES) + text[end:]


def outcome(texts: list[str]) -> Outcome:
    lines = pl.DataFrame({"line_index": pl.Series(range(len(texts)), dtype=pl.UInt32), "message": texts})
    events = read_events(lines.cast({"message": pl.String}))
    stated = events.stated.select(sorted(events.stated.columns)).rows()
    return stated, sorted(events.parts.to_list()), sorted(events.unusable.rows())


def group(name: str, mark: str) -> str:
    """What stands for a name of a pattern of words."""
    if name == "src_port" and not mark:
        return "(?P<src_port>[^ :]*)[^ ]*"
    taken = {"": "[^ ]*", "+": "[^ ]+", "#": "[0-9]+", "*": ".*"}[mark]
    return f"(?P<{name}>{taken})" if name in openssh_events._CAPTURED else f"(?:{taken})"


def as_regex(form: Form) -> Form:
    """`form` as a regular expression, if it is one of words."""
    if not isinstance(form.pattern, WordPattern):
        return form
    text, end = form.pattern.text, r"\z"
    for mark, meant in ((" ...", r"(?: |\z)"), ("*", "")):
        if text.endswith(mark):
            text, end = text.removesuffix(mark), meant
    text = re.sub(r"\\{(\w+)(?:\\([+#*]))?\\}", lambda name: group(name[1], name[2] or ""), re.escape(text))
    for who in ("invalid", "illegal"):
        if form.unknown_user and "{user" in form.pattern.text:
            text = text.replace(rf"{who}\ user\ ", rf"(?P<unknown>{who}\ user\ )")
    return replace(form, pattern=f"^{text}{end}".replace("\\ ", " "))


def by_regex(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `read_events` read all messages by regular expressions."""
    every = tuple(replace(messages, forms=tuple(map(as_regex, messages.forms))) for messages in MESSAGES)
    nothing = np.array([Kind.NOTHING], dtype=np.int8)
    for name, value in {
        "MESSAGES": every,
        "_TABLE": pattern_table([(messages.start, []) for messages in every]),
        "_KINDS": nothing,
        "_UNMARKED_KINDS": nothing,
        "_REASONS": pl.Series([], dtype=pl.String),
        "_UNKNOWN_USERS": np.array([], dtype=np.bool_),
        "_READ_FURTHER": np.array([True] * len(every) + [False]),
    }.items():
        monkeypatch.setattr(openssh_events, name, value)


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(messages(), max_size=40))
def test_words_as_by_regular_expressions(texts: list[str]) -> None:
    texts = [*WRITTEN, *texts]
    by_words = outcome(texts)
    with pytest.MonkeyPatch.context() as monkeypatch:
        by_regex(monkeypatch)
        assert outcome(texts) == by_words
    assert len(by_words[0]) > len(WRITTEN) / 4


def test_forms_of_words_come_first() -> None:
    def forms(messages: Messages) -> list[bool]:
        return [isinstance(form.pattern, str) for form in messages.forms]

    assert all(forms(messages) == sorted(forms(messages)) for messages in MESSAGES)


COUNTS = st.sampled_from(["1", "3", "0", "007", "1000000", "1000001", "9999999", "00000003", "", "x", "-1"])
WRAPPED = re.compile(r"message repeated ([0-9]{1,7}) times: \[ ?([^\n]*)\]")


@settings(deadline=None, max_examples=examples(60))
@given(st.lists(st.tuples(COUNTS, st.sampled_from([" times: [ ", " times: [", " times [ "]), messages(),
                          st.sampled_from(["]", "", "]]", "] "])), min_size=1, max_size=20))  # fmt: skip
def test_repeated_messages_are_what_they_repeat(cases: list[tuple[str, str, str, str]]) -> None:
    for count, opening, text, closing in cases:
        wrapped = f"message repeated {count}{opening}{text}{closing}"
        found = WRAPPED.fullmatch(wrapped)
        if found is None:
            assert outcome([wrapped]) == ([], [], [])
        elif not 1 <= int(found[1]) <= openssh_events.MAX_REPEATS:
            assert outcome([wrapped])[2] == [(0, "repeated more often than 1,000,000 times, or never")]
        elif not found[2].startswith("message repeated"):
            once, parts, unusable = outcome([found[2]])
            names = sorted(
                read_events(
                    pl.DataFrame({"line_index": [0], "message": [""]}, {"line_index": pl.UInt32, "message": pl.String})
                ).stated.columns
            )
            counted = [
                tuple(int(found[1]) if name == "count" else value for name, value in zip(names, row, strict=True))
                for row in once
            ]
            assert outcome([wrapped]) == (counted, parts, unusable)
