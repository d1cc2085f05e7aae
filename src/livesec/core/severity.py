"""Severity words on the CVSS scale: score/10 from 4.0 is medium, from 7.0 high, from 9.0 critical."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Severity(StrEnum):
    """How bad, in words; ordered by `SEVERITIES`."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITIES = (Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)

# Lower bounds on the displayed 0.0-10.0 scale, as CVSS v3.1, section 5.
DEFAULT_BOUNDS: Mapping[Severity, float] = MappingProxyType(
    {Severity.MEDIUM: 4.0, Severity.HIGH: 7.0, Severity.CRITICAL: 9.0}
)

MAX_SCORE = 99.0  # 100 would claim certainty


def severity_of(score: float, bounds: Mapping[Severity, float] = DEFAULT_BOUNDS) -> Severity:
    """The word for a `score` of 0-100; `bounds` are on the 0-10 scale.

    >>> [str(severity_of(s)) for s in (39.9, 40, 69, 70, 90)]
    ['low', 'medium', 'medium', 'high', 'critical']
    """
    shown = score / 10
    for level in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM):
        if shown >= bounds[level]:
            return level
    return Severity.LOW
