"""The write-ahead log of a store: how large it is, and emptying it when readers let that happen.

SQLite copies the log into the database at every commit that makes it longer than `wal_autocheckpoint`, and then begins
it anew, unless a reader still looks at an old state: then it grows with every commit. Our own readers hold a state for
milliseconds. A foreign one may hold it for hours, and nothing but its end helps; what can be promised is that it is
said, and that the file shrinks again afterwards.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from livesec.core.clock import now_us

LARGE_BYTES = 64 << 20
"""Twice what the automatic checkpoint lets it grow to: longer means that a reader is in the way."""
READER_WAIT_MS = 100
"""Long enough for a reader of ours to end; those that begin meanwhile no longer look at the log."""


def wal_bytes(store: Path) -> int:
    """Length of a store's log now, 0 where there is none."""
    try:
        return store.with_name(store.name + "-wal").stat().st_size
    except OSError:
        return 0


class WriteAheadLog:
    """The log of the store at `path`, of which `engine` is the one writer's."""

    def __init__(self, path: Path, engine: Engine) -> None:
        self._store = path
        self._engine = engine
        self.held_since_us: int | None = None
        """Since when a reader keeps it from being emptied; None where none does."""

    def size_bytes(self) -> int:
        """Its length now, 0 where there is none."""
        return wal_bytes(self._store)

    def keep_short(self, large_bytes: int = LARGE_BYTES) -> bool:
        """Empty the file where it is longer than `large_bytes`; False where a reader does not let it happen.

        Waits `READER_WAIT_MS` for readers: a desk that asks many times a second would otherwise nearly always be one.
        """
        if self.size_bytes() <= large_bytes:
            self.held_since_us = None
            return True
        try:
            with self._engine.connect() as connection:
                waits_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
                connection.exec_driver_sql(f"PRAGMA busy_timeout = {READER_WAIT_MS}")
                try:
                    busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
                finally:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout = {waits_ms}")
        except OperationalError:  # another process writes at this moment, or the disk is full
            busy = 1
        if busy:
            self.held_since_us = self.held_since_us or now_us()
            return False
        self.held_since_us = None
        return True
