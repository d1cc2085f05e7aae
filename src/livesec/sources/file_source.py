"""A set of growing files, followed by identity (device, inode) and offset across rename and truncation."""

from __future__ import annotations

import glob
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from livesec.core.anomaly import KEPT_LINE_BYTES, Gap, StreamPosition
from livesec.core.batch import RawBatch
from livesec.core.clock import US_PER_DAY
from livesec.core.text import shown
from livesec.sources.tail_file import TailFile

_log = logging.getLogger(__name__)
_COMPRESSED = (".gz", ".xz", ".zst", ".bz2", ".zip")
_OWN_FILES = (".db", ".db-wal", ".db-shm", ".lock", "anomalies.csv", "labels.csv")
MAX_OPEN_FILES = 512


def expand(patterns: Sequence[str]) -> list[str]:
    """The files that `patterns` (files, folders, globs) name now, absolute, each once, sorted.

    In folders and globs compressed copies, hidden files and LiveSec's own files are passed over; a file named outright
    never is.
    """
    found: set[str] = set()
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            named = [str(child) for child in path.iterdir()]
        elif glob.has_magic(pattern) and not path.exists():
            named = glob.glob(str(path), recursive=True)
        else:
            found.add(str(path.absolute()))
            continue
        for name in named:
            base = os.path.basename(name)
            if not base.startswith(".") and not base.endswith(_COMPRESSED + _OWN_FILES) and os.path.isfile(name):
                found.add(os.path.abspath(name))
    return sorted(found)


def directories_of(patterns: Sequence[str]) -> set[Path]:
    """The directories in which events matter for `patterns`."""
    found = {Path(path).parent for path in expand(patterns)}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        found.add(path.absolute() if path.is_dir() else path.absolute().parent)
    return found


def stream_uid(path: str, generation: int) -> str:
    """The id of a generation of a path, the same in every run."""
    text = f"{path}\x00{generation}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8, person=b"stream").hexdigest()


def _file_with_inode(folder: str, inode: int | None) -> str | None:
    with os.scandir(folder) as entries:
        return next((entry.path for entry in entries if entry.inode() == inode and entry.is_file()), None)


class FileSource:
    """Reads the lines of the files that `patterns` name.

    Parameters
    ----------
    known : stream positions from the store
    history : `start`, `end` or `<n>d`: how far back the first look at a file goes
    """

    def __init__(
        self,
        patterns: Sequence[str],
        known: Iterable[StreamPosition],
        *,
        history: str,
        time_zone: str,
        clock: Callable[[], int],
    ) -> None:
        self.patterns = tuple(patterns)
        self._history = history
        self._time_zone = time_zone
        self._clock = clock
        self._positions = {item.stream_id: item for item in known}
        self._current: dict[str, int] = {  # path to its live stream
            item.path: item.stream_id
            for item in sorted(self._positions.values(), key=lambda item: item.stream_id)
            if item.kind == "file" and item.state in ("active", "error")
        }
        self._generations = Counter(item.path for item in self._positions.values())
        self._left_behind: dict[tuple[int | None, int | None], int] = {  # (device, inode) of renamed files
            (item.device, item.inode): item.stream_id
            for item in self._positions.values()
            if item.state in ("rotated", "drained")
        }
        self._open: dict[int, TailFile] = {}
        self._ready: dict[int, None] = {}  # streams with unread bytes, in the order to read them
        self._gaps: list[Gap] = []
        self._changed: dict[int, StreamPosition] = {}
        self._resumed: set[int] = set()
        self._last_seen: dict[int, tuple[int, int]] = {}  # size and ctime of each stream at its last look

    # What the runner asks ---------------------------------------------------------------------------------------------

    def take_changes(self) -> tuple[list[StreamPosition], list[Gap]]:
        """Positions and gaps that changed since the last call, to be committed."""
        changed, gaps = list(self._changed.values()), self._gaps
        self._changed, self._gaps = {}, []
        return changed, gaps

    @property
    def positions(self) -> list[StreamPosition]:
        """Every stream known, with sizes as last seen."""
        return list(self._positions.values())

    def is_historical(self, batch: RawBatch) -> bool:
        """Whether the batch was already there when its stream was first seen."""
        return batch.end_offset <= self._positions[batch.stream.stream_id].history_end

    def scan(self, touched: Iterable[str] | None = None) -> None:
        """Look at every file, or only at the `touched` ones that are known, and note what can be read."""
        if touched is None:
            paths = expand(self.patterns)
            for path in set(self._current) - set(paths):
                self._look(path)
        else:
            paths = [path for path in touched if path in self._current]
        for path in paths:
            self._look(path)

    def read(self, first_sequence: int) -> Iterator[RawBatch]:
        """Batches of what can be read now, one file after the other; call `committed` for each before the next."""
        while self._ready:
            stream_id = next(iter(self._ready))
            del self._ready[stream_id]
            tail = self._opened(stream_id)
            if tail is None:
                continue
            final = tail.position.state == "rotated"
            batch = tail.read(first_sequence, final=final)
            if batch is not None:
                if final or batch.end_offset < (tail.position.size or 0):
                    self._ready[stream_id] = None  # behind the others: fair; what comes meanwhile waits for a look
                first_sequence += len(batch)
                yield batch
            elif final:
                self._retire(stream_id, "drained")

    def committed(self, batch: RawBatch, format_name: str | None = None) -> None:
        """Move the position behind `batch`; take it with `take_changes` into the batch's own transaction."""
        tail = self._open[batch.stream.stream_id]
        tail.mark(batch.end_offset)
        position = tail.position
        position.format = format_name or position.format
        position.size = max(tail.size(), batch.end_offset)
        if position.offset >= position.size:
            position.oldest_unread_us = None
        self._changed[position.stream_id] = position

    def line_at(self, stream_id: int, offset: int) -> tuple[bytes, int] | None:
        """The line at an address, while its file can be read."""
        position = self._positions.get(stream_id)
        if position is None or position.kind != "file" or position.state == "truncated":
            return None  # the same file at the same offset says something else now
        tail = self._opened(stream_id)
        return None if tail is None else tail.line_at(offset, KEPT_LINE_BYTES)

    def close(self) -> None:
        """Close every file."""
        for tail in self._open.values():
            tail.close()
        self._open.clear()

    # Looking at one path ----------------------------------------------------------------------------------------------

    def _look(self, path: str) -> None:
        stream_id = self._current.get(path)
        try:
            stat = os.stat(path)
        except OSError as error:
            if stream_id is not None:
                self._gone(stream_id, error)
            return
        if not os.path.isfile(path):
            return
        if stream_id is None:
            self._appeared(path, stat)
            return
        position = self._positions[stream_id]
        if stream_id not in self._resumed and not self._resume(stream_id, stat):
            return
        if (position.device, position.inode) != (stat.st_dev, stat.st_ino):
            self._rotated(stream_id)
            self._appeared(path, stat)
            return
        if stat.st_size < position.offset or not self._is_unchanged(position, stat):
            self._truncated(stream_id, stat)
            return
        self._note_size(position, stat.st_size)

    def _is_unchanged(self, position: StreamPosition, stat: os.stat_result) -> bool:
        """Whether what was read is still there; looked at only where the file was touched since the last look."""
        seen = self._last_seen.get(position.stream_id)
        now = (stat.st_size, stat.st_ctime_ns)
        self._last_seen[position.stream_id] = now
        if seen == now or position.offset == 0:
            return True
        tail = self._opened(position.stream_id)
        return tail is None or tail.is_same_content()

    def _note_size(self, position: StreamPosition, size: int) -> None:
        if size == position.size and position.offset >= size:
            return
        if size > position.offset:
            if position.oldest_unread_us is None:
                position.oldest_unread_us = self._clock()
            self._ready[position.stream_id] = None
        position.size = size

    def _appeared(self, path: str, stat: os.stat_result) -> None:
        """A path without a stream: a file renamed within what is watched, or a new one."""
        stream_id = self._left_behind.get((stat.st_dev, stat.st_ino))
        if stream_id is not None and stat.st_size >= self._positions[stream_id].offset:
            tail = self._opened(stream_id, path)
            if tail is not None and tail.is_same_content():
                self._adopt(self._positions[stream_id], path)
                return
        self._start(path, stat, first_look=True)

    def _adopt(self, position: StreamPosition, path: str) -> None:
        del self._left_behind[(position.device, position.inode)]
        position.path, position.state = path, "active"
        self._current[path] = position.stream_id
        self._resumed.add(position.stream_id)
        self._changed[position.stream_id] = position
        self._ready[position.stream_id] = None

    def _start(self, path: str, stat: os.stat_result, *, first_look: bool) -> None:
        generation = self._generations[path]
        self._generations[path] += 1
        now_us = self._clock()
        days = int(self._history[:-1]) if self._history[:-1].isdigit() else None
        position = StreamPosition(
            stream_id=max(self._positions, default=0) + 1,
            uid=stream_uid(path, generation),
            kind="file",
            path=path,
            generation=generation,
            reference_time_us=stat.st_mtime_ns // 1000,
            time_zone=self._time_zone,
            device=stat.st_dev,
            inode=stat.st_ino,
            history_end=stat.st_size if first_look and generation == 0 else 0,
            not_before_us=now_us - days * US_PER_DAY if days is not None and generation == 0 else 0,
        )
        self._positions[position.stream_id] = position
        self._current[path] = position.stream_id
        self._resumed.add(position.stream_id)
        tail = self._opened(position.stream_id)
        if tail is not None and self._history == "end" and generation == 0:
            tail.skip_to_end()
        self._changed[position.stream_id] = position
        self._note_size(position, stat.st_size)

    def _resume(self, stream_id: int, stat: os.stat_result) -> bool:
        """First look at a stream from the store; False where its path now holds something else."""
        self._resumed.add(stream_id)
        position = self._positions[stream_id]
        same_file = (position.device, position.inode) == (stat.st_dev, stat.st_ino)
        if same_file and stat.st_size >= position.offset:
            tail = self._opened(stream_id)
            if tail is None:
                return False
            if tail.is_same_content():
                return True
            self._gap(position, position.offset, position.size, "rewritten while nobody was reading")
            self._retire(stream_id, "truncated")
            self._start(position.path, stat, first_look=False)
            return False
        if same_file:
            return True  # truncated: seen by the caller
        self._find_renamed(position)
        self._appeared(position.path, stat)
        return False

    def _find_renamed(self, position: StreamPosition) -> None:
        """A file rotated away while nobody was reading: its rest is read under its new name, or declared lost."""
        del self._current[position.path]
        renamed = _file_with_inode(os.path.dirname(position.path), position.inode)
        if renamed is not None:
            tail = self._opened(position.stream_id, renamed)
            if tail is not None and tail.size() >= position.offset and tail.is_same_content():
                position.state = "rotated"
                self._left_behind[(position.device, position.inode)] = position.stream_id
                self._ready[position.stream_id] = None
                self._changed[position.stream_id] = position
                return
        self._gap(position, position.offset, position.size, "rotated away while nobody was reading")
        self._retire(position.stream_id, "drained")

    def _gone(self, stream_id: int, error: OSError) -> None:
        position = self._positions[stream_id]
        if isinstance(error, FileNotFoundError):
            if stream_id not in self._resumed:
                self._resumed.add(stream_id)
                if os.path.isdir(os.path.dirname(position.path)):
                    self._find_renamed(position)
                return
            self._rotated(stream_id)
        elif position.state != "error":
            self._failed(position, error)

    def _rotated(self, stream_id: int) -> None:
        position = self._positions[stream_id]
        del self._current[position.path]
        position.state = "rotated"
        self._left_behind[(position.device, position.inode)] = stream_id
        self._changed[stream_id] = position
        if stream_id in self._open:
            self._ready = {stream_id: None, **self._ready}  # the old file before the new one
        else:
            self._find_renamed_open(position)

    def _find_renamed_open(self, position: StreamPosition) -> None:
        """A rotated file whose handle was closed for want of handles: found again by its inode."""
        self._current[position.path] = position.stream_id
        self._find_renamed(position)

    def _truncated(self, stream_id: int, stat: os.stat_result) -> None:
        position = self._positions[stream_id]
        if position.size is not None and position.size > position.offset:
            self._gap(position, position.offset, position.size, "truncated before it was read")
        self._retire(stream_id, "truncated")
        self._start(position.path, stat, first_look=False)

    def _retire(self, stream_id: int, state: str) -> None:
        position = self._positions[stream_id]
        position.state, position.oldest_unread_us = state, None
        self._ready.pop(stream_id, None)
        self._last_seen.pop(stream_id, None)
        if self._current.get(position.path) == stream_id:
            del self._current[position.path]
        tail = self._open.pop(stream_id, None)
        if tail is not None:
            tail.close()
        self._changed[stream_id] = position

    def _gap(self, position: StreamPosition, start: int, end: int | None, reason: str) -> None:
        self._gaps.append(Gap(position.stream_id, position.path, start, end, reason))
        _log.warning("%s: %s; bytes from %d may be lost", shown(position.path), reason, start)

    def _failed(self, position: StreamPosition, error: OSError) -> None:
        position.state, position.error = "error", str(error.strerror)
        self._changed[position.stream_id] = position
        _log.error("%s: cannot be read (%s); looking again", shown(position.path), error.strerror)

    def _opened(self, stream_id: int, path: str | None = None) -> TailFile | None:
        tail = self._open.pop(stream_id, None)
        position = self._positions[stream_id]
        if tail is None:
            try:
                fd = os.open(path or position.path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                if position.state != "error":
                    self._failed(position, error)
                return None
            tail = TailFile(position, fd)
            if (tail.device, tail.inode) != (position.device, position.inode):
                tail.close()
                return None
            if position.state == "error":
                position.state, position.error = "active", None
                self._changed[stream_id] = position
            self._close_idle()
        self._open[stream_id] = tail
        return tail

    def _close_idle(self) -> None:
        for stream_id in list(self._open):
            if len(self._open) < MAX_OPEN_FILES:
                return
            if self._positions[stream_id].state != "rotated" and stream_id not in self._ready:
                self._open.pop(stream_id).close()
