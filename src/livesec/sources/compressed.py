"""A compressed file read as the bytes it decompresses to, while members may still be appended to it."""

from __future__ import annotations

import bz2
import errno
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Protocol

import zstandard

_RAW_BYTES = 1 << 16
_STEP_BYTES = 1 << 20  # decompressed at once
_ZSTD_STEP_BYTES = 1 << 10  # of input: its decompressor has no limit of output, and a KiB can become 32 MiB
_KEPT_BEHIND = 1 << 12  # bytes kept before the place last asked for: the tail that is hashed
_HEAD_BYTES = 1 << 12
_RAW_CHECK_BYTES = 256
_LONGEST_MAGIC = 6


class _Member(Protocol):
    """One member (stream, frame) of a file."""

    def more(self, data: bytes) -> tuple[bytes, bytes]:
        """(what it decompresses to, what of `data` is left). Raises the library's error."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether its end was reached."""
        ...

    @property
    def needs_input(self) -> bool:
        """Whether nothing comes without more input."""
        ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self.needs_input = True

    def more(self, data: bytes) -> tuple[bytes, bytes]:
        out = self._inner.decompress(data, _STEP_BYTES)
        self.needs_input = len(out) < _STEP_BYTES
        return out, self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail

    @property
    def is_done(self) -> bool:
        return self._inner.eof


class _Buffering:
    """lzma and bz2, which keep the input they have not used."""

    def __init__(self, inner: lzma.LZMADecompressor | bz2.BZ2Decompressor) -> None:
        self._inner = inner

    def more(self, data: bytes) -> tuple[bytes, bytes]:
        out = self._inner.decompress(data, _STEP_BYTES)
        return out, self._inner.unused_data if self._inner.eof else b""

    @property
    def is_done(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return self._inner.needs_input


class _Zstd:
    needs_input = True

    def __init__(self) -> None:
        self._inner = zstandard.ZstdDecompressor().decompressobj()

    def more(self, data: bytes) -> tuple[bytes, bytes]:
        out = self._inner.decompress(data[:_ZSTD_STEP_BYTES])
        return out, (self._inner.unused_data if self._inner.eof else b"") + data[_ZSTD_STEP_BYTES:]

    @property
    def is_done(self) -> bool:
        return self._inner.eof


_MEMBERS: dict[bytes, Callable[[], _Member]] = {
    b"\x1f\x8b": _Gzip,
    b"\xfd7zXZ\x00": lambda: _Buffering(lzma.LZMADecompressor(lzma.FORMAT_XZ)),
    b"BZh": lambda: _Buffering(bz2.BZ2Decompressor()),
    b"\x28\xb5\x2f\xfd": _Zstd,
}
_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)


class CompressedContent:
    """See content.Content. Reading on is cheap; reading far back decompresses from the start again."""

    is_compressed = True

    def __init__(self, fd: int, status: os.stat_result) -> None:
        self._fd = fd
        self.device, self.inode = status.st_dev, status.st_ino
        self._rewind()

    @staticmethod
    def is_one(fd: int) -> bool:
        """Whether the file starts as a compressed one, or is empty."""
        magic = os.pread(fd, _LONGEST_MAGIC, 0)
        return not magic or any(magic.startswith(known) or known.startswith(magic) for known in _MEMBERS)

    def _rewind(self) -> None:
        self._raw_offset = 0
        self._raw_tail = b""  # bytes before the raw offset, to notice a rewrite
        self._input = b""
        self._member: _Member | None = None
        self._head = b""
        self._window = bytearray()  # decompressed bytes from `_start` on
        self._start = 0
        self._given = 0  # end of what was given out

    @property
    def _end(self) -> int:
        return self._start + len(self._window)

    def pread(self, size: int, offset: int) -> bytes:
        """See content.Content. Raises OSError (EBADMSG) where damage keeps it from giving more than it gave before."""
        if offset < self._start:
            if offset + size <= len(self._head):
                return self._head[offset : offset + size]
            self._rewind()
        try:
            while self._end < offset + size and self._decompress():
                self._drop_before(min(offset, self._end) - _KEPT_BEHIND)
        except OSError:
            if self._end <= max(offset, self._given):
                raise
        self._given = max(self._given, min(self._end, offset + size))
        place = offset - self._start
        return bytes(self._window[place : place + size])

    def _drop_before(self, offset: int) -> None:
        if offset - self._start >= _STEP_BYTES:
            del self._window[: offset - self._start]
            self._start = offset

    def _decompress(self) -> bool:
        """Decompress a little more; False where that needs bytes that are not there."""
        if not self._input and (self._member is None or self._member.needs_input) and not self._fill():
            return False
        if self._member is None and not self._begin_member():
            return bool(self._input) and self._fill()
        if self._member is None:
            return True
        try:
            out, self._input = self._member.more(self._input)
        except _ERRORS as error:
            raise OSError(errno.EBADMSG, f"damaged compressed data behind byte {self._end}: {error}") from error
        if self._member.is_done:
            self._member = None
        if len(self._head) < _HEAD_BYTES:
            self._head += out[: _HEAD_BYTES - len(self._head)]
        self._window += out
        return True

    def _begin_member(self) -> bool:
        """Start on the next member; False where what is there is too short to tell which kind it is."""
        self._input = self._input.lstrip(b"\0")  # padding between members
        if not self._input:
            return True
        for magic, make in _MEMBERS.items():
            if self._input.startswith(magic):
                self._member = make()
                return True
        if any(magic.startswith(self._input) for magic in _MEMBERS):
            return False
        raise OSError(errno.EBADMSG, f"no compressed data behind byte {self._end}")

    def _fill(self) -> bool:
        raw = os.pread(self._fd, _RAW_BYTES, self._raw_offset)
        self._raw_offset += len(raw)
        self._raw_tail = (self._raw_tail + raw)[-_RAW_CHECK_BYTES:]
        self._input += raw
        return bool(raw)

    def size(self) -> int:
        """See content.Content."""
        return self._end

    def status(self) -> os.stat_result:
        """See content.Content."""
        return os.fstat(self._fd)

    def next_data(self, offset: int) -> int:
        """See content.Content: there are no holes."""
        return offset

    def refresh(self) -> None:
        """See content.Content."""
        start = self._raw_offset - len(self._raw_tail)
        if os.pread(self._fd, len(self._raw_tail), start) != self._raw_tail:
            self._rewind()

    def has_at_hand(self, offset: int) -> bool:
        """Whether `offset` can be read without decompressing from the start."""
        return self._start <= offset < self._end

    def close(self) -> None:
        """See content.Content."""
        os.close(self._fd)
        self._window.clear()
