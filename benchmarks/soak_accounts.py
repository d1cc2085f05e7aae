"""Every line that was written: stored once, or covered by a gap row. Counted by offsets, for journals are pruned."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.soak_writer import Segment


@dataclass
class FileAccount:
    """One file's lines over all its generations."""

    name: str
    written: int = 0
    stored: int = 0
    in_gaps: int = 0
    gaps: list[str] = field(default_factory=list)

    @property
    def is_balanced(self) -> bool:
        """Whether written = stored + in gaps."""
        return self.written == self.stored + self.in_gaps


@dataclass(frozen=True)
class Accounts:
    """All files, what the store itself counted, and the gap rows of streams that are no known generation."""

    files: list[FileAccount]
    store_total: int
    strangers: list[str]

    @property
    def is_balanced(self) -> bool:
        """Every file's account, and the store's own total against the sum of them."""
        stored = sum(account.stored for account in self.files)
        return all(account.is_balanced for account in self.files) and stored == self.store_total and not self.strangers


Range = tuple[int, int]


def accounts_of(db: Path, folder: Path) -> Accounts:
    """Hold the store against the kept originals and the writer's own record."""
    segments = [Segment(**item) for item in json.loads((folder / "segments.json").read_text())]
    taken: dict[int, list[int]] = defaultdict(list)
    gaps: dict[int, list[tuple[int, int | None, str]]] = defaultdict(list)
    with contextlib.closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection:
        row = connection.execute("SELECT value FROM totals WHERE name = 'lines'").fetchone()
        streams = connection.execute(
            "SELECT stream_id, path, inode, offset, head_bytes, head_hash FROM streams"
        ).fetchall()
        gap_rows = connection.execute("SELECT stream_id, start_offset, end_offset, reason FROM gaps").fetchall()
    originals = {path.name: path.read_bytes() for path in sorted((folder / "originals").iterdir())}
    names = sorted(originals)
    place_of: dict[int, int] = {}
    for stream_id, path, inode, offset, head_bytes, head_hash in streams:
        number = int(Path(path).name.removeprefix("soak")[:3])
        for place, segment in enumerate(segments):
            if segment.file == number and _is_same(originals[names[number]], segment, inode, head_bytes, head_hash):
                place_of[stream_id] = place
                taken[place].append(offset)
    strangers = []
    for stream_id, start, end, reason in gap_rows:
        if stream_id in place_of:
            gaps[place_of[stream_id]].append((start or 0, end, reason))
        else:
            strangers.append(f"stream {stream_id}: {reason}")
    files = [FileAccount(name) for name in names]
    for place, segment in enumerate(segments):
        _add(files[segment.file], originals[names[segment.file]], segment, max(taken[place], default=0), gaps[place])
    return Accounts(files, int(row[0]) if row else 0, strangers)


def _is_same(original: bytes, segment: Segment, inode: int, head_bytes: int, head_hash: str) -> bool:
    """By the hash of its head; a stream of which nothing was read has its inode only."""
    if not head_bytes:
        return inode == segment.inode
    head = original[segment.base : segment.base + head_bytes]
    return hashlib.blake2b(head, digest_size=8).hexdigest() == head_hash


def _add(
    account: FileAccount, original: bytes, segment: Segment, taken: int, gaps: list[tuple[int, int | None, str]]
) -> None:
    """Lines by where they begin: in a gap, else stored where they are before the offset, else missing."""
    content = original[segment.base : segment.base + segment.size]
    in_gaps = _union([(start, segment.size if end is None else min(end, segment.size)) for start, end, _ in gaps])
    account.written += content.count(b"\n")
    account.stored += content.count(b"\n", 0, taken)
    account.in_gaps += sum(content.count(b"\n", start, end) for start, end in in_gaps)
    account.stored -= sum(content.count(b"\n", start, min(end, taken)) for start, end in in_gaps if start < taken)
    account.gaps += [f"{start} to {'its end' if end is None else end}: {reason}" for start, end, reason in gaps]


def _union(ranges: list[Range]) -> list[Range]:
    found: list[Range] = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif end > start:
            found.append((start, end))
    return found
