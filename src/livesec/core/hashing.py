"""One fixed 64-bit hash for entity keys: SipHash-1-3 (Aumasson and Bernstein 2012) over UTF-8.

It decides virtual shards and table slots, so it must never change between versions or processors. Its second-preimage
strength keeps an attacker from naming himself so that he shares a victim's baseline. Zero stands for "no key".
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel, kernel
from livesec.core.text_views import arrow_text

Keys = NDArray[np.uint64]

_K0 = np.uint64(0x4C69766553656331)  # "LiveSec1": part of every stored state's layout
_K1 = np.uint64(0x656E746974794B65)  # "entityKe"
_SEED0 = np.uint64(_K0 ^ np.uint64(0x736F6D6570736575))
_SEED1 = np.uint64(_K1 ^ np.uint64(0x646F72616E646F6D))
_SEED2 = np.uint64(_K0 ^ np.uint64(0x6C7967656E657261))
_SEED3 = np.uint64(_K1 ^ np.uint64(0x7465646279746573))
_FINAL = np.uint64(0xFF)


@inner_kernel
def _rotate(x: np.uint64, bits: int) -> np.uint64:
    return np.uint64((x << np.uint64(bits)) | (x >> np.uint64(64 - bits)))


@inner_kernel
def _round(
    v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    v0 = v0 + v1
    v1 = _rotate(v1, 13) ^ v0
    v0 = _rotate(v0, 32)
    v2 = v2 + v3
    v3 = _rotate(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = _rotate(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = _rotate(v1, 17) ^ v2
    v2 = _rotate(v2, 32)
    return v0, v1, v2, v3


@inner_kernel
def _finish(v0: np.uint64, v1: np.uint64, v2: np.uint64, v3: np.uint64, last: np.uint64) -> np.uint64:
    v3 = v3 ^ last
    v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    v0 = v0 ^ last
    v2 = v2 ^ _FINAL
    for _ in range(3):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    digest = np.uint64(v0 ^ v1 ^ v2 ^ v3)
    return digest if digest != np.uint64(0) else np.uint64(1)


@kernel
def _hash_texts(data: NDArray[np.uint8], bounds: NDArray[np.int64], out: Keys) -> None:
    for row in range(len(out)):
        start = bounds[row]
        size = int(bounds[row + 1] - start)
        v0, v1, v2, v3 = _SEED0, _SEED1, _SEED2, _SEED3
        whole = size - size % 8
        at = start
        while at < start + whole:
            word = np.uint64(0)
            for byte in range(8):
                word = word | (np.uint64(data[at + byte]) << np.uint64(8 * byte))
            v3 = v3 ^ word
            v0, v1, v2, v3 = _round(v0, v1, v2, v3)
            v0 = v0 ^ word
            at += 8
        last = np.uint64(size & 0xFF) << np.uint64(56)
        for byte in range(size - whole):
            last = last | (np.uint64(data[at + byte]) << np.uint64(8 * byte))
        out[row] = _finish(v0, v1, v2, v3, last)


@kernel
def combine_keys(left: Keys, right: Keys, out: Keys) -> None:
    """Write into `out` the key of each pair (left[i], right[i]); 0 where either is 0."""
    for row in range(len(left)):
        if left[row] == np.uint64(0) or right[row] == np.uint64(0):
            out[row] = np.uint64(0)
            continue
        v0, v1, v2, v3 = _SEED0, _SEED1, _SEED2, _SEED3
        v3 = v3 ^ left[row]
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
        v0 = v0 ^ left[row]
        out[row] = _finish(v0, v1, v2, v3, right[row])


def text_keys(column: pl.Series) -> Keys:
    """The key of each text in `column` (String, any length); 0 where it is null.

    >>> text_keys(pl.Series(["root", None, "root", "admin"])).tolist()[:3]
    [1475704013451018522, 0, 1475704013451018522]
    """
    return keys_of_texts(column, *arrow_text(column))


def keys_of_texts(column: pl.Series, data: NDArray[np.uint8], bounds: NDArray[np.int64]) -> Keys:
    """`text_keys` of a column whose `arrow_text` is at hand."""
    keys = np.empty(len(column), dtype=np.uint64)
    _hash_texts(data, bounds, keys)
    if column.null_count():
        keys[column.is_null().to_numpy()] = 0
    return keys


def number_keys(values: NDArray[np.int64]) -> Keys:
    """Keys for whole numbers such as ports, for pairing with others (SplitMix64 finaliser; never 0)."""
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    mixed[mixed == 0] = 1
    return mixed
