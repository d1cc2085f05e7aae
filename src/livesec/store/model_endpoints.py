"""What is known about an endpoint from one start to the next: its breaker and how it wants to be asked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from livesec.store import tables as t


@dataclass(frozen=True, slots=True)
class EndpointState:
    """Of one base URL and model."""

    fingerprint: str
    rung: str | None
    breaker: str
    """JSON of explain.breaker.Breaker."""


def endpoint_state(connection: Connection, endpoint: str) -> EndpointState | None:
    """What is known about `endpoint`, named by its address and model."""
    columns = t.model_endpoints.c
    row = connection.execute(
        select(columns.fingerprint, columns.rung, columns.breaker).where(columns.endpoint == endpoint)
    ).first()
    return None if row is None else EndpointState(row.fingerprint, row.rung, row.breaker)


def put_endpoint_state(connection: Connection, endpoint: str, state: EndpointState) -> None:
    """Keep it."""
    new = insert(t.model_endpoints)
    names = EndpointState.__dataclass_fields__
    connection.execute(
        new.on_conflict_do_update(index_elements=["endpoint"], set_={name: new.excluded[name] for name in names}),
        {"endpoint": endpoint} | {name: getattr(state, name) for name in names},
    )
