"""What the note of an incident may say: what its anomalies may, and its own counts, times and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from livesec.core.clock import US_PER_S, seed_time
from livesec.core.finding import Scalar
from livesec.core.human_units import time_text
from livesec.core.incident_member import IncidentMember
from livesec.explain.fixed_words import note_words
from livesec.explain.grounding import Grounds, grounds_of_values
from livesec.explain.incident_note import MOST_CITED, IncidentFacts
from livesec.explain.tactic_texts import tactics_in

_MINUTE = len("1970-01-01 00:00")
_DAY = len("1970-01-01 ")
_TOLD_OF_A_PHASE = 3


def grounds_of_incident(
    incident: IncidentFacts, members: Sequence[IncidentMember], of_members: Sequence[Grounds]
) -> Grounds:
    """The grounds of `incident` from those of its `members`, in the same order."""
    values: dict[str, Scalar] = {f"count_{number}": count for number, count in enumerate(_counts(incident, members))}
    values |= {f"score_{number}": member.score / 10 for number, member in enumerate(members)}
    values |= {f"entity_{number}": name for number, (_, name) in enumerate(incident.entities)}
    values |= {f"id_{number}": member.id for number, member in enumerate(members)}
    values |= {"title": incident.title, "span": time_text((incident.last_us - incident.first_us) / US_PER_S)}
    for time_us in (incident.first_us, incident.last_us, *(member.time_us for member in members)):
        minute = seed_time(time_us)[:_MINUTE]
        values |= {f"minute_{time_us}": minute, f"clock_{time_us}": minute[_DAY:]}
    whole = grounds_of_values(values, incident.types)
    for grounds in of_members:
        whole = whole.joined(grounds)
    return replace(
        whole,
        words=whole.words | note_words(),
        lines=min(len(members), MOST_CITED),
        score=incident.score,
    )


def _counts(incident: IncidentFacts, members: Sequence[IncidentMember]) -> list[int]:
    """How many anomalies, of each phase, left out of each, not read; how many other detectors and names."""
    phases = Counter(tactics_in(member.explanation.techniques[:1]) for member in members).values()
    left = [phase - told for phase in phases for told in range(1, _TOLD_OF_A_PHASE + 1)]
    others = [len(set(incident.types)) - 1, incident.anomalies - len(members), len(incident.entities) - 6]
    return [incident.anomalies, *phases, *left, *others]
