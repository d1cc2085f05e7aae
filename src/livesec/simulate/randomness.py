"""Random numbers that depend on names and days, not on the order of calls.

Every part of the demo world draws from a generator of its own, named by what is drawn. A day of the world is
then the same whichever window it is asked for in, which lets the live feed continue the history that `demo
batch` wrote.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64-bit words whose output passes for random.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_MANTISSA_STEP = 2.0**-53


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A generator for what `path` names, the same for the same words in every run.

    >>> generator(1, "logins", 3).integers(1000) == generator(1, "logins", 3).integers(1000)
    np.True_
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(part).encode()) for part in path)])


def chance(random: np.random.Generator, share: float | FloatArray, size: int) -> BoolArray:
    """`size` answers, each true with probability `share` (one for all, or one each)."""
    return random.random(size) < share


def hashed_integers(seed: int, label: str, *keys: IntArray | int) -> IntArray:
    """One fixed non-negative integer per element of the keys, which are broadcast against each other."""
    words = np.broadcast_arrays(*(np.atleast_1d(np.asarray(key, dtype=np.int64)) for key in keys))
    state = np.full(words[0].shape, np.uint64(zlib.crc32(f"{seed}/{label}".encode())))
    for word in words:
        state = (state ^ word.astype(np.uint64)) + _GOLDEN
        state = (state ^ (state >> np.uint64(30))) * _MIX_1
        state = (state ^ (state >> np.uint64(27))) * _MIX_2
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(1)).astype(np.int64)


def hashed_uniform(seed: int, label: str, *keys: IntArray | int) -> FloatArray:
    """One fixed number in [0, 1) per element of the keys.

    >>> bool((hashed_uniform(1, "sick", np.arange(5), 7) == hashed_uniform(1, "sick", np.arange(5), 7)).all())
    True
    """
    return np.asarray((hashed_integers(seed, label, *keys) >> 10) * _MANTISSA_STEP, dtype=np.float64)
