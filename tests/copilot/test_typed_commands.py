"""What people type, and which question it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livesec.copilot.questions import (
    CountBy,
    DetectorHealth,
    ExplainScore,
    GetEntity,
    GetIncident,
    GetLogContext,
    Question,
    SearchAnomalies,
)
from livesec.copilot.typed_commands import EXAMPLES, HELP, CommandError, help_text, is_command, parse
from livesec.core.text import shown

DETECTORS = ["bf_fast", "bf_success"]


@pytest.mark.parametrize(
    ("typed", "question"),
    [
        ("top ips 24h", CountBy(column="src_ip", since="24h")),
        ("TOP 5 Users 7D", CountBy(column="user", since="7d", limit=5)),
        ("top users", CountBy(column="user")),
        ("count by type 24h", CountBy(column="type", since="24h")),
        ("count hour 24 hours", CountBy(column="hour", since="24hours", limit=50)),
        ("count by user critical bf_fast login all",
         CountBy(column="user", since="all", min_severity="critical", detectors=["bf_fast"], log_type="login")),
        ("anomalies high 24h", SearchAnomalies(min_severity="high", since="24h")),
        ("show me the anomalies of the last 30 min", SearchAnomalies(since="30min")),
        ("anomalies 2026-03-01 2026-03-02T12:00:00Z",
         SearchAnomalies(since="2026-03-01", until="2026-03-02T12:00:00Z")),
        ("anomalies bf_success alice", SearchAnomalies(detectors=["bf_success"], text="alice")),
        ("anomalies", SearchAnomalies()),
        ("incident 0123abcd", GetIncident(incident_id="0123abcd")),
        ("incidents", GetIncident()),
        ("entity 192.0.2.1", GetEntity(entity="192.0.2.1")),
        ('entity "Ann Lee" 7d', GetEntity(entity="Ann Lee", since="7d")),
        ("user alice", GetEntity(entity="alice")),
        ("context 0123abcd", GetLogContext(anomaly_id="0123abcd")),
        ("context 0123abcd 20", GetLogContext(anomaly_id="0123abcd", lines=20)),
        ("score 0123abcd", ExplainScore(anomaly_id="0123abcd")),
        ("  health ", DetectorHealth()),
        ("help", None),
        ("?", None),
    ],
)  # fmt: skip
def test_it_is_understood(typed: str, question: Question | None) -> None:
    assert parse(typed, DETECTORS) == question


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "nothing was asked; try `anomalies high 24h`"),
        ("anomlies high", "anomlies is no command; did you mean `anomalies`?"),
        ("frobnicate", "try `anomalies high 24h`, `top ips 24h` or `help`"),
        ("top", "count by what?"),
        ("top uzers", "did you mean users?"),
        ("top ips yesterday", "yesterday is no time; expected a span such as 24h"),
        ("top 400 ips", "limit: 1 to 50"),
        ("entity", "which one?"),
        ("entity Ann Lee", "a name with spaces needs quotes"),
        ("context", "expected `context ID [LINES]`"),
        ("score a b", "expected `score ID`"),
        ("health now", "`health` takes nothing more"),
        ("x" * 600, "at most 500 characters"),
        ("\x1b[2J", "\\x1b[2j is no command"),
    ],
)
def test_what_is_not_understood_gets_a_suggestion(typed: str, words: str) -> None:
    with pytest.raises(CommandError) as raised:
        parse(typed, DETECTORS)
    assert words in str(raised.value)
    assert raised.value.exit_code == 2


def test_questions_in_words_are_left_to_a_model() -> None:
    for typed in EXAMPLES:
        assert is_command(typed)
    for words in ("which user is the most odd?", "top ips 24h?", "anomalies that look like one attacker"):
        assert not is_command(words)


def test_help_names_every_form() -> None:
    for form, about in HELP:
        assert form in help_text() and about in help_text()
    for example in EXAMPLES:
        parse(example)


@settings(deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["top", "ips", "24h", "count", "by", "entity", '"', "9" * 30])).map(" ".join)
)
def test_no_text_makes_it_raise_anything_else(typed: str) -> None:
    try:
        parse(typed)
    except CommandError as error:
        assert shown(str(error), 5_000) == str(error)
