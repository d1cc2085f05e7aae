"""The Explanation record: what an analyst reads about an anomaly or incident, whoever worded it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from livesec.core.json_text import json_text

_CITED = re.compile(r"^(?:\[L\d+\](?:, | to )?)*\.? *")

DETERMINISTIC = "deterministic"
"""The writer that needs no model."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one cause adds to the score, or takes from it."""

    cause: str
    points: float
    """Signed, on the scale of 0 to 10. All of a record add up to its score."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do next. `command` is its id in `core.commands` where the text is a command; else it is advice."""

    text: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who worded it, and how. Numbers and commands are always code's."""

    writer: str = DETERMINISTIC
    """DETERMINISTIC, or the model's name."""
    reason: str = ""
    """Why the deterministic text stands where a model could have written: no key, budget, breaker, invalid answer."""
    template: str = ""
    """The view and its version, such as `technical_expert/1`."""
    rung: str = ""
    """How the model was asked: json_schema, json_object or text."""
    cached: bool = False
    latency_ms: int = 0
    tokens: int = 0
    redacted: bool = False
    disagrees: bool = False
    """The model called it benign against a high score; shown as a badge, and changes nothing."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One anomaly or incident explained. Every figure, address and name in it occurs in its facts.

    Lines of evidence are cited as [L1], [L2] ...: their numbers in the order in which the anomaly keeps them.
    """

    headline: str
    what_happened: str
    """Cites the lines of evidence."""
    usual: str
    """What is normal for this entity, with the observed value beside it."""
    why_score: tuple[Contribution, ...]
    alternatives: tuple[str, ...]
    """What else it could be."""
    would_change: tuple[str, ...]
    """What, if found, would change the verdict, in either direction."""
    next_steps: tuple[Step, ...]
    """Read-only commands first."""
    techniques: tuple[str, ...]
    """ATT&CK: id, name and tactic."""
    confidence: float = 1.0
    """0 to 1: of the finding, not of the wording."""
    confidence_reason: str = ""
    missing: tuple[str, ...] = ()
    """What the log does not say and would be needed to be surer."""
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def meaning(self) -> str:
        """What happened without the headline and the citation that open it: where those are shown beside it."""
        return _CITED.sub("", self.what_happened.removeprefix(self.headline).lstrip())

    @property
    def score(self) -> float:
        """0 to 10, as the contributions add up."""
        return sum(item.points for item in self.why_score)

    def to_json(self) -> str:
        """As the store keeps it."""
        return json_text(self)  # orjson reads dataclasses itself: asdict took twenty times as long

    @classmethod
    def from_json(cls, text: str) -> Explanation:
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        values["why_score"] = tuple(Contribution(**item) for item in values["why_score"])
        values["next_steps"] = tuple(Step(**item) for item in values["next_steps"])
        values["provenance"] = Provenance(**values["provenance"])
        for name in ("alternatives", "would_change", "techniques", "missing"):
            values[name] = tuple(values[name])
        return cls(**values)

    def to_text(self) -> str:
        """As a person reads it: short paragraphs, plain text."""
        lines = [self.what_happened, f"Usual: {self.usual}", f"Score: {self.score_text()}"]
        if self.confidence_reason:
            lines.append(f"Confidence: {self.confidence_reason}")
        for heading, items in (("Could also be", self.alternatives), ("Would change this", self.would_change)):
            if items:
                lines.append(f"{heading}: " + "; ".join(item.rstrip(".") for item in items) + ".")
        if self.missing:
            lines.append("Not in the log: " + "; ".join(self.missing) + ".")
        if self.next_steps:
            lines.append("Next steps:")
            lines.extend(f"  {number}. {step.text}" for number, step in enumerate(self.next_steps, 1))
        if self.techniques:
            lines.append("ATT&CK: " + ", ".join(self.techniques))
        return "\n".join(lines)

    def score_text(self) -> str:
        """The score and what it is made of, in one line."""
        parts = ", ".join(f"{item.cause} {item.points:+.1f}" for item in self.why_score)
        return f"{self.score:.1f} of 10: {parts}."
