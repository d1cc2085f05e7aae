"""Which store the desk shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from livesec.core.settings import Settings
from livesec.dashboard import desk_store
from livesec.dashboard.desk_store import chosen_store

SETTINGS = Settings(db="data/real.db", demo_db="data/demo.db")


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(desk_store, "home", lambda: tmp_path)
    return tmp_path / "data"


def test_the_environment_names_the_store(checkout: Path) -> None:
    (checkout / "demo.db").touch()
    assert chosen_store(SETTINGS, {"LIVESEC_DB": "/srv/other.db"}) == "/srv/other.db"


def test_the_demo_is_shown_only_where_there_is_nothing_else(checkout: Path) -> None:
    assert chosen_store(SETTINGS, {}) == str(checkout / "real.db")
    (checkout / "demo.db").touch()
    assert chosen_store(SETTINGS, {}) == str(checkout / "demo.db")
    (checkout / "real.db").touch()
    assert chosen_store(SETTINGS, {}) == str(checkout / "real.db")


def test_a_database_elsewhere_is_taken_as_it_is_written(checkout: Path) -> None:
    (checkout / "demo.db").touch()
    assert chosen_store(Settings(db="postgresql://db.example/livesec"), {}) == "postgresql://db.example/livesec"
