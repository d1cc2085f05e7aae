"""A lock between processes that the kernel frees when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

RETRY_S = 0.1  # how often a waiting process asks again


class FileLock:
    """An flock on a small file, which also says who holds it.

    The file stays behind when the lock is freed; only the lock on it counts, so a stale file blocks nobody.
    A child that inherits `fd` keeps the lock held until it has ended too.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "demo.lock"
    >>> first, second = FileLock(path), FileLock(path)
    >>> first.try_acquire(), second.try_acquire(), second.holder_pid() == os.getpid()
    (True, False, True)
    >>> first.release()
    >>> second.try_acquire()
    True
    >>> second.release()
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = -1

    def try_acquire(self) -> bool:
        """Take the lock and write this process's id into the file; False if another holds it.

        Raises:
            OSError: the file cannot be made, for example in a folder that may not be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
        self.fd = fd
        return True

    def acquire_within(self, seconds: float) -> bool:
        """Take the lock, asking again for up to `seconds`; False if it was held all that time."""
        deadline = time.monotonic() + seconds
        while not self.try_acquire():
            if time.monotonic() >= deadline:
                return False
            time.sleep(RETRY_S)
        return True

    def holder_pid(self) -> int | None:
        """Who took the lock last; None if the file does not say."""
        try:
            return int(self.path.read_bytes()[:20])
        except (OSError, ValueError):
            return None

    def holder_lives(self) -> bool:
        """Whether the process that took the lock still runs (its children may hold the lock after it)."""
        pid = self.holder_pid()
        if pid is None:
            return False
        with contextlib.suppress(PermissionError):  # it runs, as another user
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return False
        return True

    def release(self) -> None:
        """Free the lock; harmless if it is not held."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
