"""Decides which files to look at: all of them at intervals, the touched ones at once.

A path that no pattern is known to name may be a new file, so it has everything looked at; but not more often than is
cheap, and never again for a path that turned out to be nobody's: busy neighbours of a log cost nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from livesec.core.settings import Settings
from livesec.sources.bell import Wake
from livesec.sources.file_source import FileSource
from livesec.sources.watch import Watcher
from livesec.sources.watched_directories import WatchedDirectories

_IDLE_AFTER_S = 10.0
_PAUSE_S = 0.25
_PAUSE_PER_SCAN = 20.0  # looks that events ask for take at most a twentieth of the time
_MOST_STRANGERS = 10_000


class Lookout:
    """Looks, through `files`, at what may have changed.

    Parameters
    ----------
    settings : gives the intervals; may be replaced
    clock : monotonic seconds
    """

    def __init__(
        self, files: FileSource, watcher: Watcher, settings: Settings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = files
        self._watcher = watcher
        self.settings = settings
        self._clock = clock
        self._directories = WatchedDirectories()
        self._known: set[str] = set()
        self._seen: set[str] = set()  # those known at the last look at everything
        self._touched: set[str] = set()
        self._unjudged: set[str] = set()
        self._strangers: set[str] = set()
        self._looked_at = -_PAUSE_S
        self._pause_s = _PAUSE_S
        self.due = 0.0
        """When everything is looked at next."""
        self._idle_at = clock() + _IDLE_AFTER_S

    def look(self) -> None:
        """Look at everything where that is due, else at what was touched."""
        if self._clock() >= self.due:
            self._look_everywhere()
        elif self._touched:
            self._files.scan(self._touched)
        self._touched = set()

    def _look_everywhere(self) -> None:
        began = self._clock()
        self._watcher.watch(self._directories.of(self._files.patterns, self._known))
        self._files.scan()
        known = {item.path for item in self._files.positions}
        grew = not known <= self._seen
        self._known, self._seen = known, set(known)
        strangers = {path for path in self._unjudged - self._known if os.path.lexists(path)}
        if len(self._strangers) + len(strangers) > _MOST_STRANGERS:
            self._strangers.clear()
        self._strangers |= strangers
        self._unjudged = set()
        ended = self._clock()
        self._looked_at = ended
        self._pause_s = max(_PAUSE_S, _PAUSE_PER_SCAN * (ended - began))
        idle = ended > self._idle_at and self._watcher.sees_everything
        self.due = ended + (self.settings.idle_rescan_interval_s if idle else self.settings.rescan_interval_s)
        if grew:  # what a new link names, for one, is in a directory that is not watched yet
            self.due = min(self.due, ended + self._pause_s)

    def found(self, paths: Iterable[str]) -> None:
        """These are files of ours."""
        self._known |= set(paths)

    def took_lines(self) -> None:
        """There was something to read: more is likely to come."""
        self._idle_at = self._clock() + _IDLE_AFTER_S

    def heard(self, wake: Wake) -> bool:
        """Note what events say; whether something is to be looked at because of it."""
        self._directories.look_again(wake.touched & self._known)
        targets = self._directories.targets
        touched = wake.touched | {targets[path] for path in wake.touched & targets.keys()}
        self._touched |= touched & self._known
        unknown = touched - self._known - self._strangers - targets.keys()
        self._unjudged |= unknown
        if unknown or wake.everywhere:
            self.due = min(self.due, max(self._clock(), self._looked_at + self._pause_s))
        return bool(self._touched or unknown or wake.everywhere)

    def start_over(self) -> None:
        """Patterns or intervals changed: look at everything next, with no opinion of any path."""
        self._strangers.clear()
        self.due = 0.0
