"""Lines longer than MAX_LINE_BYTES keep a prefix that ends between two characters; single lines by their address."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from livesec.core.batch import MAX_LINE_BYTES, RawBatch
from livesec.sources.text_encoding import UTF_8, Encoding

_USUAL_LINE_BYTES = 4096
_LONGEST_CHARACTER = 4
_CONTINUATION = 0x80  # top two bits 10


def whole_characters(data: bytes, size: int) -> int:
    r"""`size` or up to three less, so that the first bytes of `data` do not end inside a UTF-8 character.

    >>> whole_characters("aé".encode(), 2), whole_characters(b"a\xff\xffb", 3)
    (1, 3)
    """
    if size >= len(data):
        return size
    for back in range(min(_LONGEST_CHARACTER, size)):
        byte = data[size - back]
        if byte & 0xC0 != _CONTINUATION:
            return size - back
    return size  # not UTF-8


def cut_long_lines(batch: RawBatch) -> RawBatch:
    """`batch` with lines over MAX_LINE_BYTES cut to their prefix; the same object where there are none."""
    if int(batch.kept.max()) <= MAX_LINE_BYTES:
        return batch
    pieces = []
    for start, size in zip(batch.starts.tolist(), batch.kept.tolist(), strict=True):
        piece = batch.data[start : start + size]
        pieces.append(piece[: whole_characters(piece, MAX_LINE_BYTES)] if size > MAX_LINE_BYTES else piece)
    kept = np.array([len(piece) for piece in pieces], dtype=np.int64)
    starts = np.zeros(len(batch), dtype=np.int64)
    np.cumsum(kept[:-1] + 1, out=starts[1:])
    return RawBatch(
        stream=batch.stream,
        data=b"\n".join(pieces) + b"\n",
        starts=starts,
        kept=kept,
        offsets=batch.offsets,
        lengths=batch.lengths,
        end_offset=batch.end_offset,
        first_sequence=batch.first_sequence,
    )


def line_at(
    pread: Callable[[int, int], bytes], offset: int, keep: int, encoding: Encoding = UTF_8
) -> tuple[bytes, int] | None:
    """(first `keep` bytes as UTF-8, length up to MAX_LINE_BYTES) of the line at `offset`; None where nothing is.

    `pread(size, offset)` reads the file.
    """
    data = pread(_USUAL_LINE_BYTES, offset)
    found = encoding.find_break(data)
    if data and found < 0:
        data = pread(MAX_LINE_BYTES, offset)
        found = encoding.find_break(data)
    if not data:
        return None
    line = data if found < 0 else data[:found]
    text = line if encoding.codec is None else line.decode(encoding.codec, errors="replace").encode()
    return text[:keep], len(line)
