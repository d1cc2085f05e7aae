"""Keyed state as bytes: whole shards, or only what changed since; parts saved one after the other are merged on load.

Versioned, checked and compressed, no pickle. Within a part keys stand by shard, least recently touched first.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard
from numpy.typing import DTypeLike, NDArray

from livesec.core.errors import StateVersionError
from livesec.core.hashing import Keys
from livesec.core.rows import SHARDS, shard_of

LAYOUT_VERSION = 2
_WHOLE_VERSION = 1  # had all shards in each part, and did not say so
_HEAD_SIZE = struct.Struct("<I")

ColumnSpec = DTypeLike | tuple[DTypeLike, int]
"""A numpy type, or (type, width) for a fixed number of values per key."""

Specs = Mapping[str, tuple[DTypeLike, int]]
"""Column name to (type, width); width 0 for one value per key."""


@dataclass(frozen=True)
class StatePart:
    """Keys (n,) and their values, name to (n,) or (n, width)."""

    keys: Keys
    values: Mapping[str, NDArray[np.generic]]
    shards: Sequence[int] | None = None
    """These shards have these keys and no others; None for changes."""
    counts: Sequence[int] | None = None
    """Changes: how many keys each of the 256 shards has with them."""


def specs_of(columns: Mapping[str, ColumnSpec]) -> Specs:
    """`columns` with the width of each."""
    return {name: spec if isinstance(spec, tuple) else (spec, 0) for name, spec in columns.items()}


def _described(specs: Specs) -> list[list[str | int]]:
    return [[name, np.dtype(dtype).str, width] for name, (dtype, width) in specs.items()]


def pack_part(part: StatePart) -> bytes:
    """`part` as bytes."""
    specs = {name: (array.dtype, array.shape[1] if array.ndim > 1 else 0) for name, array in part.values.items()}
    head = json.dumps(
        {
            "version": LAYOUT_VERSION,
            "count": len(part.keys),
            "shards": part.shards,
            "counts": part.counts,
            "columns": _described(specs),
        }
    ).encode()
    body = [part.keys.tobytes(), *(np.ascontiguousarray(array).tobytes() for array in part.values.values())]
    compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
    return compressor.compress(b"".join([_HEAD_SIZE.pack(len(head)), head, *body]))


def unpack_part(blob: bytes, specs: Specs) -> StatePart:
    """What `pack_part` wrote.

    Raises StateVersionError where the layout is another one than `specs`, ValueError where the bytes are damaged.
    """
    try:
        raw = zstandard.ZstdDecompressor().decompress(blob)
    except (zstandard.ZstdError, MemoryError) as error:  # damage may claim any length
        raise ValueError(f"a saved state cannot be decompressed: {error}") from error
    try:
        return _unpacked(raw, specs)
    except (struct.error, KeyError, TypeError) as error:
        raise ValueError(f"a saved state is damaged: {error!r}") from error


def _unpacked(raw: bytes, specs: Specs) -> StatePart:
    (size,) = _HEAD_SIZE.unpack_from(raw)
    at = _HEAD_SIZE.size + size
    head = json.loads(raw[_HEAD_SIZE.size : at])
    if head["version"] not in (_WHOLE_VERSION, LAYOUT_VERSION) or head["columns"] != _described(specs):
        raise StateVersionError(
            f"a saved state of layout {head['version']} has columns {head['columns']}, "
            f"this version has layout {LAYOUT_VERSION} and columns {_described(specs)}"
        )
    count = int(head["count"])
    keys = np.frombuffer(raw, dtype=np.uint64, count=count, offset=at)
    at += keys.nbytes
    values: dict[str, NDArray[np.generic]] = {}
    for name, (dtype, width) in specs.items():
        array = np.frombuffer(raw, dtype=dtype, count=count * max(1, width), offset=at)
        at += array.nbytes
        values[name] = array.reshape(count, width) if width else array
    if head["version"] == _WHOLE_VERSION:
        return StatePart(keys, values, shards=range(SHARDS))
    return StatePart(keys, values, head["shards"], head["counts"])


def merged(parts: Sequence[StatePart], specs: Specs, limit: int) -> tuple[Keys, dict[str, NDArray[np.generic]]]:
    """(keys, values) that `parts` leave in the end, by shard, least recently touched first; at most `limit` a shard."""
    base = np.full(SHARDS, -1)  # the last part that says all of a shard
    counts = np.full(SHARDS, limit)
    for number, part in enumerate(parts):
        if part.shards is not None:
            base[list(part.shards)] = number
            counts[list(part.shards)] = limit
        elif part.counts is not None:
            counts = np.minimum(part.counts, limit)
    masks = [base[shard_of(part.keys)] <= number for number, part in enumerate(parts)]
    keys = np.concatenate([np.empty(0, dtype=np.uint64), *(p.keys[mask] for p, mask in zip(parts, masks, strict=True))])
    by_key = np.argsort(keys, kind="stable")
    is_last = np.ones(len(keys), dtype=np.bool_)
    is_last[:-1] = keys[by_key[:-1]] != keys[by_key[1:]]
    latest = np.sort(by_key[is_last])  # each key where it was touched last, in that order
    latest = latest[np.argsort(shard_of(keys[latest]), kind="stable")]
    shards = shard_of(keys[latest])
    held = np.bincount(shards, minlength=SHARDS)
    rank = np.arange(len(latest)) - (np.cumsum(held) - held)[shards]
    kept = latest[rank >= (held - counts)[shards]]
    values = {
        name: np.concatenate(
            [
                np.empty((0, width) if width else 0, dtype=dtype),
                *(part.values[name][mask] for part, mask in zip(parts, masks, strict=True)),
            ]
        )[kept]
        for name, (dtype, width) in specs.items()
    }
    return keys[kept], values
