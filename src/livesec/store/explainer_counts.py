"""Numbers that the worker keeps in the store: how far it has looked, and what it has done since the store was made."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from livesec.store import tables as t
from livesec.store.statements import upsert

_ADD = upsert(t.explainer_state, ["key"], ["value"])
CURSOR = "cursor"
"""Number of the last anomaly that was looked at."""


def add_to_count(connection: Connection, key: str, amount: int) -> None:
    """Add to a count."""
    if amount:
        connection.execute(_ADD, {"key": key, "value": amount})


def set_value(connection: Connection, key: str, value: int) -> None:
    """Replace a value."""
    new = insert(t.explainer_state)
    connection.execute(
        new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}),
        {"key": key, "value": value},
    )


def counts(connection: Connection) -> dict[str, int]:
    """All of them by name."""
    return {row.key: int(row.value) for row in connection.execute(select(t.explainer_state))}
