"""Whole files for a replay: which ones, and their lines in batches.

Compressed files (gzip, xz, bzip2, zstd) are read as what they decompress to, packet captures as the lines of their
flows, a document of JSON records that is one long line as a line per record.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import zstandard

from livesec.core.anomaly import KEPT_LINE_BYTES
from livesec.core.batch import MAX_LINE_BYTES, RawBatch, StreamInfo
from livesec.core.errors import InputUnreadableError
from livesec.sources.line_cut import cut_long_lines, line_at
from livesec.sources.packet_capture import CAPTURE_MAGIC, CaptureLines, ReadAhead
from livesec.sources.record_lines import RecordLines, is_endless_document
from livesec.sources.text_encoding import SAMPLE_BYTES, UTF_8, Encoding, encoding_of
from livesec.sources.watched_paths import expand

CHUNK_BYTES = 7 << 19
"""Read this much at once: some 27,000 syslog lines."""

_REMEMBERED = 8  # batches of a compressed file kept for evidence: 24 MB

_MAGIC: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file)),
    b"\xfd7zXZ": lambda file: cast(BinaryIO, lzma.LZMAFile(file)),  # noqa: SIM115 - closed by WholeFile
    b"BZh": lambda file: cast(BinaryIO, bz2.BZ2File(file)),
    b"\x28\xb5\x2f\xfd": lambda file: cast(BinaryIO, _ZstdFrames(file)),
}
_ZSTD_STEP_BYTES = 1 << 12  # of input: its decompressor has no limit of output
_UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError, ValueError)


class _ZstdFrames:
    """A zstd file's content. The library's own reader takes a frame that was cut off for a whole one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False
        self._input = b""

    def read(self, size: int) -> bytes:
        """At least `size` bytes, or all up to the end. Raises EOFError inside a frame."""
        parts, length = list[bytes](), 0
        while length < size:
            data = self._input or self._file.read(_ZSTD_STEP_BYTES)
            self._input = b""
            if not data:
                if self._is_inside:
                    raise EOFError("the compressed data ends inside a frame")
                break
            self._is_inside = True
            parts.append(self._frame.decompress(data))
            length += len(parts[-1])
            if self._frame.eof:
                self._is_inside, self._input = False, self._frame.unused_data
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        return b"".join(parts)


class WholeFile:
    """One file's batches, decompressed where it is compressed."""

    def __init__(self, path: str, info: StreamInfo) -> None:
        self.path = path
        self.info = info
        raw = Path(path).open("rb")  # noqa: SIM115 - closed by close()
        head = raw.read(6)
        raw.seek(0)
        opener = next((make for magic, make in _MAGIC.items() if head.startswith(magic)), None)
        self._raw = raw
        self._file = opener(raw) if opener is not None else cast(BinaryIO, raw)
        self._compressed = opener is not None
        self._encoding: Encoding = UTF_8
        self._size = os.fstat(raw.fileno()).st_size
        self._recent: deque[RawBatch] = deque(maxlen=_REMEMBERED)
        self.offset = 0
        """Bytes of the stream that were given out as lines."""

    def read_share(self) -> float:
        """How much of the file has been read, 0 to 1."""
        return min(1.0, self._raw.tell() / self._size) if self._size else 1.0

    def batches(self) -> Iterator[RawBatch]:
        """The file's whole lines; the end of the file ends its last line. Raises InputUnreadableError."""
        rest = self._look_at_start()
        while True:
            chunk = self._read()
            data = rest + chunk
            batch = self._encoding.batch(self.info, data, self.offset, 0, final=not chunk)
            rest = data[batch.end_offset - self.offset :]
            self.offset = batch.end_offset
            if len(batch):
                yield self._remembered(cut_long_lines(batch))
            if not chunk:
                return
            if len(rest) > MAX_LINE_BYTES * self._encoding.unit_bytes:
                long_line, rest, taken = self._long_line(rest, self.offset)
                self.offset += taken
                yield self._remembered(long_line)

    def _read(self) -> bytes:
        try:
            return self._file.read(CHUNK_BYTES)
        except _UNREADABLE as error:
            raise InputUnreadableError(f"{self.path}: unreadable after byte {self.offset}: {error}") from error

    def _look_at_start(self) -> bytes:
        """Bytes of the first lines, behind a byte order mark; notes the encoding, a capture, an endless document."""
        head = self._read()
        if head.startswith(CAPTURE_MAGIC):
            self._file = cast(BinaryIO, CaptureLines(cast(BinaryIO, ReadAhead(head, self._file))))
            self._compressed = True  # as for compressed files: no line can be read again at its offset
            return b""
        if is_endless_document(head):
            self._file = cast(BinaryIO, RecordLines(cast(BinaryIO, ReadAhead(head, self._file))))
            self._compressed = True
            return b""
        self._encoding = encoding_of(head[:SAMPLE_BYTES]) or UTF_8
        self.offset = self._encoding.mark_bytes
        return head[self.offset :]

    def _long_line(self, start: bytes, offset: int) -> tuple[RawBatch, bytes, int]:
        """(the line's prefix as a batch, bytes after the line, bytes taken)."""
        encoding, unit = self._encoding, self._encoding.unit_bytes
        length = len(start) - len(start) % unit
        carried = start[length:]
        prefix = start[: MAX_LINE_BYTES * unit + 4]  # so that the cut can be made between two characters
        while True:
            chunk = self._read()
            data = carried + chunk
            found = encoding.find_break(data)
            if found >= 0 or not chunk:
                length += found if found >= 0 else len(data)
                end = offset + length + (unit if found >= 0 else 0)
                text = prefix if encoding.codec is None else prefix.decode(encoding.codec, errors="replace").encode()
                batch = RawBatch(
                    self.info,
                    text + b"\n",
                    np.zeros(1, dtype=np.int64),
                    np.array([len(text)], dtype=np.int64),
                    np.array([offset], dtype=np.int64),
                    np.array([length], dtype=np.int64),
                    end_offset=end,
                )
                return cut_long_lines(batch), data[found + unit :] if found >= 0 else b"", end - offset
            whole = len(data) - len(data) % unit
            length, carried = length + whole, data[whole:]

    def _remembered(self, batch: RawBatch) -> RawBatch:
        """`batch`; of a compressed file, which cannot be read again at an offset, the last few are kept."""
        if self._compressed:
            self._recent.append(replace(batch))  # a copy without what is computed from the lines
        return batch

    def line_at(self, offset: int) -> tuple[bytes, int] | None:
        """(first KEPT_LINE_BYTES, length) of the line at `offset`; of a compressed file only among the last read."""
        if not self._compressed:
            fd = self._raw.fileno()
            return line_at(lambda size, at: os.pread(fd, size, at), offset, KEPT_LINE_BYTES, self._encoding)
        for batch in self._recent:
            index = batch.index_at(offset)
            if index is not None:
                return batch.line_bytes(index)[:KEPT_LINE_BYTES], int(batch.lengths[index])
        return None

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


def replayable(patterns: Sequence[str], problems: list[str]) -> list[str]:
    """The files to replay: what `patterns` name, with compressed rotated copies; what is missing goes to `problems`."""
    paths: list[str] = []
    for pattern in patterns:
        path = Path(pattern).expanduser()
        if path.is_dir():
            found = sorted(str(child.absolute()) for child in path.iterdir() if _is_log(child))
        else:
            found = expand([pattern])
        missing = [name for name in found if not os.path.isfile(name)]
        for name in missing:
            reason = "not a regular file; write it to one first" if os.path.exists(name) else "no such file"
            problems.append(f"{name}: {reason}")
        if not found:
            problems.append(f"{pattern}: nothing to read there")
        paths.extend(name for name in found if name not in missing)
    return list(dict.fromkeys(paths))


def _is_log(path: Path) -> bool:
    return (
        path.is_file()
        and not path.name.startswith(".")
        and not path.name.endswith((".db", ".db-wal", ".db-shm", ".lock", "anomalies.csv", "labels.csv"))
    )
