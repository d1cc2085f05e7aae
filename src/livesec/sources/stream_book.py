"""Every stream that matters still, under which path and file it goes, and what of it must be committed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace

from livesec.core.anomaly import Gap, StreamPosition
from livesec.core.text import shown
from livesec.sources.identity import stream_uid
from livesec.sources.rotated_names import family_path

_log = logging.getLogger(__name__)

LIVE = frozenset({"active", "error"})
ROTATED = "rotated"
DRAINED = "drained"
TRUNCATED = "truncated"
RETIRED = "retired"
UNWATCHED = "unwatched"
KEPT_ENDED = 1000
"""Ended streams that are remembered, so that their files are known should they come back."""

FileId = tuple[int | None, int | None]
"""(device, inode)."""


class StreamBook:
    """Positions by stream id, and what changed since the last `take_changes`.

    Parameters
    ----------
    known : every row of the store, of whatever kind and state: the ids of all are taken, those of files that may still
        grow are resumed
    """

    def __init__(self, known: Iterable[StreamPosition]) -> None:
        rows = sorted(known, key=lambda item: item.stream_id)
        files = [item for item in rows if item.kind == "file" and item.state != RETIRED]
        self.positions = {item.stream_id: item for item in files}
        self.current = {item.path: item.stream_id for item in files if item.state in (*LIVE, UNWATCHED)}
        """Path to the stream that reads it now."""
        self.by_file: dict[FileId, int] = {
            (item.device, item.inode): item.stream_id
            for item in files
            if item.inode is not None and item.state != TRUNCATED and (item.offset or item.state != DRAINED)
        }
        self._families: dict[str, dict[int, None]] = {}
        for item in files:
            self._enter_family(item)
        self._next_id = max((item.stream_id for item in rows), default=0) + 1
        self._uids = {item.uid for item in rows}
        self._generations: dict[str, int] = {}
        self._ended = OrderedDict.fromkeys(item.stream_id for item in files if item.state in (DRAINED, TRUNCATED))
        self._changed: dict[int, StreamPosition] = {}
        self._gaps: list[Gap] = []
        for position in files:
            superseded = position.state in (*LIVE, UNWATCHED) and self.current[position.path] != position.stream_id
            if superseded:
                self.end(position, DRAINED)

    def begin(self, position: StreamPosition) -> StreamPosition:
        """Enter a new stream: `position` gets its id, its generation (the first never used) and its uid."""
        generation = self._generations.get(position.path, 0)
        while (uid := stream_uid(position.path, generation)) in self._uids:
            generation += 1
        self._generations[position.path] = generation + 1
        self._uids.add(uid)
        position.stream_id, position.generation, position.uid = self._next_id, generation, uid
        self._next_id += 1
        self.positions[position.stream_id] = position
        self.by_file[(position.device, position.inode)] = position.stream_id
        self._enter_family(position)
        self.changed(position)
        return position

    def _enter_family(self, position: StreamPosition) -> None:
        self._families.setdefault(family_path(position.path), {})[position.stream_id] = None

    def of_family(self, path: str) -> list[StreamPosition]:
        """The streams that ever were at `path` or another path of its family (rotated_names.families)."""
        ids = self._families.get(family_path(path), {})
        return [self.positions[stream_id] for stream_id in ids if stream_id in self.positions]

    def take_path(self, position: StreamPosition, path: str) -> None:
        """The stream goes on at `path`."""
        position.path = path
        self.current[path] = position.stream_id
        self._families.setdefault(family_path(path), {})[position.stream_id] = None
        self.revive(position, "active")

    def end(self, position: StreamPosition, state: str) -> None:
        """The stream will not be read again: `drained`, or `truncated` where its file goes on as another stream."""
        position.state, position.oldest_unread_us, position.error = state, None, None
        self.leave_path(position)
        if state == TRUNCATED or position.offset == 0:  # nothing but its number would say that a file is this one
            self.forget_file(position)
        self._ended[position.stream_id] = None
        self.changed(position)

    def watch_only(self, is_watched: Callable[[str], bool]) -> list[StreamPosition]:
        """Set aside the live streams at paths that are not watched, until they are again; which ones those are."""
        aside = []
        for path, stream_id in list(self.current.items()):
            position = self.positions[stream_id]
            if not is_watched(path):
                del self.current[path]
                self.revive(position, UNWATCHED)
                aside.append(position)
            elif position.state == UNWATCHED:
                self.revive(position, "active")
        return aside

    def revive(self, position: StreamPosition, state: str) -> None:
        """The stream is read (again) in `state`."""
        position.state, position.error = state, None
        self._ended.pop(position.stream_id, None)
        self.changed(position)

    def leave_path(self, position: StreamPosition) -> None:
        """The stream reads its path no more."""
        if self.current.get(position.path) == position.stream_id:
            del self.current[position.path]

    def move_to_file(self, position: StreamPosition, device: int, inode: int) -> None:
        """The stream goes on in another file: a copy of what was read."""
        self.forget_file(position)
        position.device, position.inode = device, inode
        self.by_file[(device, inode)] = position.stream_id
        self.changed(position)

    def forget_file(self, position: StreamPosition) -> None:
        """The stream's file is not its own any more."""
        if self.by_file.get((position.device, position.inode)) == position.stream_id:
            del self.by_file[(position.device, position.inode)]

    def retire_old(self) -> None:
        """Forget ended streams beyond KEPT_ENDED, the longest ended first; their rows become `retired`."""
        while len(self._ended) > KEPT_ENDED:
            stream_id, _ = self._ended.popitem(last=False)
            position = self.positions.pop(stream_id)
            self._families.get(family_path(position.path), {}).pop(stream_id, None)
            self.forget_file(position)
            position.state = RETIRED
            self.changed(position)

    def changed(self, position: StreamPosition) -> None:
        """Have `position` committed."""
        self._changed[position.stream_id] = position

    def gap(self, position: StreamPosition, start: int, end: int | None, reason: str) -> None:
        """Declare that bytes `start` to `end` of the stream (None: to wherever it went) may be lost."""
        self._gaps.append(Gap(position.stream_id, position.path, start, end, reason))
        _log.warning("%s: %s; bytes from %d on may be lost", shown(position.path), reason, start)

    def take_changes(self) -> tuple[list[StreamPosition], list[Gap]]:
        """What to commit since the last call; the positions are copies, as they are now."""
        changed, gaps = [replace(position) for position in self._changed.values()], self._gaps
        self._changed, self._gaps = {}, []
        return changed, gaps
