"""Where logs usually are, and what to do where they may not be read."""

from __future__ import annotations

import grp
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

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
    if os.access(path, os.R_OK):
        return None
    try:
        info = os.stat(path)
    except OSError as error:
        return f"{error.strerror}; run as a user who may enter {Path(path).parent}"
    group = _group_name(info.st_gid)
    if info.st_mode & stat.S_IRGRP and group != "root":
        return f"add yourself to its group and log in again: sudo usermod -aG {group} $USER"
    return f"let its group read it: sudo setfacl -m u:$USER:r {path}"


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


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
