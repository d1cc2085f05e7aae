"""Which store the desk shows, and its reader, shared by all browser sessions of the process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

import streamlit as st

from livesec.core.clock import US_PER_DAY, now_us
from livesec.core.errors import LiveSecError
from livesec.core.settings import Settings, home, load_settings, written_layers
from livesec.dashboard.memo import remembered
from livesec.store.activity_queries import US_PER_MINUTE, latest_event_us
from livesec.store.reader import Pulse, StoreReader


def desk_settings() -> Settings:
    """The settings as the commands load them. Raises SettingsError."""
    root = home()
    config = root / "config.py"
    return load_settings(config if config.is_file() else None, written_layers(root), root / ".env")


def chosen_store(settings: Settings, environ: Mapping[str, str] | None = None) -> str:
    """The store named by LIVESEC_DB, else the settings' store, else the demo's where only that one exists."""
    named = (os.environ if environ is None else environ).get("LIVESEC_DB")
    if named:
        return named
    if "://" in settings.db:
        return settings.db
    store, demo = home() / settings.db, home() / settings.demo_db
    return str(demo if demo.exists() and not store.exists() else store)


class OpenReaders:
    """One reader per store, opened when first asked for and again when another file has taken the store's place."""

    def __init__(self) -> None:
        self._readers: dict[str, StoreReader] = {}
        self._lock = Lock()

    def get(self, db: str) -> StoreReader:
        """The reader of `db`. Raises LiveSecError where there is no store, or none that can be read."""
        with self._lock:
            reader = self._readers.get(db)
            if reader is None or not reader.is_current():
                # The old reader is not closed: another session may be in the middle of a query.
                self._readers.pop(db, None)
                reader = StoreReader(db)
                self._readers[db] = reader
            return reader


@st.cache_resource(show_spinner=False)
def _open_readers() -> OpenReaders:
    return OpenReaders()


@dataclass(frozen=True, slots=True)
class Desk:
    """What each part of the page works with, made anew each time a part is drawn."""

    db: str
    reader: StoreReader
    pulse: Pulse
    wall_us: int
    """The wall clock."""
    now_us: int
    """What "the last hour" is counted from: the wall clock, or the end of the log where that is long past."""

    @property
    def looks_back(self) -> bool:
        """Whether the store's newest event is so old that times are counted from it."""
        return self.now_us != self.wall_us

    @property
    def key(self) -> tuple[object, ...]:
        """Tells this store from another for `remembered`."""
        return self.db, self.reader.identity


def _desk_now(reader: StoreReader, wall_us: int) -> int:
    with reader.reading() as connection:
        latest = latest_event_us(connection)
    if latest is None or latest > wall_us - US_PER_DAY:
        return wall_us
    return latest + US_PER_MINUTE


def open_desk(db: str) -> Desk:
    """The desk over store `db` now. Raises LiveSecError or sqlalchemy.exc.SQLAlchemyError."""
    reader = _open_readers().get(db)
    pulse = reader.pulse()
    wall_us = now_us()
    # The newest minute changes with new lines only; the day's border is crossed at most once in a while.
    key = (db, reader.identity, pulse.lines, wall_us // US_PER_MINUTE)
    reference_us = remembered("now", key, lambda: _desk_now(reader, wall_us))
    return Desk(db, reader, pulse, wall_us, wall_us if reference_us > wall_us - US_PER_DAY else reference_us)


def store_problem(db: str) -> LiveSecError | None:
    """Why `db` cannot be shown, or None."""
    try:
        _open_readers().get(db)
    except LiveSecError as error:
        return error
    return None
