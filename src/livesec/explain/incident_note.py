"""The deterministic note of an incident: its anomalies' records made one. Pure, written when somebody reads it.

It cites its anomalies as [L1], [L2] ... in the order in which they are given: the worst first, and of the same score
the earliest first, as `explain.facts` and `store.incident_members` have them. At most MOST_CITED are cited. Phases are
told in the order of their first sign: guessing comes before the login that it led to, whatever order ATT&CK has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Protocol, TypeVar

from livesec.core.attack import TACTICS
from livesec.core.clock import US_PER_S, seed_time
from livesec.core.explanation import Contribution, Explanation
from livesec.core.human_units import time_text
from livesec.core.incident_member import IncidentMember
from livesec.core.plural import counted
from livesec.core.severity import severity_of
from livesec.core.text import shown
from livesec.explain.deterministic import citation
from livesec.explain.merged_steps import merged_steps
from livesec.explain.tactic_texts import tactics_in

MOST_CITED = 20
_MOST_ENTITIES = 6
_MOST_OF_A_PHASE = 3
_MOST_USUAL = 2
_MOST_ITEMS = 6
_NAME_CHARACTERS = 128
_NO_TACTIC = "other"
_SAME_SCORE = 0.005  # scores are stored with two decimals of a hundred
_MINUTE = len("1970-01-01 00:00")
_DAY = len("1970-01-01 ")
_KINDS = {"user": "account", "src_ip": "source", "dst_ip": "destination", "host": "host"}

Item = TypeVar("Item")


class IncidentFacts(Protocol):
    """What the store knows of an incident: `store.incident_queries.IncidentRow` and `core.anomaly.Incident`."""

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def severity(self) -> str:
        """As rated by code."""
        ...

    @property
    def score(self) -> float:
        """0 to 100."""
        ...

    @property
    def first_us(self) -> int:
        """Of its earliest anomaly."""
        ...

    @property
    def last_us(self) -> int:
        """Of its latest anomaly."""
        ...

    @property
    def anomalies(self) -> int:
        """How many there are, listed or not."""
        ...

    @property
    def entities(self) -> Sequence[tuple[str, str]]:
        """Kinds and names."""
        ...

    @property
    def types(self) -> Sequence[str]:
        """Names of the detectors."""
        ...


def worst_first(members: Iterable[IncidentMember]) -> list[IncidentMember]:
    """In the order in which they are cited."""
    return sorted(members, key=lambda member: (-member.score, member.time_us, member.id))


def write_incident(incident: IncidentFacts, members: Sequence[IncidentMember]) -> Explanation:
    """The note of `incident` from `members`, the worst first; there may be fewer of them than it has in all."""
    headline = _headline(incident)
    if not members:
        return Explanation(
            headline=headline,
            what_happened=f"{headline}. None of its anomalies is in the store any more.",
            usual="Not known: that stood in its anomalies.",
            why_score=(Contribution("its worst anomaly, which is not in the store any more", incident.score / 10),),
            alternatives=(),
            would_change=(),
            next_steps=(),
            techniques=(),
            confidence=0.0,
            confidence_reason="none: there is nothing left to judge by",
            missing=(counted(incident.anomalies, "anomaly", "anomalies"),),
        )
    kinds = _of_each_kind(members)
    told = [member.explanation for member in kinds]
    return Explanation(
        headline=headline,
        what_happened=f"{headline} {citation(min(len(members), MOST_CITED))}. {_story(incident, members)}",
        usual=" ".join(f"{member.type}: {member.explanation.usual}" for member in kinds[:_MOST_USUAL])
        if len(kinds) > 1
        else told[0].usual,
        why_score=_contributions(incident, members[0]),
        alternatives=_merged([record.alternatives for record in told])[:_MOST_ITEMS],
        would_change=_merged([record.would_change for record in told])[:_MOST_ITEMS],
        next_steps=merged_steps(
            [member.explanation.next_steps for member in kinds], [member.id for member in members[:MOST_CITED]]
        ),
        techniques=tuple(dict.fromkeys(line for member in members for line in member.explanation.techniques)),
        confidence=members[0].explanation.confidence,
        confidence_reason=_confidence_reason(incident, members[0]),
        missing=_missing(incident, members),
    )


def _headline(incident: IncidentFacts) -> str:
    """Its title, how many anomalies, in what time."""
    span_us = incident.last_us - incident.first_us
    within = f" in {time_text(span_us / US_PER_S)}" if span_us and incident.anomalies > 1 else ""
    return f"{shown(incident.title)} ({counted(incident.anomalies, 'anomaly', 'anomalies')}{within})"


def _of_each_kind(members: Sequence[IncidentMember]) -> list[IncidentMember]:
    """The worst of each detector, the worst first."""
    first: dict[str, IncidentMember] = {}
    for member in members:
        first.setdefault(member.type, member)
    return list(first.values())


def _merged(lists: Sequence[Sequence[Item]]) -> tuple[Item, ...]:
    """All of the first list, then in turns one of each other, each once."""
    if not lists:
        return ()
    turns = (item for turn in zip_longest(*lists[1:]) for item in turn if item is not None)
    return tuple(dict.fromkeys([*lists[0], *turns]))


def _story(incident: IncidentFacts, members: Sequence[IncidentMember]) -> str:
    """About whom; the phases; what the worst of them is a sign of."""
    worst = members[0]
    phases = " ".join(_phase(name, own) for name, own in _phases(members))
    rated = f"The worst is {worst.type} [L1], rated {worst.severity} at {worst.score / 10:.1f}. "
    alone = incident.anomalies == len(members) == 1
    return f"About {_entities(incident)}. {phases} {'' if alone else rated}{worst.explanation.meaning}".strip()


Cited = tuple[int, IncidentMember]
"""An anomaly and the number under which it is cited."""


def _phases(members: Sequence[IncidentMember]) -> list[tuple[str, list[Cited]]]:
    """Members by the tactic of their most fitting technique, in order of each one's first sign; the worst first."""
    by_tactic: dict[str, list[Cited]] = {}
    for number, member in enumerate(members, 1):
        named = tactics_in(member.explanation.techniques[:1])
        by_tactic.setdefault(named[0] if named else _NO_TACTIC, []).append((number, member))
    order = (*TACTICS, _NO_TACTIC)
    return sorted(
        by_tactic.items(), key=lambda item: (min(member.time_us for _, member in item[1]), order.index(item[0]))
    )


def _phase(name: str, own: Sequence[Cited]) -> str:
    """One sentence: when, how many, and the worst of each kind."""
    kinds: dict[str, Cited] = {}
    for number, member in own:
        kinds.setdefault(member.type, (number, member))
    told = [
        f"{member.description} [L{number}]" if number <= MOST_CITED else member.description
        for number, member in list(kinds.values())[:_MOST_OF_A_PHASE]
    ]
    times = [member.time_us for _, member in own]
    left = len(own) - len(told)
    more = f"; and {left:,} more" if left else ""
    count = f" ({counted(len(own), 'anomaly', 'anomalies')})" if len(own) > 1 else ""
    return f"{name.capitalize()} {_when(min(times), max(times))} UTC{count}: {'; '.join(told)}{more}."


def _when(first_us: int, last_us: int) -> str:
    """To the minute.

    >>> _when(0, 59_000_000), _when(0, 120_000_000), _when(0, 86_400_000_000)
    ('at 1970-01-01 00:00', 'from 1970-01-01 00:00 to 00:02', 'from 1970-01-01 00:00 to 1970-01-02 00:00')
    """
    first, last = seed_time(first_us)[:_MINUTE], seed_time(last_us)[:_MINUTE]
    if first == last:
        return f"at {first}"
    return f"from {first} to {last[_DAY:] if first[:_DAY] == last[:_DAY] else last}"


def _entities(incident: IncidentFacts) -> str:
    """Kinds and names, at most _MOST_ENTITIES."""
    named = [f"{_KINDS.get(kind, kind)} {shown(name, _NAME_CHARACTERS)}" for kind, name in incident.entities]
    if not named:
        return "no known account or address"
    left = len(named) - _MOST_ENTITIES
    if left > 0:
        return f"{', '.join(named[:_MOST_ENTITIES])} and {left:,} more"
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _contributions(incident: IncidentFacts, worst: IncidentMember) -> tuple[Contribution, ...]:
    """Those of the worst anomaly, and what else its score has; they add up to the incident's."""
    first, *others = worst.explanation.why_score or (Contribution("its score", worst.score / 10),)
    parts = [Contribution(f"worst anomaly, {worst.type} [L1]: {first.cause}", first.points), *others]
    left = incident.score / 10 - sum(part.points for part in parts)
    if abs(left) > _SAME_SCORE:
        cause = "anomalies that are not listed here, or risk" if left > 0 else "its score when it joined was lower"
        parts.append(Contribution(cause, left))
    if incident.severity != severity_of(incident.score):
        parts.append(Contribution(f"an incident is rated {incident.severity} at least", 0.0))
    return tuple(parts)


def _confidence_reason(incident: IncidentFacts, worst: IncidentMember) -> str:
    reason = worst.explanation.confidence_reason or f"{worst.explanation.confidence:.2f}"
    others = len(set(incident.types) - {worst.type})
    if not others:
        return f"{reason}; no other detector saw it"
    return f"{reason} ({worst.type}); {counted(others, 'other detector')} saw the same entities"


def _missing(incident: IncidentFacts, members: Sequence[IncidentMember]) -> tuple[str, ...]:
    """What its anomalies miss, and the anomalies that are not listed."""
    named = list(dict.fromkeys(item for member in members for item in member.explanation.missing))[:_MOST_ITEMS]
    left = incident.anomalies - len(members)
    if left > 0:
        named.append(f"{counted(left, 'further anomaly', 'further anomalies')}, not read for this note")
    return tuple(named)
