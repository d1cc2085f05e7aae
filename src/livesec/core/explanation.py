"""The Explanation record: what an analyst reads about an anomaly, whoever wrote it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from livesec.core.json_text import json_text


@dataclass(frozen=True, slots=True)
class Explanation:
    """One anomaly explained. Every number in it comes from the anomaly's details."""

    headline: str
    what_happened: str
    usual: str
    """What is normal for this entity."""
    why_score: str
    alternatives: tuple[str, ...]
    next_steps: tuple[str, ...]
    techniques: tuple[str, ...]
    writer: str
    """`deterministic`, or the model's name."""

    def to_json(self) -> str:
        """As the store keeps it."""
        return json_text({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Explanation:
        """What `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**(values | lists))

    def to_text(self) -> str:
        """As a person reads it: short paragraphs, plain text."""
        lines = [self.what_happened, f"Usual: {self.usual}", f"Score: {self.why_score}"]
        if self.alternatives:
            lines.append("Could also be: " + "; ".join(self.alternatives) + ".")
        if self.next_steps:
            lines.append("Next steps:")
            lines.extend(f"  {number}. {step}" for number, step in enumerate(self.next_steps, 1))
        if self.techniques:
            lines.append("ATT&CK: " + ", ".join(self.techniques))
        return "\n".join(lines)
