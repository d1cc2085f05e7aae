"""The deterministic writer: fills a detector's guidance with the numbers of a finding. Good enough to work with alone.

Templates are the detector's; the values put into them come from logs and are made safe to show first.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from string import Formatter

from livesec.core.attack import tactics_of, technique_name
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.finding import Finding, Scalar
from livesec.core.protocols import Guidance
from livesec.core.text import shown

FIELD_CHARACTERS = 128  # of a user name or path in a sentence


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
def _texts(value: str) -> tuple[_Text, _Text]:
    """`value` safe to show, and the same quoted for a shell: in a command an address must stay one word."""
    safe = shown(value, FIELD_CHARACTERS)
    return _Text(safe), _Text(shlex.quote(safe))


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
class Written:
    """The description line and the explanation of one finding."""

    description: str
    explanation: Explanation


@cache
def _technique_lines(techniques: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{technique} {technique_name(technique)} ({', '.join(tactics_of([technique]))})" for technique in techniques
    )


def write(finding: Finding, summary: str, guidance: Guidance, score: float, note: str = "") -> Written:
    """Describe and explain `finding`, scored `score` (0-100), for the reason `note` too.

    Raises KeyError for an unknown detail in a template.
    """
    plain: Mapping[str, Scalar] = {
        **finding.details,
        "user": finding.user,
        "src_ip": finding.src_ip,
        "dst_ip": finding.dst_ip,
        "host": finding.host,
    }
    values: dict[str, object] = {}
    commands: dict[str, object] = {}
    for name, value in plain.items():
        if isinstance(value, str):
            values[name], commands[name] = _texts(value)
        else:
            values[name] = commands[name] = _fit(value)
    description = summary.format_map(values)
    confidence = "full confidence" if finding.confidence >= 1 else f"confidence {finding.confidence:.2f}"
    base = finding.base_severity / 10
    return Written(
        description,
        Explanation(
            headline=description,
            what_happened=f"{description}. {guidance.meaning}",
            usual=guidance.usual.format_map(values),
            why_score=(
                Contribution(f"base severity of {finding.detector}", base),
                Contribution(f"{confidence}{note}", score / 10 - base),
            ),
            alternatives=guidance.benign,
            would_change=(),
            next_steps=tuple(Step(text) for text in _steps(guidance.next_steps, commands)),
            techniques=_technique_lines(finding.techniques),
            confidence=finding.confidence,
        ),
    )
