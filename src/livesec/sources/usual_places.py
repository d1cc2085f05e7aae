"""Where logs usually are, and what to do where they may not be read."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from livesec.sources.log_access import closed_folder_above, cure, may_read

USUAL_PLACES = (
    "/var/log/auth.log",
    "/var/log/secure",
    "/var/log/vsftpd.log",
    "/var/log/xferlog",
    "/var/log/proftpd/xferlog",
    "/opt/zeek/logs/current/conn.log",
    "/usr/local/zeek/logs/current/conn.log",
    "/var/log/zeek/current/conn.log",
)
AUTH_LOGS = ("/var/log/auth.log", "/var/log/secure")


@dataclass(frozen=True, slots=True)
class Place:
    """A usual place that exists: readable, or the cure."""

    path: str
    cure: str | None
    """None where it can be read."""


def cure_for(path: str) -> str | None:
    """What would let this user read `path`; None where it can be read already."""
    if may_read(Path(path)):
        return None
    closed = closed_folder_above(Path(path))
    return cure(Path(closed or path)) if os.path.lexists(closed or path) else "it does not exist"


def found_places() -> list[Place]:
    """The usual places that exist here."""
    return [Place(path, cure_for(path)) for path in USUAL_PLACES if os.path.exists(path)]


def wants_journal(setting: bool | None) -> bool:
    """Whether to follow the systemd journal: as set, else where it exists and no auth log does."""
    if shutil.which("journalctl") is None:
        return False
    if setting is not None:
        return setting
    return not any(os.path.exists(path) for path in AUTH_LOGS)
