"""Incidents: anomalies that belong together, opened only when there is enough.

An incident opens for an entity when its risk reaches 75, when one anomaly scores 90 or more, or when four detectors
of three tactics named it within seven days (Splunk's rule), each with half a medium score at least. It takes with it
the entity's anomalies of the last hour (of seven days, for the last rule); later ones join while they share one of its
entities within an hour of its last. Hubs (correlate/hubs.py) tie nothing together. Each change is put out with its
count; how often an attack raises anomalies is the detectors' part, which report what goes on only as it grows fourfold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from livesec.core.anomaly import Anomaly, EntityRisk, Incident
from livesec.core.attack import tactics_of
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.severity import DEFAULT_BOUNDS, SEVERITIES, Severity, severity_of
from livesec.correlate.hubs import Hubs
from livesec.correlate.risk import Entity, entities_of

OPEN_AT_RISK = 75.0
OPEN_AT_SCORE = 90.0
OPEN_AT_TACTICS = 3
OPEN_AT_DETECTORS = 4
COUNTS_FROM = 20.0  # our choice: half of medium; four detectors that hardly noticed are no incident
JOIN_WITHIN_US = 3600 * US_PER_S
REMEMBER_US = 7 * US_PER_DAY
_PENDING_PER_ENTITY = 64
_MAX_ENTITIES = 50_000
_MAX_OPEN = 5_000
_NAMED = 2  # entities in a title
_VERSION, _BEFORE_HUBS = 3, 2
_PLAIN = ("id", "score", "first_us", "last_us", "count")
_SETS = ("entities", "techniques", "types")


@dataclass(frozen=True, slots=True)
class _Pending:
    """An anomaly that is in no incident yet."""

    id: str
    time_us: int
    type: str
    score: float
    techniques: tuple[str, ...]
    entities: tuple[Entity, ...]
    """Those that it is grouped by."""


@dataclass(slots=True)
class _Queue:
    """The last anomalies of an entity that are in no incident, and when each type last counted, at the latest."""

    items: list[_Pending] = field(default_factory=list)
    type_us: dict[str, int] = field(default_factory=dict)

    def add(self, item: _Pending) -> None:
        """Append `item`; the oldest makes way."""
        self.items.append(item)
        if len(self.items) > _PENDING_PER_ENTITY:
            del self.items[0]
        if item.score >= COUNTS_FROM:
            self.type_us[item.type] = max(item.time_us, self.type_us.get(item.type, item.time_us))


@dataclass(slots=True)
class _Open:
    """An incident that may still grow. Entities, techniques and types are sets in the order in which they came."""

    id: str
    score: float
    first_us: int
    last_us: int
    count: int = 0
    entities: dict[Entity, None] = field(default_factory=dict)
    techniques: dict[str, None] = field(default_factory=dict)
    types: dict[str, None] = field(default_factory=dict)

    def join(self, member: _Pending) -> None:
        """Count `member` in."""
        self.count += 1
        self.score = max(self.score, member.score)
        self.first_us = min(self.first_us, member.time_us)
        self.last_us = max(self.last_us, member.time_us)
        self.entities.update(dict.fromkeys(member.entities))
        self.techniques.update(dict.fromkeys(member.techniques))
        self.types[member.type] = None


_TITLES = (  # the first tactic combination that fits names the incident
    (("credential-access", "exfiltration"), "Account attack followed by data leaving"),
    (("initial-access", "exfiltration"), "Taken-over account and data leaving"),
    (("credential-access", "initial-access"), "Password attack that succeeded"),
    (("discovery", "initial-access"), "Scan followed by access"),
    (("impact",), "Attack on availability"),
    (("exfiltration",), "Data leaving unusually"),
    (("credential-access",), "Password attack"),
    (("initial-access",), "Account used unusually"),
    (("command-and-control",), "Command-and-control traffic"),
    (("discovery",), "Network scan"),
    (("reconnaissance",), "Reconnaissance"),
)


def _title(tactics: tuple[str, ...], entities: Iterable[Entity]) -> str:
    what = next((title for wanted, title in _TITLES if set(wanted) <= set(tactics)), "Unusual activity")
    names = [name for _, name in entities]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}"


class IncidentBuilder:
    """Groups anomalies in order; bounded."""

    def __init__(self) -> None:
        self._pending: dict[Entity, _Queue] = {}
        self._open: dict[str, _Open] = {}
        self._hubs = Hubs()
        self._incident_of: dict[Entity, str] = {}  # the last incident of each entity; follows from _open
        self._changed: dict[str, tuple[_Open, list[str]]] = {}  # since the last drain, with the members that joined

    def add(self, anomaly: Anomaly, risks: Iterable[EntityRisk]) -> None:
        """Let `anomaly` join or open an incident; sets its `incident_id`."""
        named = tuple(entities_of(anomaly))
        self._hubs.note(named, anomaly.time_us)
        telling = self._hubs.telling(named, anomaly.time_us)
        pending = _Pending(
            anomaly.id,
            anomaly.time_us,
            anomaly.type,
            anomaly.score,
            anomaly.techniques,
            telling,
        )
        incident = self._joinable(pending)
        members = [pending]
        if incident is None:
            members = self._opening(pending, _highest(risks, telling))
            if not members:
                self._wait(pending)
                return
            incident = self._start(members)
        joined = self._changed.setdefault(incident.id, (incident, []))[1]
        for member in members:
            incident.join(member)
            self._incident_of.update(dict.fromkeys(member.entities, incident.id))
            joined.append(member.id)
        anomaly.incident_id = incident.id

    def drain(self) -> list[Incident]:
        """The incidents that changed since the last call, as they stand now."""
        changed = [self._record(incident, tuple(joined)) for incident, joined in self._changed.values()]
        self._changed.clear()
        return changed

    def _joinable(self, newest: _Pending) -> _Open | None:
        for entity in newest.entities:
            incident = self._open.get(self._incident_of.get(entity, ""))
            if incident is not None and newest.time_us - incident.last_us <= JOIN_WITHIN_US:
                return incident
        return None

    def _opening(self, newest: _Pending, risk: float) -> list[_Pending]:
        """The members of a new incident, or nothing where there is not enough for one."""
        loud = risk >= OPEN_AT_RISK or newest.score >= OPEN_AT_SCORE
        queues = [self._pending[entity] for entity in newest.entities if entity in self._pending]
        types = {newest.type} if newest.score >= COUNTS_FROM else set()
        for queue in queues:  # few types, many anomalies: most end here
            types.update(name for name, time_us in queue.type_us.items() if newest.time_us - time_us <= REMEMBER_US)
        if not loud and len(types) < OPEN_AT_DETECTORS:
            return []
        known = {
            item.id: item for queue in queues for item in queue.items if newest.time_us - item.time_us <= REMEMBER_US
        }
        week = [*known.values(), newest]
        counting = [item for item in week if item.score >= COUNTS_FROM]
        tactics = tactics_of(technique for item in counting for technique in item.techniques)
        if len(tactics) >= OPEN_AT_TACTICS and len({item.type for item in counting}) >= OPEN_AT_DETECTORS:
            return week
        return [item for item in week if newest.time_us - item.time_us <= JOIN_WITHIN_US] if loud else []

    def _start(self, members: list[_Pending]) -> _Open:
        first = min(members, key=lambda item: (item.time_us, item.id))
        incident_id = hashlib.blake2b(first.id.encode(), digest_size=6, person=b"incident").hexdigest()
        incident = _Open(incident_id, 0.0, first.time_us, first.time_us)
        self._open[incident_id] = incident
        if len(self._open) > _MAX_OPEN:
            closed = self._open.pop(next(iter(self._open)))
            for entity in closed.entities:
                if self._incident_of.get(entity) == closed.id:
                    del self._incident_of[entity]
        taken = {member.id for member in members}
        for entity in dict.fromkeys(entity for member in members for entity in member.entities):
            queue = self._pending.pop(entity, None)
            left = [item for item in queue.items if item.id not in taken] if queue is not None else []
            if left:
                self._pending[entity] = _queue_of(left)
        return incident

    def _wait(self, pending: _Pending) -> None:
        for entity in pending.entities:
            queue = self._pending.pop(entity, None) or _Queue()
            queue.add(pending)
            self._pending[entity] = queue
        while len(self._pending) > _MAX_ENTITIES:
            del self._pending[next(iter(self._pending))]

    @staticmethod
    def _record(incident: _Open, joined: tuple[str, ...]) -> Incident:
        tactics = tactics_of(incident.techniques)
        return Incident(
            id=incident.id,
            title=_title(tactics, incident.entities),
            severity=max(severity_of(incident.score, DEFAULT_BOUNDS), Severity.MEDIUM, key=SEVERITIES.index),
            score=incident.score,
            first_us=incident.first_us,
            last_us=incident.last_us,
            anomaly_ids=joined,
            anomalies=incident.count,
            entities=tuple(incident.entities),
            tactics=tactics,
            types=tuple(incident.types),
        )

    def to_bytes(self) -> bytes:
        """JSON."""
        pending = {item.id: item for queue in self._pending.values() for item in queue.items}
        saved = {
            "version": _VERSION,
            "pending": [[getattr(item, name) for name in item.__slots__] for item in pending.values()],
            "queues": [[*entity, [item.id for item in queue.items]] for entity, queue in self._pending.items()],
            "hubs": self._hubs.to_list(),
            "open": [
                [getattr(item, name) for name in _PLAIN] + [list(getattr(item, name)) for name in _SETS]
                for item in self._open.values()
            ],
        }
        return json.dumps(saved).encode()

    @classmethod
    def from_bytes(cls, blob: bytes) -> IncidentBuilder:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] not in (_BEFORE_HUBS, _VERSION):
            raise StateVersionError(f"incidents: saved state of version {saved['version']}")
        builder = cls()
        if saved["version"] == _VERSION:
            builder._hubs = Hubs.from_list(saved["hubs"])
        items = {
            number: _Pending(
                number, time_us, kind, score, tuple(techniques), tuple((of, name) for of, name in entities)
            )
            for number, time_us, kind, score, techniques, entities in saved["pending"]
        }
        for kind, name, waiting in saved["queues"]:
            builder._pending[(kind, name)] = _queue_of(items[number] for number in waiting)
        for number, score, first_us, last_us, count, entities, techniques, types in saved["open"]:
            incident = _Open(
                number,
                score,
                first_us,
                last_us,
                count,
                dict.fromkeys((kind, name) for kind, name in entities),
                dict.fromkeys(techniques),
                dict.fromkeys(types),
            )
            builder._open[incident.id] = incident
            builder._incident_of.update(dict.fromkeys(incident.entities, incident.id))
        return builder


def _highest(risks: Iterable[EntityRisk], entities: Sequence[Entity]) -> float:
    return max((risk.risk for risk in risks if (risk.entity_type, risk.entity) in entities), default=0.0)


def _queue_of(items: Iterable[_Pending]) -> _Queue:
    queue = _Queue()
    for item in items:
        queue.add(item)
    return queue
