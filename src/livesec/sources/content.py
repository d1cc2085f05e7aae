"""The bytes of an open file, plain or compressed, read at any offset without moving anything."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Protocol

from livesec.sources.compressed import CompressedContent
from livesec.sources.rotated_names import is_compressed_name

# Neither waits for a writer where a pipe stands in a log's place.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class Content(Protocol):
    """Bytes with offsets from 0. All methods may raise OSError."""

    device: int
    inode: int
    is_compressed: bool

    def pread(self, size: int, offset: int) -> bytes:
        """Up to `size` bytes at `offset`; fewer only where no more are there now."""
        ...

    def size(self) -> int:
        """How many bytes there are now; of compressed ones, as far as they were read."""
        ...

    def status(self) -> os.stat_result:
        """What the system says of the open file."""
        ...

    def next_data(self, offset: int) -> int:
        """The first place from `offset` on that is not in a hole; the end where there is none."""
        ...

    def refresh(self) -> None:
        """Forget what was remembered of the bytes if they have been rewritten."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


class PlainContent:
    """A file's own bytes."""

    is_compressed = False

    def __init__(self, fd: int, status: os.stat_result) -> None:
        self._fd = fd
        self.device, self.inode = status.st_dev, status.st_ino

    def pread(self, size: int, offset: int) -> bytes:
        """See Content."""
        return os.pread(self._fd, size, offset)

    def size(self) -> int:
        """See Content."""
        return os.fstat(self._fd).st_size

    def status(self) -> os.stat_result:
        """See Content."""
        return os.fstat(self._fd)

    def next_data(self, offset: int) -> int:
        """See Content; where the system cannot tell, `offset`."""
        try:
            return os.lseek(self._fd, offset, os.SEEK_DATA)
        except OSError as error:
            return self.size() if error.errno == errno.ENXIO else offset

    def refresh(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """See Content."""
        os.close(self._fd)


def open_content(path: str) -> Content:
    """Open a regular file. Raises OSError; FileNotFoundError also where something else than a file stands there."""
    fd = os.open(path, _FLAGS)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file", path)
        # The name decides: who can only write lines must not be able to make a log look compressed.
        make: Callable[[int, os.stat_result], Content] = (
            CompressedContent if is_compressed_name(path) and CompressedContent.is_one(fd) else PlainContent
        )
        return make(fd, status)
    except OSError:
        os.close(fd)
        raise
