"""The values that a key has met before: its peers, say. A set of fixed size that forgets what was not met for long.

SETS sets of WAYS places; a value belongs to one set, in which those met last come first, and a new one takes the last
place. So up to WAYS values are never lost, and of 128 or fewer hardly any is. Values are kept as 32 of their bits:
another value passes for known once in a billion.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from livesec.core.jit import inner_kernel
from livesec.core.state import ColumnSpec

SETS = 64
WAYS = 4

KNOWN_COLUMNS: Mapping[str, ColumnSpec] = MappingProxyType({"known": (np.uint32, SETS * WAYS)})


@inner_kernel
def forget_values(known: NDArray[np.uint32], slot: int) -> None:
    """Begin with none."""
    for place in range(SETS * WAYS):
        known[slot, place] = 0


@inner_kernel
def meet(known: NDArray[np.uint32], slot: int, value: np.uint64) -> bool:
    """Whether `value`, any 64-bit hash, was not known; it is from now on."""
    first = int(np.int64(value >> np.uint64(58))) * WAYS
    bits = np.int64(value & np.uint64(0xFFFFFFFF)) | 1  # 0 is an empty place
    place = 0
    while place < WAYS and np.int64(known[slot, first + place]) != bits:
        place += 1
    is_new = place == WAYS
    place = min(place, WAYS - 1)
    while place > 0:
        known[slot, first + place] = known[slot, first + place - 1]
        place -= 1
    known[slot, first] = bits
    return is_new
