"""Incidents: anomalies that belong together, opened only when there is enough.

An incident opens for an entity when its risk reaches 75, when one anomaly scores 90 or more, or when four detectors
of three tactics named it within seven days (Splunk's rule). It takes with it the entity's anomalies of the last
hour (of seven days, for the last rule); later ones join while they share one of its entities within an hour of its
last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from livesec.core.anomaly import Anomaly, EntityRisk, Incident
from livesec.core.attack import tactics_of
from livesec.core.clock import US_PER_DAY, US_PER_S
from livesec.core.errors import StateVersionError
from livesec.core.severity import DEFAULT_BOUNDS, SEVERITIES, Severity, severity_of
from livesec.correlate.risk import Entity, entities_of

OPEN_AT_RISK = 75.0
OPEN_AT_SCORE = 90.0
OPEN_AT_TACTICS = 3
OPEN_AT_DETECTORS = 4
JOIN_WITHIN_US = 3600 * US_PER_S
REMEMBER_US = 7 * US_PER_DAY
_PENDING_PER_ENTITY = 64
_MAX_ENTITIES = 50_000
_MAX_OPEN = 5_000
_NAMED = 2  # entities in a title
_VERSION = 1

T = TypeVar("T")


@dataclass(slots=True)
class _Pending:
    """An anomaly that is in no incident yet."""

    id: str
    time_us: int
    type: str
    score: float
    techniques: list[str]
    entities: list[list[str]]


@dataclass(slots=True)
class _Open:
    """An incident that may still grow."""

    id: str
    score: float
    first_us: int
    last_us: int
    count: int = 0
    entities: list[list[str]] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)


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


def _title(tactics: tuple[str, ...], entities: list[list[str]]) -> str:
    what = next((title for wanted, title in _TITLES if set(wanted) <= set(tactics)), "Unusual activity")
    names = [name for _, name in entities]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{what}: {', '.join(names[:_NAMED])}{more}"


def _add_new(known: list[T], more: Iterable[T]) -> None:
    known.extend(item for item in more if item not in known)


class IncidentBuilder:
    """Groups anomalies in order; bounded."""

    def __init__(self) -> None:
        self._pending: dict[Entity, list[_Pending]] = {}
        self._open: dict[str, _Open] = {}
        self._incident_of: dict[Entity, str] = {}  # the last incident of each entity; follows from _open

    def add(self, anomaly: Anomaly, risks: list[EntityRisk]) -> Incident | None:
        """The incident that `anomaly` joins or opens, as it stands then; sets `anomaly.incident_id`."""
        entities = list(entities_of(anomaly))
        pending = _Pending(
            anomaly.id,
            anomaly.time_us,
            anomaly.type,
            anomaly.score,
            list(anomaly.techniques),
            [list(entity) for entity in entities],
        )
        incident = self._joinable(entities, anomaly.time_us)
        members = [pending]
        if incident is None:
            members = self._opening(entities, pending, max((risk.risk for risk in risks), default=0.0))
            if not members:
                self._wait(entities, pending)
                return None
            incident = self._start(members)
        for member in members:
            self._join(incident, member)
        anomaly.incident_id = incident.id
        return self._record(incident, tuple(member.id for member in members))

    def _joinable(self, entities: list[Entity], time_us: int) -> _Open | None:
        for entity in entities:
            incident = self._open.get(self._incident_of.get(entity, ""))
            if incident is not None and time_us - incident.last_us <= JOIN_WITHIN_US:
                return incident
        return None

    def _opening(self, entities: list[Entity], newest: _Pending, risk: float) -> list[_Pending]:
        """The members of a new incident, or nothing where there is not enough for one."""
        known = {
            item.id: item
            for entity in entities
            for item in self._pending.get(entity, [])
            if newest.time_us - item.time_us <= REMEMBER_US
        }
        week = [*known.values(), newest]
        tactics = tactics_of(technique for item in week for technique in item.techniques)
        if len(tactics) >= OPEN_AT_TACTICS and len({item.type for item in week}) >= OPEN_AT_DETECTORS:
            return week
        if risk >= OPEN_AT_RISK or newest.score >= OPEN_AT_SCORE:
            return [item for item in week if newest.time_us - item.time_us <= JOIN_WITHIN_US]
        return []

    def _start(self, members: list[_Pending]) -> _Open:
        first = min(members, key=lambda item: (item.time_us, item.id))
        incident_id = hashlib.blake2b(first.id.encode(), digest_size=6, person=b"incident").hexdigest()
        incident = _Open(incident_id, 0.0, first.time_us, first.time_us)
        self._open[incident_id] = incident
        if len(self._open) > _MAX_OPEN:
            closed = self._open.pop(next(iter(self._open)))
            for kind, name in closed.entities:
                if self._incident_of.get((kind, name)) == closed.id:
                    del self._incident_of[(kind, name)]
        taken = {member.id for member in members}
        for entity in {(kind, name) for member in members for kind, name in member.entities}:
            left = [item for item in self._pending.get(entity, []) if item.id not in taken]
            if left:
                self._pending[entity] = left
            else:
                self._pending.pop(entity, None)
        return incident

    def _wait(self, entities: list[Entity], pending: _Pending) -> None:
        for entity in entities:
            queue = self._pending.pop(entity, [])
            queue.append(pending)
            self._pending[entity] = queue[-_PENDING_PER_ENTITY:]
        while len(self._pending) > _MAX_ENTITIES:
            del self._pending[next(iter(self._pending))]

    def _join(self, incident: _Open, member: _Pending) -> None:
        for kind, name in member.entities:
            self._incident_of[(kind, name)] = incident.id
        incident.count += 1
        incident.score = max(incident.score, member.score)
        incident.first_us = min(incident.first_us, member.time_us)
        incident.last_us = max(incident.last_us, member.time_us)
        _add_new(incident.entities, member.entities)
        _add_new(incident.techniques, member.techniques)
        _add_new(incident.types, [member.type])

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
            entities=tuple((kind, name) for kind, name in incident.entities),
            tactics=tactics,
            types=tuple(incident.types),
        )

    def to_bytes(self) -> bytes:
        """JSON."""
        saved = {
            "version": _VERSION,
            "pending": [[*entity, [self._plain(item) for item in items]] for entity, items in self._pending.items()],
            "open": [self._plain(item) for item in self._open.values()],
        }
        return json.dumps(saved).encode()

    @staticmethod
    def _plain(item: _Pending | _Open) -> list[object]:
        return [getattr(item, name) for name in item.__slots__]

    @classmethod
    def from_bytes(cls, blob: bytes) -> IncidentBuilder:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"incidents: saved state of version {saved['version']}")
        builder = cls()
        items: dict[str, _Pending] = {}  # one anomaly waits under each of its entities
        for kind, name, waiting in saved["pending"]:
            builder._pending[(kind, name)] = [items.setdefault(item[0], _Pending(*item)) for item in waiting]
        for item in saved["open"]:
            incident = _Open(*item)
            builder._open[incident.id] = incident
            builder._incident_of.update({(kind, name): incident.id for kind, name in incident.entities})
        return builder
