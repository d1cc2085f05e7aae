"""A real store of version 1 beside the log that it was made from; see data/version_1.sql."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

DATA = Path(__file__).parent / "data"
JOURNALLED_LINES = 12


def make_version_1(folder: Path) -> tuple[Path, Path]:
    """(store, log) in `folder`; the store takes the log for the file it has read to its end."""
    db, log = folder / "livesec.db", folder / "auth.log"
    shutil.copyfile(DATA / "version_1.log", log)
    status = log.stat()
    script = (DATA / "version_1.sql").read_text()
    for name, value in (("@FOLDER@", folder), ("@DEVICE@", status.st_dev), ("@INODE@", status.st_ino)):
        script = script.replace(name, str(value))
    with closing(sqlite3.connect(db)) as connection:
        connection.executescript(script)
        connection.execute("PRAGMA journal_mode = WAL")
    return db, log
