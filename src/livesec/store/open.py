"""Opens a store: SQLite with the pragmas that the promises need, its version checked, its writer alone."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DatabaseError, OperationalError

from livesec.core.errors import (
    LiveSecError,
    SettingsError,
    StoreDamagedError,
    StoreHeldError,
    StoreVersionError,
)
from livesec.core.fault_points import reach
from livesec.store.migrations import migrate
from livesec.store.tables import SCHEMA_VERSION, meta, metadata

_log = logging.getLogger(__name__)

LOCK_WAIT_MS = 5_000
"""How long a transaction waits for another connection's lock before it fails."""


def store_path(db: str) -> Path:
    """The SQLite file that `db` names. Raises SettingsError for the URL of another database."""
    if db.startswith("sqlite:///"):
        return Path(db.removeprefix("sqlite:///"))
    if "://" in db:
        scheme = db.partition("://")[0]
        raise SettingsError(
            f"db: a {scheme} store is not supported by this version; name a file, such as data/livesec.db"
        )
    return Path(db)


def _on_connect(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _on_writer_connect(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a committed offset must never run ahead of its anomalies
    connection.execute("PRAGMA cache_size = -16000")  # 16 MB
    connection.execute("PRAGMA wal_autocheckpoint = 8000")  # pages of 4 KiB
    connection.execute("PRAGMA journal_size_limit = 67108864")  # what a reader let it grow to is given back


def reader_engine(db: str) -> Engine:
    """A read-only engine over an existing store. Raises LiveSecError where there is none or of another version."""
    path = store_path(db)
    if not path.is_file():
        raise LiveSecError(f"{path}: there is no store here yet; `livesec run` or `livesec replay` makes it")
    uri = f"file:{path.absolute()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=LOCK_WAIT_MS / 1000),
        poolclass=NullPool,  # opening is cheap, and no reader keeps an old view of the store
    )
    event.listen(engine, "connect", _on_connect)
    with damage_named(path):
        version = _stored_version(engine, path)
    if version < SCHEMA_VERSION:
        raise StoreVersionError(
            f"{path}: written by an older LiveSec (store version {version}, this one reads {SCHEMA_VERSION}); "
            f"`livesec run --db {path}` migrates it and keeps a backup beside it"
        )
    return engine


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Errors of the database that `path` is become LiveSecErrors that name it."""
    try:
        yield
    except OperationalError as error:
        raise LiveSecError(f"{path}: the store cannot be opened or read: {error.orig}") from error
    except DatabaseError as error:
        raise StoreDamagedError(
            f"{path}: not a LiveSec store, or damaged ({error.orig}); move it away or restore a copy"
        ) from error


@contextmanager
def damage_alone_named(path: Path) -> Iterator[None]:
    """As `damage_named` for a database that cannot be read as one; what may pass (locked, disk full) is left alone."""
    try:
        yield
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        raise StoreDamagedError(
            f"{path}: the store is damaged ({error.orig}); move it away or restore a copy, and start again"
        ) from error


def _stored_version(engine: Engine, path: Path) -> int:
    """The version of the store's layout. Raises StoreVersionError where it is newer than SCHEMA_VERSION."""
    row = None
    if inspect(engine).has_table("meta"):
        with engine.connect() as connection:
            row = connection.execute(select(meta.c.value).where(meta.c.key == "schema_version")).first()
    if row is None or not row.value.isdigit():
        raise StoreDamagedError(f"{path}: a database, but not a LiveSec store; name another file with --db")
    version = int(row.value)
    if version > SCHEMA_VERSION:
        raise StoreVersionError(
            f"{path}: written by a newer LiveSec (store version {version}, this one knows {SCHEMA_VERSION}); "
            "update LiveSec or name another file with --db"
        )
    return version


class WriterLock:
    """The right to write a store: an flock on `<store>.lock`, held by the process, freed when it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 64, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise StoreHeldError(
                f"{path}: another LiveSec (pid {holder or 'unknown'}) writes this store; stop it or give another --db"
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def release(self) -> None:
        """Give the right back."""
        os.close(self._fd)


def _make(engine: Engine, *, demo: bool) -> None:
    """All tables and the version in one transaction: a store is there whole or not at all."""
    with engine.begin() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 begins by itself only where rows change
        metadata.create_all(connection)
        values = {"schema_version": str(SCHEMA_VERSION), "demo": "1" if demo else "0"}
        connection.execute(insert(meta), [{"key": key, "value": value} for key, value in values.items()])
        reach("store.creating")
    reach("store.created")


def writer_engine(db: str, *, demo: bool = False, lock_wait_ms: int = LOCK_WAIT_MS) -> tuple[Engine, WriterLock]:
    """The engine of the one writer, the store made where it is missing and migrated where it is older.

    Raises StoreHeldError, StoreVersionError, StoreDamagedError, LiveSecError.
    """
    path = store_path(db)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = WriterLock(path)
    except OSError as error:
        raise LiveSecError(f"{path}: the store cannot be written here ({error.strerror}); give another --db") from error
    with ExitStack() as on_failure:
        on_failure.callback(lock.release)
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": lock_wait_ms / 1000})
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "connect", _on_writer_connect)
        on_failure.callback(engine.dispose)
        with damage_named(path):
            if not inspect(engine).get_table_names():
                _make(engine, demo=demo)
                _log.info("%s: a new store", path)
            elif (version := _stored_version(engine, path)) < SCHEMA_VERSION:
                migrate(engine, path, version)
        on_failure.pop_all()  # from here on the lock is the caller's
    return engine, lock
