"""Eight bytes of a text at a time, as one number: for kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel

WORD_BYTES = 8
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
# Everything is unsigned: numba makes a float of a signed and an unsigned number, and looks for places below 0.
_1, _2, _3, _4, _5, _6, _7, _8 = (np.uint64(place) for place in range(1, 9))


@inner_kernel
def word_at(data: NDArray[np.uint8], at: int) -> np.uint64:
    """data[at : at + 8], which must lie in `data`, little-endian. LLVM makes one load of it."""
    place = np.uint64(at)
    word = np.uint64(data[place]) | np.uint64(data[place + _1]) << _8
    word |= np.uint64(data[place + _2]) << (_2 * _8) | np.uint64(data[place + _3]) << (_3 * _8)
    word |= np.uint64(data[place + _4]) << (_4 * _8) | np.uint64(data[place + _5]) << (_5 * _8)
    return word | np.uint64(data[place + _6]) << (_6 * _8) | np.uint64(data[place + _7]) << (_7 * _8)


@inner_kernel
def word_of(data: NDArray[np.uint8], at: int, end: int) -> np.uint64:
    """As `word_at`, with zeros for what stands from `end` on, which may be anywhere; at <= len(data)."""
    if at >= end:
        return np.uint64(0)
    size = np.uint64(min(end - at, WORD_BYTES))
    if at + WORD_BYTES <= len(data):
        return word_at(data, at) & (_ALL >> (_8 * (_8 - size)))
    word = np.uint64(0)
    for place in range(size):
        word |= np.uint64(data[np.uint64(at) + place]) << (_8 * place)
    return word
