"""Evidence lines as one value of an anomaly's row: they are written once, with it, and read only with it.

Layout, little-endian: per line stream_id (int32), offset (int64), length (int64) and the kept bytes' count (uint32),
then those bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from livesec.core.anomaly import EvidenceLine

_HEAD = struct.Struct("<iqqI")


def pack_evidence(lines: Iterable[EvidenceLine]) -> bytes:
    """`lines` in their order."""
    return b"".join(
        piece
        for line in lines
        for piece in (_HEAD.pack(line.stream_id, line.offset, line.length, len(line.line)), line.line)
    )


def unpack_evidence(blob: bytes) -> list[EvidenceLine]:
    """What `pack_evidence` wrote. Raises struct.error where it is cut off.

    >>> unpack_evidence(pack_evidence([EvidenceLine(3, 77, 5, b"hello")]))
    [EvidenceLine(stream_id=3, offset=77, length=5, line=b'hello')]
    """
    lines, at = [], 0
    while at < len(blob):
        stream_id, offset, length, kept = _HEAD.unpack_from(blob, at)
        at += _HEAD.size
        lines.append(EvidenceLine(stream_id, offset, length, blob[at : at + kept]))
        at += kept
    return lines
