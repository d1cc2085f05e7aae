"""Saved state on its way to the store and back: small components whole, keyed state in groups of shards and changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class PartKind(StrEnum):
    """What a saved part says of its component."""

    WHOLE = "whole"
    """Everything."""
    CHANGES = "changes"
    """What came since the snapshot before."""
    GROUP = "group"
    """Everything of some shards."""


@dataclass(frozen=True, slots=True)
class SavedPart:
    """One part of a component, as snapshot `number` took it."""

    component: str
    kind: PartKind
    part: int
    """The group; of changes the snapshot's number, so that they do not replace one another; else 0."""
    number: int
    data: bytes
    is_damaged: bool = False
    """Whether the store gives other bytes than were put there."""


@dataclass(frozen=True)
class Snapshot:
    """All that changed since the last one, at one place of the journalled order: one transaction."""

    number: int
    parts: Sequence[SavedPart] = ()
    anew: Sequence[str] = ()
    """Components whose older parts say nothing any more."""
    covered: Mapping[str, int] = field(default_factory=dict)
    """Component to a number: its groups cover its changes up to that snapshot."""
