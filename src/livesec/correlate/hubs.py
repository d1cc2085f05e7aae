"""Hub keys: addresses, users and hosts that so many others have to do with that sharing one says nothing.

A way out that a whole company shares, a server that everyone scans, the account `root`: an anomaly about it and someone
else belongs to that someone. Partners are the other entities in the same anomaly, within the last seven days.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from livesec.core.clock import US_PER_DAY
from livesec.correlate.risk import Entity

HUB_PARTNERS = 8  # our choice: an attacker with that many victims is found by what he does, keyed by his address alone
REMEMBER_US = 7 * US_PER_DAY
_MAX_ENTITIES = 1 << 14

Saved = list[tuple[str, str, list[tuple[str, str, int]]]]


class Hubs:
    """The last partners of each entity, at most HUB_PARTNERS of them; bounded, least recently seen forgotten first."""

    def __init__(self) -> None:
        self._partners: dict[Entity, dict[Entity, int]] = {}

    def note(self, entities: Sequence[Entity], time_us: int) -> None:
        """An anomaly named `entities` together."""
        for entity in entities if len(entities) > 1 else ():
            partners = self._partners.pop(entity, {})
            self._partners[entity] = partners
            for other in entities:
                if other != entity:
                    latest_us = max(time_us, partners.pop(other, time_us))
                    partners[other] = latest_us
            while len(partners) > HUB_PARTNERS:
                del partners[next(iter(partners))]
        while len(self._partners) > _MAX_ENTITIES:
            del self._partners[next(iter(self._partners))]

    def is_hub(self, entity: Entity, time_us: int) -> bool:
        """Whether HUB_PARTNERS others were named with it within seven days."""
        partners = self._partners.get(entity, {})
        return sum(1 for seen_us in partners.values() if time_us - seen_us <= REMEMBER_US) >= HUB_PARTNERS

    def telling(self, entities: Sequence[Entity], time_us: int) -> tuple[Entity, ...]:
        """Those of `entities` by which an anomaly is grouped: without hubs, unless there is nothing else."""
        kept = tuple(entity for entity in entities if not self.is_hub(entity, time_us))
        return kept or tuple(entities)

    def to_list(self) -> Saved:
        """What JSON can take."""
        return [
            (*entity, [(*other, time_us) for other, time_us in partners.items()])
            for entity, partners in self._partners.items()
        ]

    @classmethod
    def from_list(cls, saved: Iterable[Sequence[Any]]) -> Hubs:
        """What `to_list` gave."""
        hubs = cls()
        for kind, name, partners in saved:
            hubs._partners[(str(kind), str(name))] = {(of, other): time_us for of, other, time_us in partners}
        return hubs
