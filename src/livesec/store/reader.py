"""A read-only view of a store for the desk: one connection, many threads, each query on a consistent state.

The queries themselves are in `anomaly_queries`, `incident_queries`, `activity_queries` and `health_queries`; each
takes the connection that `StoreReader.reading()` gives.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from livesec.store import tables as t
from livesec.store.open import reader_engine, store_path


@dataclass(frozen=True, slots=True)
class Pulse:
    """A few cheap numbers; while none changes, nothing that the desk shows has changed, health aside."""

    anomalies: int
    """Highest anomaly number: grows with each anomaly."""
    lines: int
    """Lines committed in all: grows with each batch."""
    events: int
    incidents: int
    incident_members: int

    @property
    def findings(self) -> tuple[int, int, int]:
        """The part that changes when anomalies or incidents do."""
        return (self.anomalies, self.incidents, self.incident_members)


class StoreReader:
    """A store open for reading. Raises LiveSecError where there is none, or where it cannot be read."""

    def __init__(self, db: str) -> None:
        self.path = store_path(db).absolute()
        self._engine = reader_engine(db)
        # One connection under a lock: the pool that SQLAlchemy gives an in-memory URL may close a connection that
        # another thread is using, and a desk's queries take milliseconds.
        self._connection = self._engine.connect()
        self._lock = threading.Lock()
        self.identity = self._identity_now()
        """Device and inode of the file that is open."""

    def _identity_now(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def is_current(self) -> bool:
        """Whether the path still names the file that is open; a demo made anew puts another there."""
        return self.identity == self._identity_now()

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            self._connection.close()
            self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The connection, for queries that must agree with each other; raises what SQLAlchemy raises."""
        with self._lock:
            # pysqlite opens no transaction for a SELECT: each would see another state of a growing store.
            self._connection.exec_driver_sql("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.rollback()

    def pulse(self) -> Pulse:
        """What to compare before asking for anything large."""
        with self.reading() as connection:
            number = connection.execute(select(func.max(t.anomalies.c.number))).scalar_one()
            totals = {row.name: int(row.value) for row in connection.execute(select(t.totals.c.name, t.totals.c.value))}
            incidents = connection.execute(
                select(func.count(), func.coalesce(func.sum(t.incidents.c.anomalies), 0)).select_from(t.incidents)
            ).one()
        return Pulse(
            anomalies=int(number or 0),
            lines=totals.get("lines", 0),
            events=totals.get("events", 0),
            incidents=int(incidents[0]),
            incident_members=int(incidents[1]),
        )

    def is_demo(self) -> bool:
        """Whether the store holds demo data."""
        with self.reading() as connection:
            return connection.execute(select(t.meta.c.value).where(t.meta.c.key == "demo")).scalar() == "1"
