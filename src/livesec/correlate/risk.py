"""Entity risk: how much has gathered around a user, address or host, fading with time.

    L <- L * 2^(-dt / h) - ln(1 - s / 100)          R = 100 (1 - e^-L)

One anomaly of score s gives R = s. h is 12 h for addresses and 72 h for users and hosts. The i-th repeat of one
detector on an entity counts s / i^1.5, so that one loud detector cannot make an incident alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from livesec.core.anomaly import Anomaly, EntityRisk
from livesec.core.errors import StateVersionError

HALF_LIFE_S = {"src_ip": 12 * 3600.0, "dst_ip": 12 * 3600.0, "user": 72 * 3600.0, "host": 72 * 3600.0}
_REPEAT_EXPONENT = 1.5
_FORGET_BELOW = 0.001  # of L: 0.1 points of risk
_MAX_ENTITIES = 100_000
_VERSION = 1

Entity = tuple[str, str]


@dataclass(slots=True)
class _Level:
    """L of an entity at `time_us`, and how often each detector has counted."""

    level: float = 0.0
    time_us: int = 0
    repeats: dict[str, int] = field(default_factory=dict)


def entities_of(anomaly: Anomaly) -> Iterator[Entity]:
    """The single entities an anomaly is about: those of its key, never bystanders of its row."""
    values = {"user": anomaly.user, "src_ip": anomaly.src_ip, "dst_ip": anomaly.dst_ip, "host": anomaly.host}
    for name in anomaly.entity_type.split("|"):
        value = values.get(name)
        if value is not None:
            yield name, value


class RiskLevels:
    """Risk of every entity; bounded, least recently raised forgotten first."""

    def __init__(self) -> None:
        self._levels: dict[Entity, _Level] = {}

    def add(self, anomaly: Anomaly) -> list[EntityRisk]:
        """Count `anomaly` in; the risks of its entities after it."""
        risks = []
        for entity in entities_of(anomaly):
            state = self._levels.pop(entity, None) or _Level(time_us=anomaly.time_us)
            self._levels[entity] = state
            elapsed_s = max(0, anomaly.time_us - state.time_us) / 1e6
            level = state.level * 2.0 ** (-elapsed_s / HALF_LIFE_S[entity[0]])
            if level < _FORGET_BELOW:
                state.repeats.clear()
            repeat = state.repeats.get(anomaly.type, 0) + 1
            state.repeats[anomaly.type] = repeat
            counted = min(99.0, anomaly.score / repeat**_REPEAT_EXPONENT)
            state.level = level - math.log(1 - counted / 100)
            state.time_us = max(state.time_us, anomaly.time_us)
            risk = 100 * (1 - math.exp(-state.level))
            risks.append(EntityRisk(*entity, risk, state.time_us, sum(state.repeats.values())))
        if len(self._levels) > _MAX_ENTITIES:
            del self._levels[next(iter(self._levels))]
        return risks

    def to_bytes(self) -> bytes:
        """JSON."""
        rows = [[*entity, item.level, item.time_us, item.repeats] for entity, item in self._levels.items()]
        return json.dumps({"version": _VERSION, "levels": rows}).encode()

    @classmethod
    def from_bytes(cls, blob: bytes) -> RiskLevels:
        """What `to_bytes` wrote. Raises StateVersionError."""
        saved = json.loads(blob)
        if saved["version"] != _VERSION:
            raise StateVersionError(f"risk: saved state of version {saved['version']}")
        levels = cls()
        for kind, entity, level, time_us, repeats in saved["levels"]:
            levels._levels[(kind, entity)] = _Level(level, time_us, repeats)
        return levels
