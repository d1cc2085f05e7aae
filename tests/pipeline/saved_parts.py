"""What a store keeps of snapshots, in memory."""

from __future__ import annotations

from livesec.core.snapshot import PartKind, SavedPart, Snapshot


class KeptParts:
    """Saved parts, replaced and forgotten as `store.saved_state` does."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, PartKind, int], SavedPart] = {}

    def add(self, snapshot: Snapshot) -> None:
        kept = {key: part for key, part in self._parts.items() if part.component not in snapshot.anew}
        kept |= {(part.component, part.kind, part.part): part for part in snapshot.parts}
        self._parts = {
            key: part
            for key, part in kept.items()
            if part.kind != PartKind.CHANGES or part.number > snapshot.covered.get(part.component, 0)
        }

    @property
    def parts(self) -> list[SavedPart]:
        return list(self._parts.values())
