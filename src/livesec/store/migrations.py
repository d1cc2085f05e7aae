"""Brings a store of an older version to the layout of `tables.py`: a backup first, then one transaction."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count, groupby
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, select, text, update

from livesec.core.anomaly import EvidenceLine
from livesec.core.clock import now_us
from livesec.core.errors import LiveSecError
from livesec.core.explanation import Contribution, Explanation, Step
from livesec.core.fault_points import reach
from livesec.core.json_text import json_text
from livesec.core.snapshot import PartKind, SavedPart
from livesec.store import tables as t
from livesec.store.evidence import pack_evidence
from livesec.store.saved_state import put_parts

_log = logging.getLogger(__name__)
_PAGE_ROWS = 1000


def migrate(engine: Engine, path: Path, version: int) -> None:
    """Migrate the store at `path` from `version` to SCHEMA_VERSION; its writer must be the caller.

    Raises LiveSecError where no backup can be made, sqlalchemy.exc.DatabaseError; the store is then as it was.
    """
    reach("migration.begun")
    backup = _back_up(engine, path, version)
    reach("migration.backed_up")
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 begins by itself only where rows change
        for step in range(version, t.SCHEMA_VERSION):
            _STEPS[step](connection)
        connection.execute(update(t.meta).where(t.meta.c.key == "schema_version").values(value=str(t.SCHEMA_VERSION)))
        reach("migration.inside")
    reach("migration.done")
    _log.info("%s: migrated from version %d to %d; as it was: %s", path, version, t.SCHEMA_VERSION, backup)


def _back_up(engine: Engine, path: Path, version: int) -> Path:
    """A copy of the store beside it, complete once it has its name; earlier ones are kept."""
    name = f"{path.name}.v{version}.bak"
    names = (path.with_name(name if number == 1 else f"{name}.{number}") for number in count(1))
    backup = next(item for item in names if not item.exists())
    unfinished = path.with_name(f"{name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        with engine.connect() as connection, closing(sqlite3.connect(unfinished)) as copy:
            cast(sqlite3.Connection, connection.connection.driver_connection).backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        _sync(unfinished)
        unfinished.rename(backup)
        _sync(path.parent)
    except (OSError, sqlite3.OperationalError) as error:
        unfinished.unlink(missing_ok=True)
        raise LiveSecError(
            f"{path}: written by an older LiveSec (version {version}); no backup of it could be made beside it "
            f"({error}): make room or give the right to write there, and start again"
        ) from error
    return backup


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


# From version 1: evidence lines had a table, state was saved whole, alerts were never marked -------------------------


def _from_1(connection: Connection) -> None:
    for column in ("modified_us BIGINT", "searched BIGINT NOT NULL DEFAULT 0"):
        connection.exec_driver_sql(f"ALTER TABLE streams ADD COLUMN {column}")
    connection.exec_driver_sql("ALTER TABLE anomalies ADD COLUMN evidence BLOB NOT NULL DEFAULT x''")
    for anomaly_id, lines in _evidence_of_1(connection):
        connection.execute(
            update(t.anomalies).where(t.anomalies.c.id == anomaly_id).values(evidence=pack_evidence(lines))
        )
    connection.exec_driver_sql("DROP TABLE evidence")
    t.saved_state.create(connection)
    for component, data in connection.execute(text("SELECT component, data FROM snapshots")).all():
        put_parts(connection, [_saved_part_of_1(component, data)])
    connection.exec_driver_sql("DROP TABLE snapshots")
    for index in t.outbox.indexes:
        index.create(connection)
    connection.execute(update(t.outbox).values(delivered_us=now_us()))  # they were shown as they came


def _evidence_of_1(connection: Connection) -> Iterator[tuple[str, list[EvidenceLine]]]:
    rows = connection.execute(
        text('SELECT anomaly_id, stream_id, "offset", length, line FROM evidence ORDER BY anomaly_id, position')
    )
    for anomaly_id, lines in groupby(rows, key=lambda row: str(row.anomaly_id)):
        yield anomaly_id, [EvidenceLine(row.stream_id, row.offset, row.length, row.line) for row in lines]


def _saved_part_of_1(component: str, data: bytes) -> SavedPart:
    """A detector's keys as one part of changes, so that groups of shards take its place with the next snapshots."""
    if component.startswith("detector:"):
        return SavedPart(component, PartKind.CHANGES, 1, 1, data)
    if component == "incidents":
        data = _incidents_of_1(data)
    return SavedPart(component, PartKind.WHOLE, 0, 1, data)


def _incidents_of_1(data: bytes) -> bytes:
    """An anomaly that waits under several entities was saved under each; now it is saved once, and named there."""
    try:
        saved = json.loads(data)
        pending = {item[0]: item for *_, waiting in saved["pending"] for item in waiting}
        queues = [[kind, name, [item[0] for item in waiting]] for kind, name, waiting in saved["pending"]]
    except (ValueError, KeyError, TypeError, IndexError) as error:  # recovery will say that they are learned anew
        _log.warning("incidents: their saved state cannot be migrated: %r", error)
        return data
    return json_text(saved | {"version": 2, "pending": list(pending.values()), "queues": queues}).encode()


# From version 2: explanations had fewer fields, and only one writer --------------------------------------------------


def _from_2(connection: Connection) -> None:
    t.metadata.create_all(connection, tables=t.EXPLAINER_TABLES, checkfirst=False)
    columns = t.anomalies.c
    number = 0
    while rows := connection.execute(
        select(columns.number, columns.score, columns.confidence, columns.explanation)
        .where(columns.number > number)
        .order_by(columns.number)
        .limit(_PAGE_ROWS)
    ).all():
        for row in rows:
            explanation = _explanation_of_2(row.explanation, row.score, row.confidence)
            connection.execute(update(t.anomalies).where(columns.number == row.number).values(explanation=explanation))
        number = rows[-1].number


def _explanation_of_2(saved: str, score: float, confidence: float) -> str:
    """The same texts in the fields of today; of what made up the score only the sum is known."""
    old = json.loads(saved)
    return Explanation(
        headline=old["headline"],
        what_happened=old["what_happened"],
        usual=old["usual"],
        why_score=(Contribution("as scored by an earlier version", score / 10),),
        alternatives=tuple(old["alternatives"]),
        would_change=(),
        next_steps=tuple(Step(text) for text in old["next_steps"]),
        techniques=tuple(old["techniques"]),
        confidence=confidence,
    ).to_json()


_STEPS: dict[int, Callable[[Connection], None]] = {1: _from_1, 2: _from_2}
"""Version to what makes the next one of it."""
