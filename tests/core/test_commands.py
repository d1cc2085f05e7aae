from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples import examples

from livesec.core.commands import COMMANDS, Platform, fill, parameters

GOOD = {
    "src_ip": "192.0.2.1",
    "dst_ip": "203.0.113.2",
    "user": "ann",
    "host": "web1",
    "port": 443,
    "path": "/srv/a",
    "since": "2026-11-27T10:00:00Z",
    "until": "2026-11-27T13:00:00Z",
}
HOSTILE = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["$(id)", "`id`", "'; id; '", '"; id; "', "-rf", "--help", "a\nid", "a;id", "a&&id", "a|id", "\x1b[31m",
         "a\u2019;id;\u2018", "{src_ip}", "a b", "ann' -or '1", "$env:x", "%PATH%", "../../etc/passwd", "/srv/it's",
         "\u202egnp"]
    ),
)  # fmt: skip
SHELLS = [(name, platform) for name in COMMANDS for platform in COMMANDS[name].texts if platform != Platform.WINDOWS]


@settings(deadline=None, max_examples=examples(400))
@given(st.sampled_from(SHELLS), st.sampled_from(["user", "host", "path", "src_ip", "dst_ip"]), HOSTILE)
def test_a_hostile_value_is_one_word_of_a_shell_or_the_command_is_not_given(
    where: tuple[str, Platform], name: str, value: str
) -> None:
    command, platform = where
    if name not in parameters(command, platform):
        return
    filled = fill(command, platform, {**GOOD, name: value})
    if filled is None:
        return
    assert filled.isprintable()
    assert name in ("user", "host", "path") or value.strip() != value or shlex.quote(value) == value
    harmless = fill(command, platform, GOOD)
    assert harmless is not None
    text, plain = (line.rpartition("    # ")[0] for line in (filled, harmless))
    assert len(shlex.split(text)) == len(shlex.split(plain))


@settings(deadline=None, max_examples=examples(200))
@given(st.sampled_from([name for name in COMMANDS if Platform.WINDOWS in COMMANDS[name].texts]), HOSTILE)
def test_in_powershell_it_stays_within_its_quotes(command: str, value: str) -> None:
    if "path" not in parameters(command, Platform.WINDOWS):
        return
    filled = fill(command, Platform.WINDOWS, {**GOOD, "path": value})
    if filled is not None:
        quotes = sum(filled.count(quote) for quote in "'\u2018\u2019\u201a\u201b")
        harmless = fill(command, Platform.WINDOWS, GOOD)
        assert harmless is not None
        assert (quotes - harmless.count("'")) % 2 == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_value_a_command_is_not_given(name: str) -> None:
    for platform in COMMANDS[name].texts:
        for missing in parameters(name, platform):
            assert fill(name, platform, {**GOOD, missing: None}) is None
        assert fill(name, platform, GOOD) is not None
