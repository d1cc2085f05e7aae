"""UTF-8 and UTF-16 by byte order mark. Lines are handed on as UTF-8; their addresses stay places in the file."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import numpy as np

from livesec.core.batch import RawBatch, StreamInfo, batch_of_bytes

SAMPLE_BYTES = 1024
_LINE_BREAK = 0x0A


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes are read: `codec` is None for UTF-8 (and anything else with single line feeds)."""

    codec: str | None
    mark_bytes: int
    """Length of the byte order mark at the file's start."""

    @property
    def unit_bytes(self) -> int:
        """Line breaks start at multiples of this, and are this long."""
        return 1 if self.codec is None else 2

    def find_break(self, data: bytes) -> int:
        """Where in `data`, which starts at a multiple of `unit_bytes`, the first line break is; -1 for nowhere."""
        if self.codec is None:
            return data.find(b"\n")
        return self._place(data, last=False)

    def find_last_break(self, data: bytes) -> int:
        """Where the last one is; -1 for nowhere."""
        if self.codec is None:
            return data.rfind(b"\n")
        return self._place(data, last=True)

    def _place(self, data: bytes, *, last: bool) -> int:
        breaks = np.flatnonzero(self._units(data) == _LINE_BREAK)
        return 2 * int(breaks[-1 if last else 0]) if len(breaks) else -1

    def _units(self, data: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
        kind = np.dtype("<u2" if self.codec == "utf-16-le" else ">u2")
        return np.frombuffer(data, dtype=kind, count=len(data) // 2).astype(np.uint16, copy=False)

    def batch(
        self, stream: StreamInfo, data: bytes, start_offset: int, first_sequence: int, *, final: bool
    ) -> RawBatch:
        """The whole lines in `data`, as `core.batch.batch_of_bytes` gives them; see there."""
        if self.codec is None:
            return batch_of_bytes(stream, data, start_offset, first_sequence, final=final)
        breaks = 2 * np.flatnonzero(self._units(data) == _LINE_BREAK).astype(np.int64)
        is_cut = final and len(data) > (int(breaks[-1]) + 2 if len(breaks) else 0)
        if is_cut:
            breaks = np.append(breaks, len(data))
        starts = np.zeros(len(breaks), dtype=np.int64)
        starts[1:] = breaks[:-1] + 2
        end = min(int(breaks[-1]) + 2, len(data)) if len(breaks) else 0
        text = data[:end].decode(self.codec, errors="replace").encode()
        decoded = batch_of_bytes(stream, text, final=is_cut)
        return RawBatch(
            stream=stream,
            data=decoded.data,
            starts=decoded.starts,
            kept=decoded.kept,
            offsets=starts + start_offset,
            lengths=breaks - starts,
            end_offset=start_offset + end,
            first_sequence=first_sequence,
        )


UTF_8 = Encoding(None, 0)
_BY_MARK = {
    codecs.BOM_UTF8: Encoding(None, len(codecs.BOM_UTF8)),
    codecs.BOM_UTF16_LE: Encoding("utf-16-le", 2),
    codecs.BOM_UTF16_BE: Encoding("utf-16-be", 2),
}


def encoding_of(head: bytes) -> Encoding | None:
    r"""The encoding of a file that starts with `head` (up to SAMPLE_BYTES); None where more bytes are needed.

    A UTF-16 mark counts only where the first line has the zero bytes of UTF-16's ASCII: who can only write a line
    must not change how all others are read.

    >>> encoding_of("\ufeffa".encode("utf-16-le")).codec, encoding_of(b"\xff\xfeab\nc").codec, encoding_of(b"\xef")
    ('utf-16-le', None, None)
    """
    for mark, encoding in _BY_MARK.items():
        if head.startswith(mark):
            if encoding.codec is None:
                return encoding
            text = head[len(mark) : SAMPLE_BYTES]
            found = text.find(b"\n", 0, len(text) - 1)
            first_line = text if found < 0 else text[: found + 2]  # what comes later must not change the answer
            if b"\0" in (first_line[1::2] if encoding.codec == "utf-16-le" else first_line[::2]):
                return encoding
            return UTF_8 if found >= 0 or len(head) >= SAMPLE_BYTES else None
    if any(mark.startswith(head) for mark in _BY_MARK):  # an empty file, or the first byte of a mark
        return None
    return UTF_8
