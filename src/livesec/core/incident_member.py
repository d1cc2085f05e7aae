"""An anomaly as a member of its incident: what a note about the incident is written from."""

from __future__ import annotations

from dataclasses import dataclass

from livesec.core.explanation import Explanation


@dataclass(frozen=True, slots=True)
class IncidentMember:
    """One anomaly of an incident."""

    id: str
    time_us: int
    type: str
    severity: str
    score: float
    """0 to 100."""
    description: str
    explanation: Explanation
    """The deterministic one."""
