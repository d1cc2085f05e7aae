"""Recall, precision and alert rates from flagged things and labels.

Found or flagged means: the entity of an exported anomaly of severity medium or higher.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FLAGGED_SEVERITIES = frozenset({"medium", "high", "critical"})

ANY_DETECTOR = "*"
"""Row for all detectors together."""


@dataclass(frozen=True, slots=True)
class Score:
    """One row of `livesec evaluate`: a detector on a set."""

    set: str
    detector: str
    recall: float | None
    """Share of the `n` things to find that were found; None where there were none."""
    precision: float | None
    """Share of what was flagged that belongs to an attack; None where nothing was flagged."""
    alerts_per_day: float | None
    """Anomalies of medium or higher on quiet days, per day; None where the set has no quiet days."""
    n: int
    """Things to find."""

    def as_dict(self) -> dict[str, Any]:
        """Name to value."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number about a set that is no recall, precision or alert rate."""

    set: str
    name: str
    value: float | None
    """None where there was nothing to measure."""
    unit: str
    n: int
    """Things measured."""

    def as_dict(self) -> dict[str, Any]:
        """Name to value."""
        return asdict(self)


@dataclass
class Evaluation:
    """What an evaluation gives."""

    scores: list[Score] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    campaigns: list[dict[str, Any]] = field(default_factory=list)
    """One record per campaign of the demo world."""
    notes: list[str] = field(default_factory=list)
    """Sets that are not there, and things not found, by name."""

    def add(self, other: Evaluation) -> None:
        """Append what `other` has."""
        self.scores += other.scores
        self.measures += other.measures
        self.campaigns += other.campaigns
        self.notes += other.notes


def quantiles(set_name: str, name: str, values: Sequence[float], unit: str) -> list[Measure]:
    """Median and 90th percentile of `values`: the smallest value that so many do not exceed.

    >>> [item.value for item in quantiles("a", "time", [4, 1, 3, 2], "s")]
    [2, 4]
    """
    ordered = sorted(values)
    places = [(word, max(0, math.ceil(share * len(ordered)) - 1)) for word, share in (("median", 0.5), ("p90", 0.9))]
    return [
        Measure(set_name, f"{name}, {word}", round(ordered[place], 3) if ordered else None, unit, len(ordered))
        for word, place in places
    ]


def detectors_in(anomalies: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """All together, then each that is named."""
    return (ANY_DETECTOR, *sorted({anomaly["type"] for anomaly in anomalies}))


def of_detector(anomalies: Iterable[dict[str, Any]], detector: str) -> list[dict[str, Any]]:
    """Those of one detector, or all."""
    return [anomaly for anomaly in anomalies if detector in (ANY_DETECTOR, anomaly["type"])]


def trigger_offset(anomaly: dict[str, Any]) -> int | None:
    """Where the line starts at which it was found."""
    return int(anomaly["evidence"][-1]["offset"]) if anomaly["evidence"] else None


def ratio(part: int, whole: int) -> float | None:
    """`part / whole`, None where `whole` is 0.

    >>> ratio(1, 4), ratio(0, 0)
    (0.25, None)
    """
    return round(part / whole, 4) if whole else None


def flagged(anomalies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The exported anomalies that count."""
    return [anomaly for anomaly in anomalies if anomaly["severity"] in FLAGGED_SEVERITIES]
