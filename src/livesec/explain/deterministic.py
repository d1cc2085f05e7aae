"""The deterministic writer: fills a detector's guidance with the numbers of a finding. Good enough to work with alone.

Templates are the detector's; the values put into them come from logs and are made safe to show first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from string import Formatter

from livesec.core.attack import tactics_of, technique_name
from livesec.core.clock import US_PER_HOUR, rfc3339
from livesec.core.commands import Platform, fill
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Guidance
from livesec.core.text import shown

FIELD_CHARACTERS = 128  # of a user name or path in a sentence
_SECONDS = len("1970-01-01T00:00:00")
_EACH_CITED = 2  # more lines are cited as a range
_WORDS = {
    "user": "the account",
    "src_ip": "the source address",
    "dst_ip": "the destination address",
    "host": "the host",
}


UNKNOWN, NOT_A_NUMBER = "unknown", "n/a"
"""What stands for a value that the log did not give, and for one that is not finite, under any format."""


_BETWEEN_UNKNOWN = f" ({UNKNOWN} to {UNKNOWN})"
"""What a summary would say of both ends where the log names neither."""


def _fit(value: Scalar) -> str | int | float:
    """`value` as templates take it: texts are safe to show."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return shown(value, FIELD_CHARACTERS)
    if isinstance(value, float) and not math.isfinite(value):
        return NOT_A_NUMBER
    return value


_Pieces = tuple[tuple[str, str | None, str], ...]
"""(literal, name of the value behind it, its format)"""


@cache
def _pieces(template: str) -> _Pieces:
    return tuple((literal, name, spec or "") for literal, name, spec, _ in Formatter().parse(template))


def _filled(pieces: _Pieces, values: Mapping[str, str | int | float]) -> str:
    """The template with `values`; a text ignores a number's format, meant for another case of the same detail."""
    text = ""
    for literal, name, spec in pieces:
        text += literal
        if name is not None:
            value = values[name]
            text += value if isinstance(value, str) else format(value, spec)
    return text


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


@dataclass(frozen=True, slots=True)
class _Item:
    """One template of a list. Where the log does not give what it is about, it says nothing and is left out."""

    pieces: _Pieces
    names: frozenset[str]


def _item(template: str) -> _Item:
    pieces = _pieces(template)
    return _Item(pieces, frozenset(name for _, name, _ in pieces if name is not None))


@dataclass(frozen=True, slots=True)
class _Plan:
    """A detector's templates, taken apart once."""

    names: tuple[str, ...]
    """The values that any of them asks for."""
    summary: _Pieces
    usual: _Pieces
    would_change: tuple[_Item, ...]
    steps: tuple[Step | _Item, ...]
    """Those that ask for no value are ready."""


@cache
def _plan(summary: str, guidance: Guidance) -> _Plan:
    templates = (summary, guidance.usual, *guidance.next_steps, *guidance.would_change)
    return _Plan(
        tuple(dict.fromkeys(name for template in templates for _, name, _ in _pieces(template) if name)),
        _pieces(summary),
        _pieces(guidance.usual),
        tuple(map(_item, guidance.would_change)),
        tuple(item if item.names else Step(_filled(item.pieces, {})) for item in map(_item, guidance.next_steps)),
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


def command_values(values: Mapping[str, Scalar], time_us: int) -> dict[str, Scalar]:
    """What commands about something with `values` (details and entities) at `time_us` are filled with.

    Transfers name their path `file`.
    """
    return {"path": values.get("file"), **values, **around(time_us)}


def _commands(
    finding: Finding,
    commands: tuple[str, ...],
    platform: Platform,
    plain: Mapping[str, Scalar],
) -> Iterator[Step]:
    """The commands that can be filled in."""
    known = command_values(plain, finding.event_time_us)
    for name in commands:
        text = fill(name, platform, known)
        if text is not None:
            yield Step(text, name)


def write(finding: Finding, summary: str, guidance: Guidance, scored: Scored) -> Written:
    """Describe and explain `finding`. Raises KeyError for an unknown detail in a template."""
    plain: Mapping[str, Scalar] = {
        **finding.details,
        "user": finding.user,
        "src_ip": finding.src_ip,
        "dst_ip": finding.dst_ip,
        "host": finding.host,
    }
    plan = _plan(summary, guidance)
    values = {name: _fit(plain[name]) for name in plan.names}
    unknown = [name for name in plan.names if plain[name] is None]
    description = _filled(plan.summary, values).replace(_BETWEEN_UNKNOWN, "")
    cited = citation(scored.lines)
    return Written(
        description,
        Explanation(
            headline=description,
            what_happened=f"{description}{' ' if cited else ''}{cited}. {guidance.meaning}",
            usual=_filled(plan.usual, values),
            why_score=scored.contributions,
            alternatives=guidance.benign,
            would_change=tuple(
                [_filled(item.pieces, values) for item in plan.would_change if item.names.isdisjoint(unknown)]
            ),
            next_steps=(
                *_commands(finding, guidance.commands, scored.platform, plain),
                *[
                    step if isinstance(step, Step) else Step(_filled(step.pieces, values))
                    for step in plan.steps
                    if isinstance(step, Step) or step.names.isdisjoint(unknown)
                ],
            ),
            techniques=_technique_lines(finding.techniques),
            confidence=finding.confidence,
            confidence_reason=_confidence_reason(finding, scored.is_statistical),
            missing=tuple([_WORDS.get(name, name.replace("_", " ")) for name in unknown]),
        ),
    )
