"""A store whose right to be written another process has, as a backup or a tool may."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_WAIT_S = 15.0


@contextmanager
def held(db: Path) -> Iterator[None]:
    """Hold the right to write the store from another connection."""
    with closing(sqlite3.connect(db, isolation_level=None, timeout=_WAIT_S)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()
