"""Model files that fixtures name as `made:<name>`: made once a session, by hand, so that their scores are known."""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from pathlib import Path

from tests.models.made import by_hand

from livesec.models.forest_file import save

PREFIX = "made:"


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="livesec-test-models-")
    atexit.register(folder.cleanup)
    return Path(folder.name)


@cache
def made_model(name: str) -> str:
    """The path of the model file `name`. Raises KeyError for one that is not made here."""
    path = _folder() / f"{name}.npz"
    save({"packet_forest": by_hand}[name](), path)
    return str(path)
