"""The rows that hold saved state: what `core.snapshot` describes, within the writer's transaction."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, delete, select

from livesec.core.errors import StoreDamagedError
from livesec.core.snapshot import PartKind, SavedPart, Snapshot
from livesec.store import tables as t
from livesec.store.statements import PUT_STATE, put_many


def put_parts(connection: Connection, parts: list[SavedPart]) -> None:
    """Store `parts`, each in the place of the one before it."""
    put_many(
        connection,
        PUT_STATE,
        [
            {
                "component": part.component,
                "kind": part.kind.value,
                "part": part.part,
                "number": part.number,
                "crc": zlib.crc32(part.data),
                "data": part.data,
            }
            for part in parts
        ],
    )


def put_snapshot(connection: Connection, snapshot: Snapshot) -> None:
    """Store the parts of `snapshot` and delete those that it covers."""
    columns = t.saved_state.c
    for component in snapshot.anew:
        connection.execute(delete(t.saved_state).where(columns.component == component))
    put_parts(connection, list(snapshot.parts))
    for component, number in snapshot.covered.items():
        changes = (columns.component == component) & (columns.kind == PartKind.CHANGES.value)
        connection.execute(delete(t.saved_state).where(changes, columns.number <= number))


def saved_parts(connection: Connection) -> list[SavedPart]:
    """Every part; one whose bytes are not those that were put is marked. Raises StoreDamagedError."""
    rows = connection.execute(select(t.saved_state).order_by(t.saved_state.c.number, t.saved_state.c.component))
    try:
        return [
            SavedPart(
                row.component,
                PartKind(row.kind),
                row.part,
                row.number,
                row.data,
                is_damaged=zlib.crc32(row.data) != row.crc,
            )
            for row in rows
        ]
    except (ValueError, TypeError) as error:
        raise StoreDamagedError(f"saved state: a row says nothing that LiveSec wrote ({error})") from error
