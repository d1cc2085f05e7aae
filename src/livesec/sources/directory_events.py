"""Events of directories through one watchdog observer, and which of its threads still live.

What watchdog does not say is asked here: whether its reader of the kernel's queue, its dispatcher and each
directory's emitter are alive, and whether the kernel's queue overflowed.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileAttribEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers.api import BaseObserver, ObservedWatch

OnPath = Callable[[str, bool], None]
"""(path, whether it is a directory): something happened to it; called in a thread of watchdog's."""
Identity = tuple[int, int]
"""Device and inode of a directory: a path may come to name another one."""

# Opening, reading and closing are not among them: the kernel is not even asked for what our own reads would raise.
_WANTED: list[type[FileSystemEvent]] = [
    FileModifiedEvent,
    FileAttribEvent,
    FileCreatedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
_HANDLES = 4  # of one observer: the queue, a pipe, and one to spare
_STOP_S = 1.0

if sys.platform == "linux":
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import InotifyEvent, InotifyFD

    KIND = "inotify"

    class _Queue(InotifyFD):
        """The kernel's queue; says when it overflowed."""

        def __init__(self, on_lost: Callable[[], None]) -> None:
            super().__init__()
            self._on_lost = on_lost

        def handle_event(self, event: InotifyEvent) -> None:
            if event.is_queue_overflow:
                self._on_lost()
            super().handle_event(event)

    def _started(on_lost: Callable[[], None]) -> tuple[BaseObserver, _Queue | None]:
        queue = _Queue(on_lost)
        queue.start()
        with ExitStack() as on_failure:
            on_failure.callback(queue.stop)
            observer = BaseObserver(InotifyEmitter, inotify_fd=queue)
            observer.start()
            on_failure.pop_all()
        return observer, queue

else:
    from watchdog.observers import Observer
    from watchdog.utils import BaseThread

    KIND = "file events"

    def _started(on_lost: Callable[[], None]) -> tuple[BaseObserver, BaseThread | None]:
        observer = Observer()
        observer.start()
        return observer, None


def _require_handles() -> None:
    """Raise OSError (EMFILE, ENFILE) where few handles are left: watchdog would keep those that it got till then."""
    taken: list[int] = []
    try:
        while len(taken) < _HANDLES:
            taken.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    finally:
        for handle in taken:
            os.close(handle)


class _Handler(FileSystemEventHandler):
    def __init__(self, on_path: OnPath) -> None:
        self._on_path = on_path

    def on_any_event(self, event: FileSystemEvent) -> None:
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path:
                self._on_path(path, event.is_directory)


class DirectoryEvents:
    """Raises OSError or RuntimeError where the system gives no more queues, handles or threads."""

    def __init__(self, on_path: OnPath, on_lost: Callable[[], None]) -> None:
        _require_handles()
        self._observer, self._queue = _started(on_lost)
        self._handler = _Handler(on_path)
        self._watches: dict[str, tuple[ObservedWatch, Identity]] = {}

    @property
    def is_alive(self) -> bool:
        """Whether the threads that all directories share live."""
        return self._observer.is_alive() and (self._queue is None or self._queue.is_alive())

    def working(self) -> dict[str, Identity]:
        """The directories whose events arrive now."""
        if not self.is_alive:
            return {}
        living = {emitter.watch for emitter in self._observer.emitters if emitter.is_alive()}
        return {path: identity for path, (watch, identity) in self._watches.items() if watch in living}

    @property
    def watched(self) -> dict[str, Identity]:
        """The directories that were added, whether or not their events still arrive."""
        return {path: identity for path, (_, identity) in self._watches.items()}

    def add(self, path: str, identity: Identity) -> None:
        """Watch a directory, not what is below it. Raises OSError (also for the limits) and RuntimeError (threads)."""
        # Without follow_symlink a path that is a link would have the link itself watched.
        watch = self._observer.schedule(self._handler, path, event_filter=_WANTED, follow_symlink=True)
        self._watches[path] = watch, identity

    def remove(self, path: str) -> None:
        """Watch it no longer."""
        watch, _ = self._watches.pop(path)
        self._observer.unschedule(watch)

    def stop(self) -> None:
        """End all threads; waits no longer than a second for them: they are daemons."""
        stopping = threading.Thread(target=self._stop, name="stopping events", daemon=True)
        stopping.start()
        stopping.join(_STOP_S)

    def _stop(self) -> None:
        self._observer.stop()
        self._observer.join()
        if self._queue is not None:
            self._queue.stop()
            self._queue.join()
