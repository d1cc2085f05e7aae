"""Recall, precision and alert rates from flagged things and labels.

Found or flagged means: the entity of an exported anomaly of severity medium or higher.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
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


def ratio(part: int, whole: int) -> float | None:
    """`part / whole`, None where `whole` is 0.

    >>> ratio(1, 4), ratio(0, 0)
    (0.25, None)
    """
    return round(part / whole, 4) if whole else None


def flagged(anomalies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The exported anomalies that count."""
    return [anomaly for anomaly in anomalies if anomaly["severity"] in FLAGGED_SEVERITIES]
