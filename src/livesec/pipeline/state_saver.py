"""Saves keyed states so that a save costs what has changed, and a restore never reads much more than there is.

A snapshot holds the keys touched since the one before. Where such changes have come to hold more keys than the state
itself, its shards are written whole, group by group over as many snapshots as it takes, and the changes that the
groups cover are forgotten. All of a snapshot belongs to one place of the journalled order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from livesec.core.errors import StateVersionError
from livesec.core.rows import SHARDS
from livesec.core.snapshot import PartKind, SavedPart, Snapshot
from livesec.core.state import KeyedState

GROUPS = 16
_GROUP_SHARDS = SHARDS // GROUPS
SNAPSHOT_BYTES = 8 << 20
"""No group is added to a snapshot that has reached this: one transaction stays short whatever the states hold."""

DAMAGED = "its bytes are not those that were saved"


class StateSaver:
    """Takes snapshots of `states` (component to state) and restores them."""

    def __init__(self, states: Mapping[str, KeyedState]) -> None:
        self._states = states
        self._number = 0
        self._changed_keys = dict.fromkeys(states, 0)  # held by changes that no groups cover yet
        self._grouped: dict[str, list[int]] = {name: [0] * GROUPS for name in states}  # snapshot of each group
        self._begun: dict[str, int] = {}  # components whose groups are being written, and since which snapshot
        self._anew: set[str] = set()

    def take(self, dirty: Iterable[str], whole: Mapping[str, bytes]) -> Snapshot:
        """The changes of the `dirty` among the states, some groups, and `whole` components as they are given."""
        self._number += 1
        parts = [SavedPart(name, PartKind.WHOLE, 0, self._number, data) for name, data in whole.items()]
        for name in dirty:
            state = self._states[name]
            data, keys = state.changes_to_bytes()
            self._changed_keys[name] += keys
            parts.append(SavedPart(name, PartKind.CHANGES, self._number, self._number, data))
            state.mark_saved()
        for name, state in self._states.items():
            if self._changed_keys[name] > len(state):
                self._begun.setdefault(name, self._number)
        room = SNAPSHOT_BYTES - sum(len(part.data) for part in parts)
        covered: dict[str, int] = {}
        for name, since in list(self._begun.items()):
            missing = [group for group, number in enumerate(self._grouped[name]) if number < since]
            for group in missing:
                if room <= 0:
                    break
                data = self._states[name].to_bytes(range(group * _GROUP_SHARDS, (group + 1) * _GROUP_SHARDS))
                parts.append(SavedPart(name, PartKind.GROUP, group, self._number, data))
                self._grouped[name][group] = self._number
                room -= len(data)
            if min(self._grouped[name]) >= since:
                covered[name] = since
                self._changed_keys[name] = 0
                del self._begun[name]
        anew, self._anew = sorted(self._anew), set()
        return Snapshot(self._number, parts, anew, covered)

    def restore(self, parts: Sequence[SavedPart]) -> dict[str, Exception]:
        """Take over saved parts of the states, in any order; what could not be read, by component, starts empty."""
        self._number = max((part.number for part in parts), default=0)
        failed: dict[str, Exception] = {}
        own: dict[str, list[SavedPart]] = {}
        for part in sorted(parts, key=lambda item: (item.number, item.kind == PartKind.GROUP)):
            own.setdefault(part.component, []).append(part)
        for name in [name for name in self._states if name in own]:
            try:
                if any(part.is_damaged for part in own[name]):
                    raise ValueError(DAMAGED)
                self._states[name].load_parts([part.data for part in own[name]])
            except (StateVersionError, ValueError) as error:
                failed[name] = error
                self._anew.add(name)
                continue
            for part in own[name]:
                if part.kind == PartKind.GROUP:
                    self._grouped[name][part.part] = part.number
            # How many keys the changes hold is not known: where there are some, groups are written next.
            if any(part.kind == PartKind.CHANGES for part in own[name]):
                self._changed_keys[name] = len(self._states[name]) + 1
        return failed
