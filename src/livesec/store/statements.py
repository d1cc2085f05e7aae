"""The writer's statements: inserts that know what to do where the key is known already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Table, Update, bindparam, func, select, update
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from livesec.core.anomaly import SUPPRESSED
from livesec.store import tables as t


def upsert(table: Table, keys: Sequence[str], adding: Sequence[str], setting: Sequence[str] = ()) -> Any:
    """INSERT that on a known key adds to columns `adding` and replaces those in `setting`, or leaves the old row."""
    statement = sqlite_insert(table)
    changes: dict[str, Any] = {name: table.c[name] + statement.excluded[name] for name in adding}
    changes |= {name: statement.excluded[name] for name in setting}
    if not changes:
        return statement.on_conflict_do_nothing(index_elements=list(keys))
    return statement.on_conflict_do_update(index_elements=list(keys), set_=changes)


PUT_STREAM = upsert(t.streams, ["stream_id"], [], [column.name for column in t.streams.c if column.name != "stream_id"])
PUT_META = upsert(t.meta, ["key"], [], ["value"])
PUT_HEALTH = upsert(t.health, ["key"], [], ["value"])
PUT_STATE = upsert(t.saved_state, ["component", "kind", "part"], [], ["number", "crc", "data"])
INCIDENT_COLUMNS = [column.name for column in t.incidents.c]
PUT_INCIDENT = upsert(t.incidents, ["id"], [], [name for name in INCIDENT_COLUMNS if name not in ("id", "status")])
PUT_RISK = upsert(t.risk, ["entity_type", "entity"], [], ["risk", "time_us", "anomalies"])
ADD_REJECTS = upsert(t.reject_counts, ["stream_id", "reason"], ["lines"])
ADD_COUNTS = upsert(t.counts, ["log_type", "minute_us"], ["events"])
ADD_TOTALS = upsert(t.totals, ["name"], ["value"])
ADD_COVERAGE = upsert(t.coverage, ["detector"], ["rows", "judged", "findings"], ["entities"])
ANOMALY_COLUMNS = [column.name for column in t.anomalies.c if column.name != "number"]
_new = select(t.anomalies.c.id).where(
    t.anomalies.c.number > bindparam("known"), ~t.anomalies.c.historical, t.anomalies.c.status != SUPPRESSED
)
NEW_IN_OUTBOX = sqlite_insert(t.outbox).from_select(["anomaly_id"], _new.order_by(t.anomalies.c.number))
OUTBOX_END = select(func.coalesce(func.max(t.outbox.c.number), 0))
MARK_DELIVERED = (
    update(t.outbox)
    .where(t.outbox.c.number <= bindparam("upto"), t.outbox.c.delivered_us.is_(None))
    .values(delivered_us=bindparam("at_us"))
)
NEW_REJECT = sqlite_insert(t.rejects).on_conflict_do_nothing()
NEW_RECENT = sqlite_insert(t.recent_events)
JOIN_INCIDENT = (
    update(t.anomalies).where(t.anomalies.c.id == bindparam("member")).values(incident_id=bindparam("incident"))
)


def put_many(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    """Run `statement` for `rows`, if there are any."""
    if rows:
        connection.execute(statement, rows)


class Bulk:
    """A statement that puts many rows, given as tuples in the order of `columns`.

    SQLAlchemy compiles it once; the rows go to the driver as they are. With one row per anomaly and per minute that
    is a third of what a commit costs otherwise.
    """

    def __init__(self, statement: SqliteInsert | Update, columns: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns))
        given = getattr(compiled, "positiontup", None)
        if given != list(columns):  # the driver takes the values by position
            raise AssertionError(f"{statement.table}: columns are bound as {given}, not {list(columns)}")
        self._sql = str(compiled)

    def execute(self, connection: Connection, rows: list[tuple[Any, ...]]) -> None:
        """Put `rows`."""
        if rows:
            connection.exec_driver_sql(self._sql, rows)
