"""May these logs be read, and if not, which command lets this user read them?"""

from __future__ import annotations

import getpass
import glob
import grp
import os
import shlex
import stat
from collections.abc import Iterable
from pathlib import Path

from livesec.core.errors import InputUnreadableError

PATTERN_SIGNS = frozenset("*?[")
ROOT_GROUP = 0  # never to be joined just to read a log


def require_readable(paths: Iterable[str]) -> list[str]:
    """Check the files, folders and patterns that are to be watched.

    Args:
        paths: as the user gave them; a pattern may match nothing yet. Those that exclude (`!`) are passed over.

    Returns:
        Notices, one line each: what does not exist yet, what a pattern or folder will leave out.

    Raises:
        InputUnreadableError: a named file or folder, or all that a pattern matches, may not be read; the
            text says what cures it.
    """
    notices = []
    for name in paths:
        if name.startswith("!"):
            continue
        found = [name] if os.path.lexists(name) else sorted(glob.glob(name, recursive=True))
        if not found and PATTERN_SIGNS.isdisjoint(name) and (closed := closed_folder_above(Path(name))):
            raise InputUnreadableError(f"{name}: {closed} may not be entered; {cure(closed)}")
        if not found:
            notices.append(f"{name} does not exist yet; it is watched as soon as it does")
            continue
        refused = [Path(path) for path in found if not may_read(Path(path))]
        if len(refused) == len(found):
            raise InputUnreadableError(f"{refused[0]} may not be read; {cure(refused[0])}")
        if refused:
            notices.append(f"{name}: {len(refused)} of {len(found)} may not be read; {cure(refused[0])}")
    return notices


def may_read(path: Path) -> bool:
    """Whether this process may read the file, or list and enter the folder."""
    return os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK, effective_ids=True)


def closed_folder_above(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that this process may not enter, if there is one."""
    for folder in reversed(path.absolute().parents):
        if not os.path.lexists(folder):
            return None
        if not os.access(folder, os.X_OK, effective_ids=True):
            return folder
    return None


def cure(path: Path) -> str:
    """The command that lets this user read `path`: joining its group where that may, else an access list."""
    user = _user_name()
    folder = path.is_dir()
    status = path.stat()
    needed = stat.S_IRGRP | (stat.S_IXGRP if folder else 0)
    if status.st_mode & needed == needed and status.st_gid != ROOT_GROUP:
        group = _group_name(status.st_gid)
        if user in _members(status.st_gid):
            return f"you are in its group {group}, but this session is older: log out and in again"
        return f"join its group, then log in again: sudo usermod -aG {shlex.quote(group)} {shlex.quote(user)}"
    rights = "rx" if folder else "r"
    if status.st_uid == os.geteuid():
        return f"it is yours: chmod u+{rights} {shlex.quote(str(path))}"
    return f"allow it: sudo setfacl -m u:{shlex.quote(user)}:{rights} {shlex.quote(str(path))}"


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no entry in the password file, as in some containers
        return str(os.getuid())


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _members(number: int) -> list[str]:
    try:
        return grp.getgrgid(number).gr_mem
    except KeyError:
        return []
