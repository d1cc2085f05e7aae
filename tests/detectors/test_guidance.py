"""What every detector and correlator tells an analyst: commands from the table, figures from its details, two sides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

import pytest
from tests.correlate.fixture import HERE as STORIES
from tests.correlate.fixture import judge as judge_story
from tests.correlate.fixture import load_fixture as load_story
from tests.detectors.fixture import HERE, ROW_FIELDS, load_fixture

from livesec.core.commands import COMMANDS, Platform, fill, parameters
from livesec.core.finding import Finding
from livesec.core.protocols import Correlator
from livesec.pipeline.assembly import correlator_classes, detector_classes
from livesec.pipeline.detection import run_detector

KINDS = detector_classes() | correlator_classes()
COMMAND_VALUES = {
    "user": "alice",
    "src_ip": "192.0.2.1",
    "dst_ip": "198.51.100.2",
    "host": "web1",
    "port": 22,
    "path": "/srv/share/plan.txt",
    "since": "2026-03-02T08:30:00Z",
    "until": "2026-03-02T09:30:00Z",
}
COLUMNS_OF = {"port": ("dst_port", "src_port", "port")}
"""Columns that give a parameter of another name."""

_PROGRAM = re.compile(
    r"(?:^|[\s;|(`])"
    r"(?:sudo|last|lastb|journalctl|grep|ss|ip|whois|dig|getent|passwd|ps|systemctl|df|ls|stat|lsof|tcpdump|ausearch|"
    r"aws|usermod|nft|iptables|crontab|sshd?|Get-[A-Z]\w+)"
    r"(?:\s+-{1,2}\w|\s+[a-z-]+\s+-{1,2}\w|\s+(?:status|list|show|cloudtrail|iam|s3|s3api)\b|\s*\|)"
    r"|\s{2,}#\s|\s\|\s(?:grep|head|sort|uniq|wc|Where-Object)\b"
)
"""A program with an option or a subcommand, a pipe into one, or a comment behind a command."""
_FIGURE = re.compile(r"(?<![\w.])\d")
_FIELD = re.compile(r"\{[^{}]*\}")

everyone = pytest.mark.parametrize("name", sorted(KINDS))


def _names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _templates(name: str) -> Iterator[tuple[str, str]]:
    kind = KINDS[name]
    yield "summary", kind.summary
    yield "usual", kind.guidance.usual
    yield from (("next_steps", text) for text in kind.guidance.next_steps)
    yield from (("would_change", text) for text in kind.guidance.would_change)


@cache
def _found(name: str) -> tuple[Finding, ...]:
    """What it finds in its fixture."""
    kind = KINDS[name]
    if issubclass(kind, Correlator):
        story = load_story(STORIES / f"{name}.csv")
        part = kind(kind.params(**story.parameters))
        return tuple(item for one in story.stories for item in judge_story(part, one.lines))
    fixture = load_fixture(HERE / str(kind.log_type) / f"{name}.csv", kind.log_type)
    found: list[Finding] = []
    for case in fixture.cases:
        detector = fixture.detector(kind, seed_mode=case.seed_mode)
        found += run_detector(detector, detector.initial(), case.rows)[0]
    return tuple(found)


@everyone
def test_its_commands_are_of_the_table_and_each_is_named_once(name: str) -> None:
    named = KINDS[name].guidance.commands
    assert 2 <= len(named) <= 4
    assert [item for item in named if item not in COMMANDS] == []
    assert len(set(named)) == len(named)


@everyone
def test_one_command_can_be_filled_from_what_every_finding_of_it_has(name: str) -> None:
    """A detector's findings have its key and needs; a correlator's what all findings of its fixture have."""
    found = _found(name)
    assert found, "no case of the fixture fires"
    kind = KINDS[name]
    columns: set[str] = set()
    if not issubclass(kind, Correlator):
        columns = set(kind.key) | set(kind.needs)
    known = {field for field in ROW_FIELDS if field in columns or _is_always_known(field, found, kind)}
    known |= {parameter for parameter, names in COLUMNS_OF.items() if columns & set(names)}
    known |= {"since", "until"} | columns & {"path"}
    values = {key: value for key, value in COMMAND_VALUES.items() if key in known}
    filled = [fill(item, Platform.UNIX, values) for item in kind.guidance.commands]
    assert any(filled), f"none of {kind.guidance.commands} can be filled from {sorted(known)}"


def _is_always_known(field: str, found: tuple[Finding, ...], kind: type[object]) -> bool:
    return issubclass(kind, Correlator) and all(getattr(item, field) is not None for item in found)


@everyone
def test_it_names_two_other_explanations_and_two_things_that_would_change_the_verdict(name: str) -> None:
    guidance = KINDS[name].guidance
    assert len(set(guidance.benign)) >= 2
    assert 2 <= len(set(guidance.would_change)) <= 3
    assert all(text == text.strip() and text for text in (*guidance.benign, *guidance.would_change))


@everyone
def test_what_is_usual_stands_beside_what_was_observed(name: str) -> None:
    """Two details at least that are figures, or texts with figures: one alone is the observed value or the usual one.

    In one finding of the fixture at least: seed_mode knows of no usual value.
    """
    template = KINDS[name].guidance.usual
    figures = [
        {key for key in _names(template) & set(item.details) if _has_figure(item.details[key])} for item in _found(name)
    ]
    assert any(len(one) >= 2 for one in figures), f"figures of {template!r}: {figures}"


def _has_figure(value: object) -> bool:
    if isinstance(value, str):
        return any(character.isdigit() for character in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


@everyone
def test_templates_name_only_what_a_finding_has(name: str) -> None:
    for item in _found(name):
        for part, template in _templates(name):
            unknown = _names(template) - set(item.details) - set(ROW_FIELDS)
            assert not unknown, f"{part} {template!r} names {sorted(unknown)}"
            details = {**dict.fromkeys(ROW_FIELDS, "x"), **item.details}
            known = {key: value for key, value in details.items() if value is not None}
            if _names(template) <= set(known):
                assert template.format_map(known)


@everyone
def test_no_figure_is_written_into_the_text(name: str) -> None:
    """A threshold in prose is wrong as soon as a setting changes it, and nothing in the finding bears it out."""
    guidance = KINDS[name].guidance
    texts = [guidance.meaning, *guidance.benign, *(text for _, text in _templates(name))]
    assert [text for text in texts if _FIGURE.search(_FIELD.sub("", text))] == []


@everyone
def test_steps_are_words_and_commands_stand_apart(name: str) -> None:
    assert [text for text in KINDS[name].guidance.next_steps if _PROGRAM.search(text)] == []


def test_the_program_pattern_knows_a_command_from_words() -> None:
    commands = (
        "last -i | grep -F {src_ip}    # did it ever log in?",
        "journalctl -t sshd --since '1 day ago'",
        "whois {src_ip}    # whose is it?",
        "aws cloudtrail lookup-events",
        "systemctl status rsyslog",
    )
    words = ("At last - it was the owner.", "Who is on, and since when?", "Look at the last logins of {user}.")
    assert all(_PROGRAM.search(text) for text in commands)
    assert not any(_PROGRAM.search(text) for text in words)


@pytest.mark.parametrize("command_id", sorted(COMMANDS))
def test_every_variant_of_a_command_fills_with_good_values(command_id: str) -> None:
    for platform in COMMANDS[command_id].texts:
        assert parameters(command_id, platform) <= set(COMMAND_VALUES)
        text = fill(command_id, platform, COMMAND_VALUES)
        assert text is not None and "{{" not in text and "}}" not in text and "\n" not in text


@pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind.log_type == "login"))
def test_a_login_can_be_looked_into_on_windows_and_in_the_cloud_as_well(name: str) -> None:
    for platform in (Platform.WINDOWS, Platform.AWS):
        offered = [item for item in KINDS[name].guidance.commands if platform in COMMANDS[item].texts]
        assert any(item not in ("owner_of_source", "blocked") for item in offered), f"{platform}: {offered}"
