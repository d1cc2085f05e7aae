"""Which anomaly, incident or entity is meant: ids by their beginning, with suggestions where none fits."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from livesec.copilot.answer import ToolError
from livesec.core.text import shown
from livesec.store.anomaly_queries import AnomalyDetail, anomaly_detail
from livesec.store.ask_queries import anomaly_ids, incident_ids
from livesec.store.incident_queries import IncidentRow, incident_row

MIN_CHARACTERS = 4  # of the beginning of an id


def _one_id(start: str, kind: str, found: list[str]) -> str:
    """The id meant by `start`. Raises ToolError where it is none or several."""
    if start in found:
        return start
    if len(found) == 1 and len(start) >= MIN_CHARACTERS:
        return found[0]
    if found:
        raise ToolError(f"{len(found)} or more ids begin with {shown(start, 64)}: {', '.join(found)}")
    listing = "anomalies 7d" if kind == "anomaly" else "incidents"
    raise ToolError(f"no {kind} has the id {shown(start, 64)}, or one that begins so; `{listing}` lists them")


def _meant(connection: Connection, start: str, kind: str, ids: Callable[[Connection, str], list[str]]) -> str:
    return _one_id(start, kind, ids(connection, start))


def anomaly_meant(connection: Connection, start: str) -> AnomalyDetail:
    """The anomaly whose id begins with `start`. Raises ToolError."""
    found = anomaly_detail(connection, _meant(connection, start, "anomaly", anomaly_ids))
    if found is None:  # the reader's transaction sees one state, so this id cannot have gone since
        raise ToolError(f"anomaly {shown(start, 64)} is not in the store any more")
    return found


def incident_meant(connection: Connection, start: str) -> IncidentRow:
    """The incident whose id begins with `start`. Raises ToolError."""
    found = incident_row(connection, _meant(connection, start, "incident", incident_ids))
    if found is None:
        raise ToolError(f"incident {shown(start, 64)} is not in the store any more")
    return found
