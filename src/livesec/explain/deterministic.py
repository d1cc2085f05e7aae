"""The deterministic writer: fills a detector's guidance with the numbers of a finding. Good enough to work with alone.

Templates are the detector's; the values put into them come from logs and are made safe to show first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from string import Formatter

from livesec.core.attack import tactics_of, technique_name
from livesec.core.clock import US_PER_S, rfc3339
from livesec.core.commands import Platform, fill
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Guidance
from livesec.core.text import shown

FIELD_CHARACTERS = 128  # of a user name or path in a sentence
US_PER_HOUR = 3600 * US_PER_S
_SECONDS = len("1970-01-01T00:00:00")
_EACH_CITED = 2  # more lines are cited as a range
_WORDS = {
    "user": "the account",
    "src_ip": "the source address",
    "dst_ip": "the destination address",
    "host": "the host",
}


class _Unknown:
    """Stands for a value the log did not give, under any format specification."""

    def __format__(self, _spec: str) -> str:
        return "unknown"


class _NotANumber:
    """Stands for a value that is not finite, under any format specification."""

    def __format__(self, _spec: str) -> str:
        return "n/a"


class _Text(str):
    """A text that ignores number formats meant for another case of the same detail."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


@lru_cache(maxsize=1 << 14)
def _text(value: str) -> _Text:
    """`value` safe to show."""
    return _Text(shown(value, FIELD_CHARACTERS))


_UNKNOWN = _Unknown()
_NOT_A_NUMBER = _NotANumber()


def _fit(value: Scalar) -> object:
    """`value` as templates can format it, unless it is a text."""
    if value is None:
        return _UNKNOWN
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_A_NUMBER
    return value


@cache
def _named(templates: tuple[str, ...]) -> tuple[str, ...]:
    """The values that `templates` ask for, in order."""
    names = dict.fromkeys(name for template in templates for _, name, _, _ in Formatter().parse(template) if name)
    return tuple(names)


@cache
def _pieces(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, name) for literal, name, _, _ in Formatter().parse(template))


@lru_cache(maxsize=1 << 12)
def _filled(templates: tuple[str, ...], texts: tuple[_Text | _Unknown, ...]) -> tuple[str, ...]:
    """`templates` with texts, which know no formats, so that the pieces need only be joined."""
    values = {name: f"{text}" for name, text in zip(_named(templates), texts, strict=True)}
    return tuple(
        "".join([literal if name is None else literal + values[name] for literal, name in _pieces(template)])
        for template in templates
    )


def _steps(templates: tuple[str, ...], values: Mapping[str, object]) -> tuple[str, ...]:
    """`templates` with `values`; most name only an address or a user, of whom there will be more anomalies."""
    wanted = tuple(values[name] for name in _named(templates))
    texts = tuple(value for value in wanted if isinstance(value, _Text | _Unknown))
    if len(texts) < len(wanted):  # numbers that are equal need not look alike: 1 and 1.0
        return tuple(template.format_map(values) for template in templates)
    return _filled(templates, texts)


@dataclass(frozen=True, slots=True)
class Scored:
    """How a finding came to its score, and what else is known where it is stored."""

    contributions: tuple[Contribution, ...]
    """They add up to the score."""
    lines: int
    """Lines of evidence that are kept."""
    platform: Platform = Platform.UNIX
    """Of the log that it was found in."""
    is_statistical: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The description line and the explanation of one finding."""

    description: str
    explanation: Explanation


@cache
def _technique_lines(techniques: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{technique} {technique_name(technique)} ({', '.join(tactics_of([technique]))})" for technique in techniques
    )


@cache
def citation(lines: int) -> str:
    """How a text cites all lines of evidence.

    >>> citation(1), citation(2), citation(8), citation(0)
    ('[L1]', '[L1], [L2]', '[L1] to [L8]', '')
    """
    if lines <= _EACH_CITED:
        return ", ".join(f"[L{number}]" for number in range(1, lines + 1))
    return f"[L1] to [L{lines}]"


@cache
def _all_named(summary: str, guidance: Guidance) -> tuple[str, ...]:
    return _named((summary, guidance.usual, *guidance.next_steps, *guidance.would_change))


def _missing(summary: str, guidance: Guidance, plain: Mapping[str, Scalar]) -> tuple[str, ...]:
    """What the text would say if the log said it."""
    return tuple(
        _WORDS.get(name, name.replace("_", " ")) for name in _all_named(summary, guidance) if plain[name] is None
    )


def _confidence_reason(finding: Finding, is_statistical: bool) -> str:
    if is_statistical:
        share = "full" if finding.confidence >= 1 else f"{finding.confidence:.2f}"
        return f"{share}: how far this lies outside of what was seen of this entity before"
    if finding.confidence >= 1:
        return "full: a rule, and all that it asks for is there"
    return f"{finding.confidence:.2f}: a rule that is met in part, or only by what others do too"


@lru_cache(maxsize=1 << 10)
def _hours_around(hour: int) -> tuple[str, str]:
    """From an hour before to an hour after the hour `hour` since 1970: whole hours, so that texts repeat."""
    return rfc3339((hour - 1) * US_PER_HOUR)[:_SECONDS] + "Z", rfc3339((hour + 2) * US_PER_HOUR)[:_SECONDS] + "Z"


def around(time_us: int) -> dict[str, str]:
    """The parameters since and until of commands about something at `time_us`.

    >>> around(0)
    {'since': '1969-12-31T23:00:00Z', 'until': '1970-01-01T02:00:00Z'}
    """
    since, until = _hours_around(time_us // US_PER_HOUR)
    return {"since": since, "until": until}


def _next_steps(
    finding: Finding, guidance: Guidance, platform: Platform, plain: Mapping[str, Scalar], values: Mapping[str, object]
) -> tuple[Step, ...]:
    """The commands that can be filled in, then what to do in words."""
    known = {"path": plain.get("file"), **plain, **around(finding.event_time_us)}
    commands = [Step(text, name) for name in guidance.commands if (text := fill(name, platform, known)) is not None]
    return (*commands, *(Step(text) for text in _steps(guidance.next_steps, values)))


def write(finding: Finding, summary: str, guidance: Guidance, scored: Scored) -> Written:
    """Describe and explain `finding`. Raises KeyError for an unknown detail in a template."""
    plain: Mapping[str, Scalar] = {
        **finding.details,
        "user": finding.user,
        "src_ip": finding.src_ip,
        "dst_ip": finding.dst_ip,
        "host": finding.host,
    }
    values = {name: _text(value) if isinstance(value, str) else _fit(value) for name, value in plain.items()}
    description = summary.format_map(values)
    cited = citation(scored.lines)
    return Written(
        description,
        Explanation(
            headline=description,
            what_happened=f"{description}{' ' if cited else ''}{cited}. {guidance.meaning}",
            usual=guidance.usual.format_map(values),
            why_score=scored.contributions,
            alternatives=guidance.benign,
            would_change=_steps(guidance.would_change, values),
            next_steps=_next_steps(finding, guidance, scored.platform, plain, values),
            techniques=_technique_lines(finding.techniques),
            confidence=finding.confidence,
            confidence_reason=_confidence_reason(finding, scored.is_statistical),
            missing=_missing(summary, guidance, plain),
        ),
    )
