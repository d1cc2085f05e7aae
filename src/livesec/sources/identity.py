"""What tells one content from another: the hash of its first bytes and of those before the place reached."""

from __future__ import annotations

import hashlib

from livesec.core.anomaly import StreamPosition
from livesec.sources.content import Content

HEAD_BYTES = 1024
TAIL_BYTES = 256


class RewrittenError(Exception):
    """The bytes that were read are not there any more."""


def digest(data: bytes) -> str:
    """16 hex digits."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def stream_uid(path: str, generation: int) -> str:
    """The id of a generation of a path, the same in every run."""
    text = f"{path}\x00{generation}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=8, person=b"stream").hexdigest()


def tail_at(content: Content, offset: int) -> bytes:
    """The bytes before `offset` that are hashed."""
    size = min(TAIL_BYTES, offset)
    return content.pread(size, offset - size)


def is_same(position: StreamPosition, content: Content) -> bool:
    """Whether what was read of the stream stands in `content`; true where nothing was read. Raises OSError."""
    if position.offset == 0:
        return True
    content.refresh()
    head = content.pread(position.head_bytes, 0)
    return digest(head) == position.head_hash and digest(tail_at(content, position.offset)) == position.tail_hash


def is_distinct(position: StreamPosition) -> bool:
    """Whether the hashed head is long enough that no other log begins so by chance."""
    return position.head_bytes >= HEAD_BYTES


def is_beginning_of(part: Content, whole: Content) -> bool:
    """Whether `part` reads as the first bytes of `whole`, as far as a look at both ends of it tells. Raises OSError."""
    if part.is_compressed:
        part.pread(1, whole.size())  # only reading tells how much there is
    elif whole.is_compressed:
        whole.pread(1, part.size())
    size = part.size()
    if size > whole.size():
        return False
    head = min(size, HEAD_BYTES)
    return part.pread(head, 0) == whole.pread(head, 0) and tail_at(part, size) == tail_at(whole, size)
