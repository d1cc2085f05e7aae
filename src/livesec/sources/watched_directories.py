"""The directories in which something may happen to the files that patterns name."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatch

from livesec.sources.watch import MAX_DIRECTORIES
from livesec.sources.watched_paths import EXCLUDES

MAX_LISTED = 20_000
"""Directories of one pattern; no watcher takes as many."""
_SURE_AFTER_NS = 2_000_000_000  # a directory that changed later may have changed again within its clock's grain


class _Listings:
    """Subdirectories of directories, listed again only where a directory changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int, int], list[str]]] = {}
        self._used: dict[str, tuple[tuple[int, int, int], list[str]]] = {}

    def begin(self) -> None:
        """Forget what was not asked for since the last time."""
        self._known, self._used = self._used, {}

    def of(self, directory: str) -> list[str]:
        """Names of its subdirectories, hidden ones and links left out; empty where it cannot be read."""
        try:
            status = os.stat(directory)
            stamp = status.st_dev, status.st_ino, status.st_mtime_ns
            known = self._known.get(directory)
            if known is not None and known[0] == stamp:
                self._used[directory] = known
                return known[1]
            with os.scandir(directory) as entries:
                names = sorted(
                    entry.name
                    for entry in entries
                    if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
                )
        except OSError:
            return []
        if time.time_ns() - status.st_mtime_ns > _SURE_AFTER_NS:
            self._used[directory] = stamp, names
        return names


class WatchedDirectories:
    """Works out, on every look, where events matter; remembers listings in between, so that this costs little."""

    def __init__(self) -> None:
        self._listings = _Listings()
        self._judged: set[str] = set()  # paths that were looked at for being links
        self._links: set[str] = set()
        self.targets: dict[str, str] = {}
        """Of files watched through a link: what the link names, to the link."""

    def of(self, patterns: Sequence[str], paths: Collection[str]) -> list[str]:
        """The directories for `patterns`, of which `paths` are the files found so far.

        Where they are more than a watcher takes, those with such files come first.
        """
        self._listings.begin()
        found = dict.fromkeys(
            directory
            for pattern in patterns
            if not pattern.startswith(EXCLUDES)
            for directory in self._of_pattern(pattern)
        )
        self._follow_links(paths)
        found |= dict.fromkeys(os.path.dirname(target) for target in self.targets)
        if len(found) <= MAX_DIRECTORIES:
            return list(found)
        holding = {os.path.dirname(path) for path in paths}
        return sorted(found, key=lambda directory: directory not in holding)

    def look_again(self, paths: Iterable[str]) -> None:
        """These were touched: they may have become links."""
        self._judged.difference_update(paths)

    def _follow_links(self, paths: Collection[str]) -> None:
        new = [path for path in paths if path not in self._judged]
        self._judged.update(new)
        self._links.difference_update(new)
        self._links.update(path for path in new if os.path.islink(path))
        self.targets = {os.path.realpath(path): path for path in self._links if os.path.islink(path)}

    def _of_pattern(self, pattern: str) -> Iterator[str]:
        path = os.path.abspath(os.path.expanduser(pattern))
        if os.path.isdir(path):
            yield path
            return
        parts = path.split(os.sep)
        first = next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts))
        if (first >= len(parts) - 1 and parts[-1] != "**") or os.path.exists(path):
            yield os.path.dirname(path)
            return
        level = [os.sep.join(parts[:first]) or os.sep]
        ends = parts[first:] if parts[-1] == "**" else parts[first:-1]
        for part in ends:
            if glob.has_magic(part):
                yield from level  # a match may come into each of them
            level = list(self._next_level(level, part))
        yield from level

    def _next_level(self, level: Iterable[str], part: str) -> Iterator[str]:
        taken = 0
        for directory in level:
            if part == "**":
                below: Iterable[str] = self._tree(directory)
            elif glob.has_magic(part):
                below = (os.path.join(directory, name) for name in self._listings.of(directory) if fnmatch(name, part))
            else:
                below = (os.path.join(directory, part),)
            for path in below:
                taken += 1
                if taken > MAX_LISTED:
                    return
                yield path

    def _tree(self, top: str) -> Iterator[str]:
        """`top` and all directories below it, the nearest first."""
        level = [top]
        while level:
            yield from level
            level = [os.path.join(path, name) for path in level for name in self._listings.of(path)]
