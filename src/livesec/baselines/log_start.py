"""Since when a log has been watched: what was there from the start is not new.

No key's own state can tell that, and state across keys would depend on how they are spread over workers. But all keys
of a virtual shard stay together; so each shard has one more key, whose `first_us` is the shard's first row. A thing
that began within a day of that may have begun long before; the shard's first row is never before the log's, so
whatever was there from the start is seen to be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livesec.core.hashing import Keys
from livesec.core.jit import inner_kernel
from livesec.core.rows import SHARDS
from livesec.core.state import Index, KeyedState, touch

_SHARD_BITS = np.uint64(0xFF << 56)
_START = np.uint64(1)  # beside the shard's byte; an entity has that key once in 2^56
_START_KEYS = (np.arange(SHARDS, dtype=np.uint64) << np.uint64(56)) | _START


def reserve_with_starts(state: KeyedState, keys: Keys) -> None:
    """`state.reserve` for kernels that call `start_us`."""
    state.reserve(np.concatenate([keys, _START_KEYS]))


@inner_kernel
def start_us(
    index: Index,
    first_us: NDArray[np.int64],
    last_us: NDArray[np.int64],
    key: np.uint64,
    time_us: int,
    forget_us: int,
) -> int:
    """The first row's time in the shard of `key`; to be called for each row before its key is touched.

    It begins anew when no row came for `forget_us`, as keys do.
    """
    slot, fresh = touch(index, (key & _SHARD_BITS) | _START)
    if fresh or time_us - last_us[slot] >= forget_us:
        first_us[slot] = time_us
        last_us[slot] = time_us
    last_us[slot] = max(last_us[slot], time_us)
    return int(first_us[slot])
