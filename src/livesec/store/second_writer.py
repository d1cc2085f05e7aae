"""The worker's way into a store that the daemon writes: short transactions beside the one writer's.

It waits for the daemon and never the other way round for long: a transaction here is a few rows and no fsync. With
`synchronous = NORMAL` a power cut may take the last explanations along, which costs a question to the model; a lock
held for an fsync would cost the detection path its time. The log is emptied by the daemon's commits alone, so what
`wal.py` promises stays as it is.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from livesec.core.errors import LiveSecError, StoreHeldError
from livesec.store.open import LOCK_WAIT_MS, damage_named, reader_engine, store_path

LOCK_END = ".explain-lock"


def _on_connect(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -2000")  # 2 MB
    connection.execute("PRAGMA wal_autocheckpoint = 0")


class SecondWriter:
    """A store open for reading and for writing what belongs to explanations. For one thread.

    Raises LiveSecError where there is no store, or of another version.
    """

    def __init__(self, db: str) -> None:
        reader_engine(db).dispose()  # says what is wrong with the store in the usual words
        self.path = store_path(db).absolute()
        self._engine: Engine = create_engine(
            f"sqlite:///{self.path}",
            connect_args={"timeout": LOCK_WAIT_MS / 1000, "check_same_thread": False},
            poolclass=StaticPool,
        )
        event.listen(self._engine, "connect", _on_connect)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that sees what it changes; nothing slow may happen within."""
        with damage_named(self.path), self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # the driver would begin with the first change, after reading
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view; end it soon, it keeps the log from being emptied."""
        with damage_named(self.path), self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        """Close the store."""
        self._engine.dispose()


@contextmanager
def worker_lock(store: Path) -> Iterator[None]:
    """The right to be a store's one worker, freed when the process ends. Raises StoreHeldError."""
    fd = os.open(store.with_name(store.name + LOCK_END), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreHeldError(f"{store}: another process asks the model about this store already") from None
        except OSError as error:
            raise LiveSecError(f"{store}: cannot be locked ({error.strerror})") from error
        yield
    finally:
        os.close(fd)
