"""Where a file went that is not at its path any more: renamed, copied, compressed; and what rotated in between."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from livesec.core.anomaly import StreamPosition
from livesec.core.clock import US_PER_S
from livesec.sources.content import Content, open_content
from livesec.sources.identity import is_distinct, is_same
from livesec.sources.rotated_names import families, is_numbered, may_be_copy, with_stem

RelatedName = Callable[[str, str], bool]

_COPIED_EARLIER_US = 5 * US_PER_S  # a copy may be a little older than the last write that was seen


class Whereabouts:
    """Looks around in the folders of lost files; remembers their listings until `forget`."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._inodes: dict[str, dict[int, str]] = {}

    def forget(self) -> None:
        """Look at the folders anew from now on."""
        self._names.clear()
        self._inodes.clear()

    def _list(self, folder: str) -> None:
        if folder in self._names:
            return
        try:
            with os.scandir(folder) as entries:
                found = {entry.name: entry.inode() for entry in entries if not entry.is_symlink()}
        except OSError:  # gone with everything in it, or closed to us
            found = {}
        self._names[folder] = sorted(found)
        self._inodes[folder] = {inode: name for name, inode in found.items()}

    def renamed(self, position: StreamPosition) -> Iterator[str]:
        """The path in its folder under which the stream's own file is now, if it is there."""
        folder = os.path.dirname(position.path)
        self._list(folder)
        name = self._inodes[folder].get(position.inode or 0)
        if name is not None:
            yield os.path.join(folder, name)

    def copies(self, position: StreamPosition) -> Iterator[tuple[str, Content]]:
        """(path, opened) of the files in its folder that hold what was read of the stream; the caller closes them."""
        if position.offset == 0:
            return  # nothing to know them by
        for path, status in self._related(position.path, may_be_copy):
            if (status.st_dev, status.st_ino) == (position.device, position.inode):
                continue
            is_old = status.st_ctime_ns // 1000 < (position.modified_us or 0) - _COPIED_EARLIER_US
            if is_old and not is_distinct(position):
                continue  # an older rotation whose few first bytes are the same
            content = opened_if_same(position, path)
            if content is not None:
                yield path, content

    def later(self, path: str, since_us: int) -> list[tuple[str, os.stat_result]]:
        """Rotated files of `path` written after `since_us`, in the order of their last writes."""
        found = [item for item in self._related(path, is_numbered) if item[1].st_mtime_ns // 1000 > since_us]
        return sorted(found, key=lambda item: item[1].st_mtime_ns)

    def _related(self, path: str, is_related: RelatedName) -> Iterator[tuple[str, os.stat_result]]:
        folder, original = os.path.split(path)
        self._list(folder)
        related = families(original)
        for name in list(with_stem(self._names[folder], min(related, key=len))):
            if name == original or not any(is_related(one, name) for one in related):
                continue
            other = os.path.join(folder, name)
            try:
                status = os.stat(other)
            except OSError:  # gone since it was listed
                continue
            if stat.S_ISREG(status.st_mode):
                yield other, status


def opened_if_same(position: StreamPosition, path: str) -> Content | None:
    """The file at `path`, open, if what was read of the stream stands in it; None also where it cannot be read."""
    try:
        content = open_content(path)
    except OSError:
        return None
    try:
        if is_same(position, content):
            return content
    except OSError:  # damaged compressed data: not a copy
        pass
    content.close()
    return None
