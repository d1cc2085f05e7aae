"""Which files the user's patterns name now; cheap to ask every second, though they may be ten thousand.

A pattern is a file, a folder (its files, not those of folders below), or a glob (`**` for any depth). One that begins
with `!` excludes: `!/var/log/*debug*` by the whole path, where `*` also stands for slashes, and `!*.old`, without a
slash, by the name alone. Exclusions hold for every other pattern, wherever they stand.
"""

from __future__ import annotations

import fnmatch
import glob
import logging
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from livesec.core.text import shown
from livesec.sources.rotated_names import COMPRESSED

_log = logging.getLogger(__name__)
EXCLUDES = "!"
_OWN_FILES = (".db", ".db-wal", ".db-shm", ".lock", "anomalies.csv", "labels.csv")
_PASSED_OVER = (*COMPRESSED, ".zip", *_OWN_FILES)
_ALL_DEPTHS = "**"

# A folder is listed again when its mtime moved. The mtime of a folder that changed this recently may not move for the
# next change (ext4 counts in ticks of 4 ms, some network file systems in seconds), so it is listed in any case.
_SETTLED_NS = 3_000_000_000
_LISTED_ANYWAY_AFTER = 30  # looks, where a file server's clock is not ours


def expand(patterns: Sequence[str]) -> list[str]:
    """The files that `patterns` name now, absolute, each once, sorted; a file named outright need not exist.

    In folders and globs compressed copies, hidden files and LiveSec's own files are passed over, unless the glob itself
    ends as they do; a file named outright never is.
    """
    watched = WatchedPaths(patterns)
    outright = (pattern.path for pattern in watched.patterns if pattern.is_outright)
    return sorted(watched.look().keys() | {path for path in outright if not watched.is_excluded(path)})


class Pattern:
    """One including pattern, absolute."""

    def __init__(self, text: str) -> None:
        self.path = os.path.abspath(os.path.expanduser(text))
        self.text = text
        self.is_glob = glob.has_magic(self.path) and not os.path.lexists(self.path)
        """Whether it is a glob; a file whose name only looks like one is itself."""
        self._folder, self._base = os.path.split(self.path)
        if self._base == _ALL_DEPTHS:
            self._folder, self._base = self.path, "*"
        self._fits = re.compile(fnmatch.translate(self._base)).match
        self._passed_over = tuple(ending for ending in _PASSED_OVER if not self._base.endswith(ending))

    @property
    def is_outright(self) -> bool:
        """Whether it names one file, which may not exist yet."""
        return not os.path.isdir(self.path) and not self.is_glob

    def folders(self) -> list[str]:
        """The folders in which its files are; none where it names a file."""
        if self.is_glob:
            if not glob.has_magic(self._folder):
                return [self._folder]
            found = glob.glob(os.path.join(self._folder, ""), recursive=True)
            return sorted(folder.rstrip(os.sep) or os.sep for folder in found)
        return [self.path] if os.path.isdir(self.path) else []

    def among(self, names: Iterable[str]) -> list[str]:
        """Those of the `names` in one of its folders that it names."""
        if not self.is_glob:
            return [name for name in names if name[0] != "." and not name.endswith(_PASSED_OVER)]
        fits, passed_over, takes_hidden = self._fits, self._passed_over, self._base.startswith(".")
        return [
            name for name in names if fits(name) and not name.endswith(passed_over) and (takes_hidden or name[0] != ".")
        ]

    def covers(self, path: str) -> bool:
        """Whether it names `path`, existing or not."""
        folder, name = os.path.split(path)
        return path == self.path or (bool(self.among([name])) and folder in self.folders())


@dataclass(slots=True)
class _Listing:
    identity: tuple[int, int, int]  # device, inode and mtime of the folder
    paths: list[str]
    is_settled: bool
    looks: int = 0


class WatchedPaths:
    """The regular files that patterns name; remembers folders that have not changed."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(Pattern(text) for text in patterns if not text.startswith(EXCLUDES))
        self._excluded = [_exclusion(text[1:]) for text in patterns if text.startswith(EXCLUDES)]
        # A file whose name only looks like a glob is itself: judged once, so that it stays one or the other.
        self._globs = tuple(pattern for pattern in self.patterns if pattern.is_glob)
        self._literal = {pattern.path: pattern for pattern in self.patterns if not pattern.is_glob}
        self._listings: dict[tuple[Pattern, str], _Listing] = {}
        self._unnameable: set[str] = set()  # complained of

    def is_excluded(self, path: str) -> bool:
        """Whether a pattern with `!` names `path`."""
        return any(excludes(path) for excludes in self._excluded)

    def pattern_of(self, path: str) -> Pattern | None:
        """A pattern that names `path`, existing or not; None where none does or it is excluded."""
        if self.is_excluded(path):
            return None
        folder, name = os.path.split(path)
        own, around = self._literal.get(path), self._literal.get(folder)
        if own is not None:
            return own
        if around is not None and around.among([name]):
            return around
        return next((pattern for pattern in self._globs if pattern.covers(path)), None)

    def look(self) -> dict[str, os.stat_result]:
        """Every regular file that is there now, absolute, and its status; links are followed."""
        found: dict[str, os.stat_result] = {}
        for path in self._literal:
            status = _status(path)
            if status is None:
                continue
            if stat.S_ISDIR(status.st_mode):
                self._look_into(path, self._literal[path], found)
            elif stat.S_ISREG(status.st_mode) and not self.is_excluded(path):
                found[path] = status
        for pattern in self._globs:
            for folder in pattern.folders():
                self._look_into(folder, pattern, found)
        return found

    def _look_into(self, folder: str, pattern: Pattern, found: dict[str, os.stat_result]) -> None:
        stat_of, is_regular = os.stat, stat.S_ISREG  # ten thousand times
        for path in self._listed(pattern, folder):
            if path in found:
                continue
            try:
                status = stat_of(path)
            except (OSError, ValueError):  # gone since, or not for us: who knows the path asks again
                continue
            if is_regular(status.st_mode):
                found[path] = status

    def _is_text(self, path: str) -> bool:
        """Whether the store can hold `path`: anyone who may make files may give them names that are not UTF-8."""
        try:
            path.encode()
        except UnicodeEncodeError:
            if path not in self._unnameable:
                self._unnameable.add(path)
                _log.warning("%s: not watched, its name is not UTF-8; rename it", shown(path))
            return False
        return True

    def _listed(self, pattern: Pattern, folder: str) -> list[str]:
        known = self._listings.get((pattern, folder))
        now_ns = time.time_ns()
        try:
            status = os.stat(folder)
            identity = (status.st_dev, status.st_ino, status.st_mtime_ns)
            if known is not None and known.is_settled and known.identity == identity:
                known.looks += 1
                if known.looks < _LISTED_ANYWAY_AFTER:
                    return known.paths
            with os.scandir(folder) as entries:
                names = pattern.among(entry.name for entry in entries)
        except FileNotFoundError:
            self._listings.pop((pattern, folder), None)
            return []
        except OSError:  # it may not be listed just now: its files may still be open to us
            return known.paths if known is not None else []
        joined = (os.path.join(folder, name) for name in sorted(names))
        paths = [path for path in joined if not self.is_excluded(path) and self._is_text(path)]
        is_settled = now_ns - status.st_mtime_ns > _SETTLED_NS
        self._listings[(pattern, folder)] = _Listing(identity, paths, is_settled)
        return paths


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):  # a path with a zero byte is a ValueError
        return None


def _exclusion(text: str) -> Callable[[str], bool]:
    """Whether a path is excluded by the pattern `text` (without its `!`)."""
    by_name = os.sep not in text
    fits = re.compile(fnmatch.translate(text if by_name else os.path.abspath(os.path.expanduser(text)))).match

    def excludes(path: str) -> bool:
        return fits(os.path.basename(path) if by_name else path) is not None

    return excludes
