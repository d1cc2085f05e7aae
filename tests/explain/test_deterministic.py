import json

from tests.correlate.made import finding

from livesec.core.protocols import Guidance
from livesec.explain.deterministic import write

GUIDANCE = Guidance(
    meaning="What it means.",
    usual="Fewer than {limit:.0f}.",
    benign=("a typo", "a script"),
    next_steps=("last -i | grep -F {src_ip}", "id {user}"),
)
SUMMARY = "{attempts:,} tries from {src_ip} as {user}"


def test_numbers_come_from_the_details() -> None:
    written = write(finding("bf_fast", 1, 0, "192.0.2.1", attempts=1234, limit=5.0), SUMMARY, GUIDANCE, 47.0)
    assert written.description == "1,234 tries from 192.0.2.1 as root"
    text = written.explanation.to_text()
    assert "Usual: Fewer than 5." in text
    assert "4.7 of 10: base severity 4.7, full confidence" in text
    assert "T1110.001 Brute Force (credential-access)" in text
    assert json.loads(written.explanation.to_json())["writer"] == "deterministic"


def test_hostile_names_are_shown_safely_and_stay_one_word_in_commands() -> None:
    hostile = finding("bf_fast", 1, 0, "192.0.2.1; rm -rf /", attempts=5, limit=float("nan"), extra=None)
    written = write(hostile, SUMMARY, GUIDANCE, 47.0)
    assert written.explanation.next_steps[0] == "last -i | grep -F '192.0.2.1; rm -rf /'"
    assert written.explanation.usual == "Fewer than n/a."
    escape = finding("bf_fast", 1, 0, "\x1b[31m\u202e{attempts}" + "x" * 500, attempts=5, limit=1)
    description = write(escape, SUMMARY, GUIDANCE, 47.0).description
    assert "\x1b" not in description
    assert "\u202e" not in description
    assert "{attempts}" in description  # a template in a name stays text
    assert len(description) < 200


def test_what_the_log_did_not_say_is_called_unknown() -> None:
    assert write(finding("x", 1, 0, "192.0.2.1", attempts=None, limit=1), SUMMARY, GUIDANCE, 1.0).description == (
        "unknown tries from 192.0.2.1 as root"
    )
