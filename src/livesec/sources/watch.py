"""Wakes the reader when something happens in a watched directory. Events carry no truth: the reader looks for itself.

watchdog's own failures are silent (queue overflow, threads that die), so what lives is looked at on every tick, what
died is built again, and a full rescan runs whatever the events say.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable

from livesec.core.text import shown
from livesec.sources.back_off import BackOff
from livesec.sources.bell import Bell, Wake
from livesec.sources.directory_events import KIND, DirectoryEvents, Identity
from livesec.sources.network_mounts import remote_devices

_log = logging.getLogger(__name__)
MAX_DIRECTORIES = 1024
"""Directories with events; each costs a thread and 22 KB. What is in others is found by looking."""
ENDED = "event threads ended"
_REASONS = {
    errno.ENOSPC: "no more inotify watches, see fs.inotify.max_user_watches",
    errno.EMFILE: "no more inotify queues or handles, see fs.inotify.max_user_instances",
    errno.ENFILE: "the system has no more handles",
}


class Watcher:
    """Watches directories; `wait` returns what was touched since the last call.

    Parameters
    ----------
    is_ignored : paths whose events count for nothing, such as the store's own
    clock : monotonic seconds
    """

    def __init__(self, is_ignored: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_ignored = is_ignored
        self._clock = clock
        self._bell = Bell()
        self._events: DirectoryEvents | None = None
        self._wanted: dict[str, Identity] = {}
        self._reasons: dict[str, str] = {}  # of wanted directories that have no events
        self._refusal = ""  # why the last try for events failed; empty where it did not
        self._limit = BackOff()
        self._deaths: dict[str, BackOff] = {}
        self._remote: dict[int, str] = {}
        self._devices: set[int] = set()  # those that are known to be remote or not
        self.rebuilt = 0
        """Times that dead event threads were found and replaced."""
        self.overflows = 0
        """Times that the kernel's queue overflowed; each is healed by a look at everything."""

    # Waking -----------------------------------------------------------------------------------------------------------

    def note(self, path: str, is_directory: bool = False) -> None:
        """Mark `path` touched and wake the reader; any thread."""
        if self._is_ignored(path):
            return
        if is_directory:
            self._bell.note_everywhere()
        else:
            self._bell.note(path)

    def wake(self) -> None:
        """Wake the reader for another reason, such as a signal; takes no lock."""
        self._bell.ring()

    def wait(self, timeout_s: float) -> Wake:
        """Sleep until something happens, at most `timeout_s`; returns what was touched."""
        return self._bell.wait(timeout_s)

    def _overflowed(self) -> None:
        self.overflows += 1
        self._bell.note_everywhere()

    # What lives -------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """How changes are noticed now: `inotify` (or the platform's own) alone, or where and why by polling."""
        if not self._wanted:
            return "polling (nothing to watch yet)"
        working = self._working()
        missing = [path for path in self._wanted if path not in working]
        if not missing:
            return KIND
        reasons = ", ".join(sorted({self._reasons.get(path, ENDED) for path in missing}))
        if not working:
            return f"polling ({reasons})"
        return f"{KIND} in {len(working)} of {len(self._wanted)} directories, polling in the others ({reasons})"

    @property
    def sees_everything(self) -> bool:
        """Whether every directory that was asked for raises events now."""
        return bool(self._wanted) and len(self._working()) == len(self._wanted)

    def _working(self) -> set[str]:
        if self._events is None:
            return set()
        living = self._events.working()
        return {path for path, identity in self._wanted.items() if living.get(path) == identity}

    # Keeping it alive -------------------------------------------------------------------------------------------------

    def watch(self, directories: Iterable[str]) -> None:
        """Watch those of `directories` that exist, the first ones where they are too many; call it on every tick."""
        now = self._clock()
        before, self._reasons = self._wanted, {}
        self._wanted = self._found(directories)
        if self._wanted != before:
            self._devices.clear()  # something may have been mounted
            self._deaths = {path: back_off for path, back_off in self._deaths.items() if path in self._wanted}
        local = {path: identity for path, identity in self._wanted.items() if path not in self._reasons}
        self._bury_dead(now)
        if self._events is None and local and now >= self._limit.due:
            try:
                self._events = DirectoryEvents(self.note, self._overflowed)
            except (OSError, RuntimeError) as error:
                self._refused(error, now)
        if self._events is None:
            self._reasons = dict.fromkeys(local, self._refusal or ENDED) | self._reasons
            return
        for path, identity in self._events.watched.items():
            if local.get(path) != identity:
                self._events.remove(path)
        self._add(self._events, local, now)
        if self._refusal and now >= self._limit.due:
            _log.info("file events again: %s", self.state)
            self._refusal = ""

    def _found(self, directories: Iterable[str]) -> dict[str, Identity]:
        found: dict[str, Identity] = {}
        for path in directories:
            try:
                status = os.stat(path)
            except (OSError, ValueError):
                continue
            if not stat.S_ISDIR(status.st_mode):
                continue
            found[path] = status.st_dev, status.st_ino
            kind = self._remote_kind(status.st_dev)
            if kind is not None:
                self._reasons[path] = f"{kind} raises no events"
            elif len(found) - len(self._reasons) > MAX_DIRECTORIES:
                self._reasons[path] = f"more than {MAX_DIRECTORIES:,} directories"
        return found

    def _remote_kind(self, device: int) -> str | None:
        if device not in self._devices:
            self._devices.add(device)
            self._remote = remote_devices()
        return self._remote.get(device)

    def _bury_dead(self, now: float) -> None:
        if self._events is None:
            return
        if not self._events.is_alive:
            _log.warning("file events stopped: their threads ended; starting them again")
            self._end_events()
            self.rebuilt += 1
            self._limit.failed(now)
            return
        living = self._events.working()
        for path in self._events.watched.keys() - living.keys():
            if self._wanted.get(path) == self._events.watched[path]:  # else its directory has gone, and it with it
                _log.warning("%s: file events stopped: their thread ended; starting it again", shown(path))
                self.rebuilt += 1
                self._deaths.setdefault(path, BackOff()).failed(now)
            self._events.remove(path)

    def _add(self, events: DirectoryEvents, local: dict[str, Identity], now: float) -> None:
        watched = events.watched
        for path, identity in local.items():
            if path in watched:
                continue
            if now < self._limit.due:
                self._reasons[path] = self._refusal or ENDED
                continue
            if path in self._deaths and now < self._deaths[path].due:
                continue
            try:
                events.add(path, identity)
            except (FileNotFoundError, NotADirectoryError):
                continue  # gone since it was looked at
            except PermissionError:
                self._reasons[path] = "permission denied"
            except (OSError, RuntimeError) as error:
                self._refused(error, now)
                self._reasons[path] = self._refusal

    def _refused(self, error: OSError | RuntimeError, now: float) -> None:
        self._limit.failed(now)
        # at once is of no use: what was used up a moment ago still is
        self._limit.due = max(self._limit.due, now + 1.0)
        if isinstance(error, OSError):
            refusal = _REASONS.get(error.errno or 0, str(error.strerror))
        else:
            refusal = "no more threads"
        if refusal != self._refusal:
            _log.warning("no file events (%s): looking at the files instead, and trying again", refusal)
        self._refusal = refusal

    def _end_events(self) -> None:
        if self._events is not None:
            self._events.stop()
            self._events = None

    def close(self) -> None:
        """Stop watching."""
        self._end_events()
        self._wanted = {}
