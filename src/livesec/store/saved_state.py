"""The rows that hold saved state: what `core.snapshot` describes, within the writer's transaction."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, select

from livesec.core.snapshot import PartKind, SavedPart, Snapshot
from livesec.store import tables as t
from livesec.store.statements import PUT_STATE, put_many


def put_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Store the parts of `snapshot` and delete those that it covers."""
    columns = t.saved_state.c
    for component in snapshot.anew:
        connection.execute(delete(t.saved_state).where(columns.component == component))
    put_many(connection, PUT_STATE, [asdict(part) | {"kind": part.kind.value} for part in snapshot.parts])
    for component, number in snapshot.covered.items():
        changes = (columns.component == component) & (columns.kind == PartKind.CHANGES.value)
        connection.execute(delete(t.saved_state).where(changes, columns.number <= number))


def saved_parts(connection: Connection) -> list[SavedPart]:
    """Every part."""
    rows = connection.execute(select(t.saved_state).order_by(t.saved_state.c.number, t.saved_state.c.component))
    return [SavedPart(row.component, PartKind(row.kind), row.part, row.number, row.data) for row in rows]
