"""A plain model of a folder of logs beside the real one: every operation is done to both."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from livesec.core.anomaly import Gap
from livesec.sources.identity import HEAD_BYTES

AFTER_THE_END = "written to a rotated file after the reader had seen it end"


@dataclass(eq=False)
class Content:
    """The bytes of one generation of a file, from its first byte until they are gone; kept when they are.

    A file that is truncated below what was read of it has a new content; one that is renamed, copied (and truncated)
    or compressed keeps its content under another name.
    """

    number: int
    data: bytearray
    taken: int = 0
    """Bytes that the store has: the next line starts here."""
    seen: int = 0
    """Its size at the last look of this life."""
    streams: set[int] = field(default_factory=set)
    """The store's streams that are this content."""
    closed: bool = False
    """All of those streams have ended for the store."""
    may_have_gap: bool = False
    lost: list[tuple[int, int]] = field(default_factory=list)
    """Ranges that a gap row must cover."""
    gaps: list[Gap] = field(default_factory=list)
    """Declared of its streams while they were its own."""
    excuse: str | None = None
    """Why lines behind `taken` need neither be stored nor declared."""

    def whole(self) -> int:
        """Where its last whole line ends."""
        return max(self.data.rfind(b"\n") + 1, self.taken)

    def ends_with_a_line(self) -> bool:
        """Whether it is empty or its last byte is a line break."""
        return not self.data or self.data.endswith(b"\n")

    def next_line(self) -> tuple[bytes, int]:
        """(the line that starts at `taken`, offset behind it and its break); the last one may be without break."""
        found = self.data.find(b"\n", self.taken)
        end = len(self.data) if found < 0 else found
        return bytes(self.data[self.taken : end]), min(end + 1, len(self.data))

    def __repr__(self) -> str:
        return f"Content {self.number} (streams {sorted(self.streams)}, {self.taken} of {len(self.data)} bytes taken)"


@dataclass(eq=False)
class Body:
    """A file on disk, whatever its names; `is_gz` where its bytes are the compressed content.

    A program may go on writing to a file that was renamed; nobody has a copy open.
    """

    content: Content
    inode: int
    is_gz: bool = False
    is_copy: bool = False


class Files:
    """The folder: real files in `folder`, and the model's `names` of them."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self.folder = folder
        self.pattern = pattern
        self.names: dict[str, Body] = {}
        self.gone: list[Body] = []
        """Files without a name."""
        self.contents: list[Content] = []
        self._guards: dict[Body, int] = {}
        self._written = 0
        self._rotations = 0

    def is_watched(self, name: str) -> bool:
        """Whether the pattern matches; compressed files in a glob are passed over by design."""
        return fnmatch(name, self.pattern) and not name.endswith(".gz")

    def rotated(self) -> list[str]:
        """Names that rotation made, of files that are not compressed."""
        return sorted(name for name, body in self.names.items() if not name.endswith(".log") and not body.is_gz)

    def renamed(self) -> list[str]:
        """Rotated files that a program may still have open."""
        return [name for name in self.rotated() if not self.names[name].is_copy]

    def live(self) -> list[str]:
        """Names under which programs write now."""
        return sorted(name for name in self.names if name.endswith(".log"))

    def read_from(self) -> list[str]:
        """Live files of whose present content something was taken."""
        return [name for name in self.live() if self.names[name].content.taken]

    def unfinished(self) -> list[str]:
        """Names of files that may be written to and end within a line."""
        return [name for name in self.live() + self.renamed() if not self.names[name].content.ends_with_a_line()]

    # What writers do --------------------------------------------------------------------------------------------------

    def new_line(self, padding: int = 0) -> bytes:
        """A text that was never written before; of one length for one padding, so that sizes collide.

        Long ones end with their number: a rewrite that leaves the hashed head and tail as they were passes by design.
        """
        self._written += 1
        return b"L%06d" % self._written + (b"." * padding + b"%06d" % self._written if padding > 1 else b"." * padding)

    def append(self, name: str, data: bytes) -> None:
        """Open for appending, write, close; makes the file where it is missing."""
        with (self.folder / name).open("ab") as file:
            file.write(data)
        if name not in self.names:
            self._adopt(name)
        content = self.names[name].content
        content.data += data
        if content.closed:
            content.excuse = AFTER_THE_END

    def truncate(self, name: str, size: int) -> None:
        """Cut to `size` bytes. Below what was taken the rest is a new content: a new generation by design."""
        os.truncate(self.folder / name, size)
        body = self.names[name]
        old = body.content
        if size < old.taken:
            body.content = self._new_content(bytes(old.data[:size]))
            self._guard(name)
        else:  # bytes that were seen, perhaps, and never taken
            old.may_have_gap |= size < len(old.data)
            del old.data[size:]

    def delete(self, name: str) -> None:
        """Unlink."""
        (self.folder / name).unlink()
        self.gone.append(self.names.pop(name))

    def replace(self, name: str, data: bytes) -> None:
        """Another file is renamed over it, as editors and `mv` do."""
        other = self.folder / ".new"
        other.write_bytes(data)
        other.replace(self.folder / name)
        self.gone.append(self.names.pop(name))
        self._adopt(name)
        self.names[name].content.data += data

    # What rotation does -----------------------------------------------------------------------------------------------

    def rotated_name(self, name: str) -> str:
        """A name that no rotation of this example had before."""
        self._rotations += 1
        return f"{name.partition('.log')[0]}.log.{self._rotations}"

    def rename(self, name: str) -> str:
        """Give it a rotated name; the new name."""
        new = self.rotated_name(name)
        (self.folder / name).rename(self.folder / new)
        self.names[new] = self.names.pop(name)
        return new

    def copytruncate(self, name: str) -> None:
        """The content goes on in the copy; the file has a new one.

        Where nothing was taken no reader can tell the two apart but by the inode: its streams stay with the file.
        """
        copy = self.rotated_name(name)
        shutil.copyfile(self.folder / name, self.folder / copy)
        os.truncate(self.folder / name, 0)
        body = self.names[name]
        self.names[copy] = Body(body.content, os.stat(self.folder / copy).st_ino, is_copy=True)
        old, body.content = body.content, self._new_content(b"")
        self._guard(name)
        self._guard(copy)
        if old.taken == 0:
            body.content.streams, old.streams = old.streams, set()
            body.content.seen, old.seen = old.seen, 0
            body.content.lost, old.lost = old.lost, []
            body.content.gaps, old.gaps = old.gaps, []
            body.content.may_have_gap = bool(old.data) or old.may_have_gap

    def compress(self, name: str) -> None:
        """As `gzip` does: the compressed copy, then the original goes."""
        body = self.names[name]
        packed = self.folder / f"{name}.gz"
        packed.write_bytes(gzip.compress(bytes(body.content.data)))
        (self.folder / name).unlink()
        self.gone.append(self.names.pop(name))
        content = body.content
        if content.closed and content.taken < min(len(content.data), HEAD_BYTES):
            # Written to after its end and compressed before it was looked at again: by what was read of it, less than
            # a hashed head, no reader can tell it from another file that only begins so. It is read as another one.
            content = self._new_content(bytes(content.data))
            content.excuse = AFTER_THE_END
        self.names[packed.name] = Body(content, os.stat(packed).st_ino, is_gz=True)
        self._guard(packed.name)

    def _adopt(self, name: str) -> None:
        self.names[name] = Body(self._new_content(b""), os.stat(self.folder / name).st_ino)
        self._guard(name)

    # Inodes -----------------------------------------------------------------------------------------------------------

    def _guard(self, name: str) -> None:
        """Keep the file's inode from the next file while nothing was taken of it.

        A stream of which nothing was taken is known by its inode alone, so no reader can tell it from the next file
        with that inode. Once something was taken the inode may be used again at once, as ext4 does.
        """
        body = self.names[name]
        if body not in self._guards:
            self._guards[body] = os.open(self.folder / name, os.O_RDONLY)

    def free_inodes(self, *, all_of_them: bool = False) -> None:
        """Let go of the inodes of files of which something was taken."""
        for body in [body for body in self._guards if all_of_them or body.content.taken]:
            os.close(self._guards.pop(body))

    def _new_content(self, data: bytes) -> Content:
        content = Content(len(self.contents), bytearray(data))
        self.contents.append(content)
        return content
